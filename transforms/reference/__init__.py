"""An independent forward pass over the legacy config and the original arrays, in NumPy and float64.

It imports nothing of Keras, of TensorFlow or of the canonicaliser: a mistake in a rewrite shows as a difference.
"""

from transforms.reference.coverage import uncovered
from transforms.reference.forward import forward, forward_batches
from transforms.reference.layer_call import NotCovered
from transforms.reference.layer_weights import WeightsOf

__all__ = ["NotCovered", "WeightsOf", "forward", "forward_batches", "uncovered"]
