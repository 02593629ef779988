"""The rewrites: each takes one layer with its arrays and returns it in canonical form.

May import: canonical.model, canonical.subgraph.
"""
