"""Reads the bytes of a source file under limits; independent of Keras.

May import: records.
"""
