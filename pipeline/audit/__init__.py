"""`h5ferry verify`: what was published is compared with its receipts, its run records and its samples.

May import: settings, isolation, history, report, publication.
"""
