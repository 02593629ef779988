"""What the graph's steps call: inspect a row, convert a model, fetch its files, keep the converting processes.

May import: settings, isolation, publication, report.
"""
