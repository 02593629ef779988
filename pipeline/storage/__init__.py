"""File storage: paths and URLs, durable files, digests, canonical JSON.

May import: transforms alone.
"""
