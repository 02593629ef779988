"""Common parts of spatial layers: windows, strides and data format from a config, padding, bias and activation.

If the backend determines a rule, it is that of Keras 2.2.4's `theano_backend.py`, or of TensorFlow's kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered
from transforms.reference.layers.activations import activation_of
from transforms.reference.layers.correlation import Pads, Sizes, extent

#: Keras 1's names of options that Keras 2 renamed, on layers whose class name stayed the same.
_KERAS_1_NAMES = {"pool_size": "pool_length", "strides": "stride", "padding": "border_mode", "size": "length"}
_KERAS_1_FORMATS = {"th": "channels_first", "tf": "channels_last"}


def sizes(call: LayerCall, name: str, rank: int, default: Sizes | None = None) -> Sizes:
    """An option that holds one integer for each spatial axis, or one integer for all."""
    value = call.option(name, call.option(_KERAS_1_NAMES.get(name, name), default))
    if isinstance(value, int):
        return (value,) * rank
    if isinstance(value, (list, tuple)) and len(value) == rank and all(isinstance(v, int) for v in value):
        return tuple(value)
    raise NotCovered(f"{name} {value!r} on {rank} spatial axes", call.path)


def strides_of(call: LayerCall, rank: int) -> Sizes:
    """The strides; 1 if the config has none."""
    return sizes(call, "strides", rank, (1,) * rank)


def dilation_of(call: LayerCall, rank: int) -> Sizes:
    """The dilation; 1 if the config has none."""
    return sizes(call, "dilation_rate", rank, (1,) * rank)


def padding_of(call: LayerCall) -> str:
    """`valid`, `same` or `causal`, in lower case."""
    return str(call.option("padding", call.option("border_mode", "valid"))).lower()


def channels_first(call: LayerCall, rank: int) -> bool:
    """True if the channel axis follows the batch axis.

    Keras 2 fills a missing `data_format` from the user's settings, whose default is channels last, as do layers over
    one axis, which at first had no such option. Keras 1 did not store it for every layer; then it is unknown.
    """
    stored = call.option("data_format", call.option("dim_ordering", None))
    if stored is None:
        if call.runtime.is_keras_1 and rank > 1:
            raise NotCovered("Keras 1 stored no dim_ordering for this layer", call.path)
        return False
    data_format = _KERAS_1_FORMATS.get(str(stored), str(stored))
    if data_format not in ("channels_first", "channels_last"):
        raise NotCovered(f"data_format {stored!r}", call.path)
    return data_format == "channels_first"


def to_channels_last(x: Array, first: bool) -> Array:
    """(n, c, *spatial) -> (n, *spatial, c) for channels first."""
    return np.moveaxis(x, 1, -1) if first else x


def from_channels_last(x: Array, first: bool) -> Array:
    """(n, *spatial, c) -> (n, c, *spatial) for channels first."""
    return np.moveaxis(x, -1, 1) if first else x


def is_theano(call: LayerCall) -> bool:
    """True if the model ran on Theano, which convolves (kernel rotated) and pads equally on both sides."""
    return call.runtime.backend == "theano"


def borders(
    call: LayerCall, padding: str, lengths: Sequence[int], window: Sizes, strides: Sizes, dilation: Sizes
) -> Pads:
    """The padding of each axis by a padding option.

    causal: (k - 1) * d before, nothing after (`K.conv1d`).
    same: see `same_border`.
    """
    axes = list(zip(lengths, window, strides, dilation, strict=True))
    if padding == "valid":
        return ((0, 0),) * len(axes)
    if padding == "causal" and len(axes) == 1:
        return ((extent(window[0], dilation[0]) - 1, 0),)
    if padding == "same":
        return tuple(same_border(call, *axis) for axis in axes)
    raise NotCovered(f"padding {padding!r} on {len(axes)} spatial axes", call.path)


def same_border(call: LayerCall, length: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    """The padding of one axis under `same`; the output has ceil(n / s) positions.

    TensorFlow pads as much as needed, the odd element after:
        total = max((ceil(n / s) - 1) * s + extent - n, 0),  before = total // 2
    Theano's border mode `half` pads extent // 2 on both sides, and `_postprocess_conv2d_output` of Keras cuts the
    surplus of an even window; with a stride its windows therefore start at other positions.
    """
    span = extent(window, dilation)
    outputs = -(-length // stride)
    needed = (outputs - 1) * stride + span - length
    if is_theano(call):
        before = span // 2
    elif call.runtime.backend == "cntk" and (stride > 1 or span % 2 == 0):
        raise NotCovered("padding 'same' of CNTK with a stride or an even window", call.path)
    else:
        needed = max(needed, 0)
        before = needed // 2
    return before, max(needed - before, 0)


def bias_and_activation(call: LayerCall, y: Array, first: bool) -> Array:
    """Adds the bias to a channels-last result, restores the data format, applies the activation.

    The activation comes last since softmax uses the last axis, whichever it is.
    """
    if "bias" in call.weights:
        y = y + call.weights["bias"]
    y = from_channels_last(y, first)
    return activation_of(call.config.get("activation"), call)(y)
