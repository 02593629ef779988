"""The bytes of a source file, read under limits; nothing of Keras.

May import: records.
"""
