"""The writer of a function, which decides between its meanings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Era:
    """The writer of a model.

    Attributes:
        standalone: version of standalone Keras, None for tf.keras and Keras 3.
        release: release of TensorFlow that wrote a file of tf.keras, e.g. (1, 15).
        backend: `tensorflow`, `theano` or `cntk`.
        keras_3: whether Keras 3 wrote it.
    """

    standalone: Any = None
    release: Any = ()
    backend: str = "tensorflow"
    keras_3: bool = False

    def before(self, standalone: tuple[int, ...], release: tuple[int, ...]) -> bool:
        """True for a standalone Keras before the one version, and a tf.keras before the other."""
        if self.standalone is not None:
            return tuple(self.standalone) < standalone
        return not self.keras_3 and tuple(self.release) < release


def beside(value: Any, tensor: Any) -> Any:
    """A constant as a tensor with the dtype of the other operand; tensors are unchanged."""
    return value if hasattr(value, "dtype") else tf.constant(value, dtype=tensor.dtype)


def both(x: Any, y: Any) -> tuple[Any, Any]:
    """Two operands with one dtype: a constant takes that of the tensor."""
    if hasattr(x, "dtype"):
        return x, beside(y, x)
    return (beside(x, y), y) if hasattr(y, "dtype") else (tf.constant(x), tf.constant(y))


def floats(x: Any) -> Any:
    """Booleans as 0 and 1 in float32."""
    return tf.cast(x, tf.float32) if x.dtype == tf.bool else x


def as_integers(value: Any) -> Any:
    """An integer or a list of integers as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
