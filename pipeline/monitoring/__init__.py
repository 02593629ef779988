"""What an operator sees while a run lasts and when it ends: live view, summary, events, Prometheus metrics.

May import: report, coordination, history.
"""
