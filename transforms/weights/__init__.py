"""Which stored array is which weight of which layer.

May import: architecture, source.
"""
