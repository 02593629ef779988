"""Model registries and servers beside a run: MLflow as a source and as a target, TensorFlow Serving's configuration.

May import: settings, audit, scan, and what these may import.
"""
