"""Reading the manifest and checking its rows.

May import: publication, storage.
"""
