"""Publishing to an output: names on disk, locks, receipts, atomic replacement.

May import: storage.
"""
