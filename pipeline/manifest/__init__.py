"""The manifest: read, and checked row by row.

May import: publication, storage.
"""
