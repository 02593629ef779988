"""The model as its file states it: layer graph, original arrays, the release that wrote it.

May import: admission, weights, source.
"""
