"""`h5ferry verify`: compares published models with their receipts, run records and samples.

May import: settings, isolation, history, report, publication.
"""
