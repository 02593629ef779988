"""The legacy model as stored: layer graph, original arrays, the release that wrote it.

May import: admission, weights, source.
"""
