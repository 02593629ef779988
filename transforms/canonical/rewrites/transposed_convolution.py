"""Rewrites transposed convolutions whose output begins or ends at other positions than in tf-keras.

With n input positions, a window of k and a stride of s, the spread output has (n - 1) s + k positions; with an
`output_padding` of p < s, p zeros follow. The writing runtime's output is a run of these:

    y = spread[before : before + length]

so the layer is rebuilt with padding `valid`, the required p, and a cropping layer after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder, data_format, moved_arrays, per_axis

_RANKS = {"Conv2DTranspose": 2, "Conv3DTranspose": 3}


@dataclass(frozen=True)
class _Run:
    """The output positions along one axis: `length_less` is the output's length minus (n - 1) s."""

    window: int
    before: int
    length_less: int

    @property
    def output_padding(self) -> int:
        return max(self.before + self.length_less - self.window, 0)

    @property
    def after(self) -> int:
        return self.window + self.output_padding - self.before - self.length_less


def state_deconvolution_length(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Deconvolution2D of Keras 1 outputs the rows and columns of its stored `output_shape`.

    It is the gradient of a convolution that has them as its input, so that n = floor((length + pads - k) / s) + 1 and
    the output begins where that convolution's padding ended: TensorFlow pads as needed, Theano k // 2 on both sides.
    Under Theano an even window with `same` is then cut to ceil(n / s), since `_postprocess_conv2d_output` treats the
    layer as a convolution. Source: `Deconvolution2D` in keras/layers/convolutional.py, `deconv2d` in keras/backend/*.py
    (1.2.2).
    """
    layer = rewrite.layer
    stated = layer.config.get("output_shape")
    if not context.runtime.is_keras_1 or layer.class_name != "Conv2DTranspose" or not isinstance(stated, list):
        return rewrite
    lengths = stated[2:] if data_format(layer) == "channels_first" else stated[1:3]
    if len(stated) != 4 or not all(isinstance(length, int) for length in lengths):
        return rewrite
    theano = context.runtime.backend == "theano"
    same = layer.config.get("padding") == "same"
    window, strides = rewrite.own_arrays["kernel"].shape[:2], per_axis(layer.config.get("strides", 1), 2)
    runs = []
    as_today = not (theano and same)
    for length, k, s in zip(lengths, window, strides, strict=True):
        before, n = _undone(length, k, s, same, theano)
        as_today &= length == n * s + (0 if same else max(k - s, 0))
        cut = min(length, -(-n // s)) if theano and same and k % 2 == 0 else length
        runs.append(_Run(k, before, cut - (n - 1) * s))
    return rewrite if as_today else _run_of_spread(rewrite, "keras_1_deconvolution", f"{lengths} positions", runs)


def _undone(length: int, k: int, s: int, same: bool, theano: bool) -> tuple[int, int]:
    """The padding before `length` positions in the convolution that is undone, and the number of its outputs."""
    if not same:
        return 0, (length - k) // s + 1
    if theano:
        return k // 2, (length + 2 * (k // 2) - k) // s + 1
    n = -(-length // s)
    return max((n - 1) * s + k - length, 0) // 2, n


def transpose_convolution_as_theano(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Theano's `same` begins k // 2 positions into the spread output, TensorFlow's (k - s) // 2.

    The lengths are those of TensorFlow: n s, and with an `output_padding` of p (n - 1) s + k - 2 (k // 2) + p. Source:
    `conv2d_transpose` and `conv3d_transpose` in keras/backend/theano_backend.py (2.2.4), which refuse even windows.
    """
    layer = rewrite.layer
    rank = _RANKS.get(layer.class_name)
    if rank is None or context.runtime.backend != "theano" or layer.config.get("padding") != "same":
        return rewrite
    window, strides = rewrite.own_arrays["kernel"].shape[:rank], per_axis(layer.config.get("strides", 1), rank)
    stated = layer.config.get("output_padding")
    if stated is None and all(size == 1 for size in strides):
        return rewrite
    dilated = [
        1 + (k - 1) * rate for k, rate in zip(window, per_axis(layer.config.get("dilation_rate", 1), rank), strict=True)
    ]
    extra = [None] * rank if stated is None else per_axis(stated, rank)
    runs = [
        _Run(k, k // 2, s if more is None else k - 2 * (k // 2) + more)
        for k, s, more in zip(dilated, strides, extra, strict=True)
    ]
    return _run_of_spread(rewrite, "theano_transposed_same", f"begins at {[run.before for run in runs]}", runs)


def _run_of_spread(rewrite: LayerRewrite, rule: str, detail: str, runs: list[_Run]) -> LayerRewrite:
    layer = rewrite.layer
    builder = SubgraphBuilder(layer)
    name = f"{layer.name}_spread"
    config = {**layer.config, "padding": "valid", "output_padding": [run.output_padding for run in runs]}
    out = builder.place(replace(layer, config=config), name, *builder.inputs)
    cropping = [[run.before, run.after] for run in runs]
    if any(map(any, cropping)):
        options = {"cropping": cropping, "data_format": data_format(layer)}
        out = builder.add(f"Cropping{len(runs)}D", "output", options, out)
    arrays = moved_arrays(rewrite.arrays, layer.path, (*layer.path, name))
    return rewrite.rewritten(builder.finish(out), rule, detail, arrays=arrays)
