"""Converts NumPy arrays to TensorFlow tensors. TensorFlow's own conversion copies twice: in NumPy and to align."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from transforms.source.aligned_arrays import aligned


def eager_tensor(array: npt.NDArray[Any], dtype: tf.DType) -> tf.Tensor:
    """The array as a tensor of this dtype, without a copy if aligned: it must not be modified afterwards."""
    wanted = np.dtype(dtype.as_numpy_dtype)
    if wanted.kind not in "fiu" or not array.size:
        return tf.convert_to_tensor(np.asarray(array), dtype)
    return tf.experimental.dlpack.from_dlpack(aligned(array.astype(wanted, copy=False)).__dlpack__())
