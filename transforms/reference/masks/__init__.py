"""How masks propagate through layers, by release.

May import: architecture, legacy.release.
"""
