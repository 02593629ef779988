"""Allowlists: which classes, options, functions and stored objects may be built at all.

May import: architecture, weights.
"""
