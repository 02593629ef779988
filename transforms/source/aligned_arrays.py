"""Arrays that TensorFlow can use without a copy: it requires buffers that begin at multiples of 64 bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

#: EIGEN_MAX_ALIGN_BYTES of TensorFlow's builds; NumPy aligns to 16.
_ALIGNMENT = 64


def aligned_empty(shape: Sequence[int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An uninitialised array in C order that begins at a multiple of 64 bytes."""
    wanted = np.dtype(dtype)
    size = math.prod(shape) * wanted.itemsize
    buffer = np.empty(size + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    return buffer[start : start + size].view(wanted).reshape(shape)


def aligned(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array itself if TensorFlow can use it without a copy (aligned, in C order, native, writable), else a copy."""
    flags = array.flags
    if flags.c_contiguous and flags.writeable and array.dtype.isnative and array.ctypes.data % _ALIGNMENT == 0:
        return array
    copy = aligned_empty(array.shape, array.dtype.newbyteorder("="))
    np.copyto(copy, array)
    return copy
