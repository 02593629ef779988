"""BatchNormalization as releases of tf.keras stored it."""

from __future__ import annotations

from dataclasses import replace

from transforms.canonical.model import LayerRewrite, RewriteContext


def join_virtual_batches(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """BatchNormalization with virtual batches, which exist in training alone, without them.

    Its arrays have an axis of length 1 behind the first, and the stored `axis` counts it:
    (1, 1, 1, 1, c) with axis 4 on images becomes (c,) with axis 3.
    """
    del context
    layer = rewrite.layer
    mean = rewrite.own_arrays.get("moving_mean")
    stored = layer.config.get("axis")
    axes = [stored] if isinstance(stored, int) else list(stored or ())
    if layer.config.get("virtual_batch_size") is None or mean is None or len(mean.shape) <= max(axes, default=0):
        return rewrite
    shape = (mean.shape[axes[0]],) if len(axes) == 1 else (*mean.shape[:1], *mean.shape[2:])
    arrays = {
        role: array.mapped(lambda values: values.reshape(shape), shape) for role, array in rewrite.own_arrays.items()
    }
    config = {**layer.config, "axis": [axis - 1 for axis in axes], "virtual_batch_size": None}
    return rewrite.rewritten(
        replace(layer, config=config),
        "virtual_batches_joined",
        f"axis {stored} to {config['axis']}",
        arrays=rewrite.with_own_arrays(arrays),
    )


def unwrap_axis(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """BatchNormalization of tf.keras 1.x stores its axis as a list, `ListWrapper([3])`."""
    del context
    axis = rewrite.layer.config.get("axis")
    if rewrite.layer.class_name != "BatchNormalization" or not isinstance(axis, list) or len(axis) != 1:
        return rewrite
    config = {**rewrite.layer.config, "axis": axis[0]}
    return rewrite.rewritten(replace(rewrite.layer, config=config), "axis_unwrapped", f"{axis} to {axis[0]}")
