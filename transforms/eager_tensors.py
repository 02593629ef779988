"""NumPy arrays as TensorFlow tensors. TensorFlow itself copies twice on the way: once in NumPy, once to align."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from transforms.aligned_arrays import aligned

#: Bytes from which a copy costs more than the way around it.
_LARGE = 1 << 20


def eager_tensor(array: npt.NDArray[Any], dtype: tf.DType) -> tf.Tensor:
    """The array as a tensor of this dtype. The array must not be written to any more: a large one is not copied."""
    wanted = dtype.as_numpy_dtype
    if array.nbytes < _LARGE or np.dtype(wanted).kind not in "fiu":
        values = np.ascontiguousarray(array).reshape(array.shape)  # which makes scalars vectors
        # TensorFlow lets go of a NumPy array that it copied when it runs its next operation: identity is one.
        return tf.identity(tf.convert_to_tensor(values, dtype))
    return tf.experimental.dlpack.from_dlpack(aligned(array.astype(wanted, copy=False)).__dlpack__())
