"""The report: its rows and schema, its files, the audit page, the comparison of two reports.

May import: isolation, manifest, history, storage.
"""
