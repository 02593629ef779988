"""The evidence that outputs are compared with: drawn or given samples, expected outputs, tolerances.

May import: saved_model, reference.
"""
