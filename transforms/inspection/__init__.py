"""What a source is and what it would become, without TensorFlow.

May import: canonical, custom.
"""
