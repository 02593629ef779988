"""Migration of one model from source to verified artefact: convert, verify, retry with another reading.

May import: everything in transforms.
"""
