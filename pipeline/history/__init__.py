"""The chain of run records of an output, and their signatures.

May import: publication, storage.
"""
