"""What Keras 0.3 to 1.2.2 computed, from its own option names and its own arrays.

Rules are those of the layers and backends of Keras 1.2.2. Where Keras 2 changed nothing but names, as in pooling, the
functions of the parent package are called, which read both; everything else has its own equations here.
"""
