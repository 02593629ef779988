"""TensorFlow checkpoints, read without TensorFlow.

May import: records.
"""
