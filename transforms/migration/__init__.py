"""One model from source to verified artefact: convert, verify, retry under another reading.

May import: everything in transforms.
"""
