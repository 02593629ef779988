"""An independent forward pass over the legacy config and the original arrays, in NumPy and float64.

It imports nothing of Keras, of TensorFlow or of the canonicaliser: a mistake in a rewrite shows as a difference.
"""

from transforms.reference.coverage import uncovered
from transforms.reference.forward import WeightsOf, forward
from transforms.reference.layer_call import NotCovered

__all__ = ["NotCovered", "WeightsOf", "forward", "uncovered"]
