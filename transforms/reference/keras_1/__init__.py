"""The layers of Keras 0.3 to 1.2.2, computed from its own option names and arrays.

Rules are those of the layers and backends of Keras 1.2.2. If Keras 2 changed only names, as in pooling, the functions
of the parent package are called, which read both; everything else has its own equations here.
"""
