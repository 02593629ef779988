"""What each release of Keras calls its own: classes, the options that they store, activations.

May import: architecture, records.
"""
