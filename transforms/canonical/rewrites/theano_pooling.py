"""Pooling with `same` as Theano places its windows.

Theano pads k - 2 on both sides of an odd window k > 2, else k - 1, and the result is cut to ceil(n / s) positions, so
that a window of 2 starts one position earlier than under TensorFlow. Padding is never the maximum, nor does it count
in a mean:

    mean = sum over a window of x / sum over it of [is no padding]

Source: `pool2d`, `pool3d` in keras/backend/theano_backend.py (1.2.2, 2.2.4), which pool with `average_exc_pad`.
"""

from __future__ import annotations

from transforms.architecture.graph import TensorRef
from transforms.canonical.model import Piece, Setting
from transforms.canonical.spatial_options import data_format, per_axis
from transforms.canonical.subgraph import SubgraphBuilder

_RANKS = {f"{kind}Pooling{rank}D": rank for kind in ("Max", "Average") for rank in (1, 2, 3)}


def theano_same_pooling(piece: Piece, setting: Setting) -> Piece:
    """Pads in front of a pooling layer and pools with `valid`, in channels_last."""
    layer = piece.layer
    rank = _RANKS.get(layer.class_name)
    if rank is None or setting.runtime.backend != "theano" or layer.config.get("padding") != "same":
        return piece
    window = per_axis(layer.config.get("pool_size") or 2, rank)
    strides = per_axis(layer.config.get("strides") or window, rank)
    before = [k - 2 if k > 2 and k % 2 == 1 else k - 1 for k in window]
    builder = SubgraphBuilder(layer)
    x = builder.inputs[0]
    first = data_format(layer) == "channels_first"
    if first:
        x = builder.add("Permute", "channels_last", {"dims": [*range(2, rank + 2), 1]}, x)
    average = layer.class_name.startswith("Average")
    config = {"pool_size": window, "strides": strides, "padding": "valid", "data_format": "channels_last"}

    def pooled(values: TensorRef, name: str) -> TensorRef:
        border = {"before": before, "window": window, "strides": strides, "lowest": not average}
        return builder.add(layer.class_name, name, config, builder.add_op("border", f"{name}_border", values, **border))

    y = pooled(x, "pooled")
    if average:
        share = pooled(builder.add_op("ones_like", "present", x), "share")
        y = builder.add_op("divide", "mean", y, share)
    if first:
        y = builder.add("Permute", "channels_first", {"dims": [rank + 1, *range(1, rank + 1)]}, y)
    return piece.became(builder.finish(y), "theano_same_pooling", f"padded by {before} in front")
