"""Builds translated expressions of stored functions as TensorFlow operations on symbolic Keras tensors.

Shares no rule with the reference: each listed function is written here in terms of TensorFlow.
"""

from transforms.rebuild.expressions.evaluate import evaluate_expression

__all__ = ["evaluate_expression"]
