"""The contents of each release of Keras: classes, the options that they store, activations.

May import: architecture, records.
"""
