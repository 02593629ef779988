"""What lies in an output and how it gets there: names on disk, locks, receipts, atomic publishing.

May import: storage.
"""
