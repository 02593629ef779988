"""Functions of the graph's steps: inspect a row, fetch its files, convert a model; the pool of converting processes.

May import: settings, isolation, publication, report.
"""
