"""Output for the operator during and after a run: live view, summary, events, Prometheus metrics.

May import: report, coordination, history.
"""
