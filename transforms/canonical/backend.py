"""Kernels of convolutions that ran under Theano, which convolves where TensorFlow and CNTK correlate.

    kernel'[i, j, c, o] = kernel[-1-i, -1-j, c, o]   (every spatial axis reversed)

Source: `convert_kernel` in keras/utils/conv_utils.py and `preprocess_weights_for_loading` in
keras/engine/saving.py (2.2.4), which names the layers below.
"""

from __future__ import annotations

import numpy as np

from transforms.canonical.model import Array, Piece, Setting

_ROTATED = {
    "Conv1D": ("kernel",),
    "Conv2D": ("kernel",),
    "Conv3D": ("kernel",),
    "Conv2DTranspose": ("kernel",),
    "ConvLSTM2D": ("kernel", "recurrent_kernel"),
}


def rotated(kernel: Array) -> Array:
    """The kernel turned by 180 degrees over its spatial axes: all but the last two."""
    return np.flip(kernel, axis=tuple(range(kernel.ndim - 2)))


def theano_kernels_rotated(piece: Piece, setting: Setting) -> Piece:
    """Rotates convolution kernels of files written under Theano."""
    roles = _ROTATED.get(piece.layer.class_name)
    if roles is None or setting.runtime.backend != "theano":
        return piece
    arrays = {role: array.mapped(rotated) if role in roles else array for role, array in piece.own_arrays.items()}
    return piece.became(
        piece.layer, "theano_kernel_rotated", ", ".join(roles), arrays=piece.with_own_arrays(arrays)
    )
