"""From the legacy model to Keras 2 layers in canonical layout, by small named rewrites.

Nothing is imported here: the catalogue of rewrites is read by commands that need no HDF5.
"""
