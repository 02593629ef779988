"""Inspection of a source and of its migration, without TensorFlow.

May import: canonical, custom.
"""
