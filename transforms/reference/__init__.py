"""An independent forward pass over the legacy config and the original arrays, in NumPy and float64.

It imports nothing of Keras, of TensorFlow or of the canonicaliser: a mistake in a rewrite causes a difference.
"""

from transforms.reference.coverage import uncovered
from transforms.reference.forward import Undecided, forward, forward_batches, same_outputs
from transforms.reference.layer_call import NotCovered, Refused
from transforms.reference.layer_weights import WeightsOf

__all__ = [
    "NotCovered",
    "Refused",
    "Undecided",
    "WeightsOf",
    "forward",
    "forward_batches",
    "same_outputs",
    "uncovered",
]
