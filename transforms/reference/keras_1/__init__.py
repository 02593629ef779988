"""What Keras 0.3 to 1.2.2 computed, from its own option names and its own arrays.

Sources are the layers and backends of Keras 1.2.2. Nothing here is rewritten into Keras 2 first, with two exceptions that
differ in names only, and say so.
"""
