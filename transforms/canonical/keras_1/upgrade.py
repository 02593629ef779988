"""One rewrite for every Keras 1 layer, driven by the tables beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from transforms.canonical.keras_1.arrays import upgraded_arrays
from transforms.canonical.keras_1.composites import highway, maxout_dense, merge, samplewise_normalization
from transforms.canonical.keras_1.curves import parametric_softplus, srelu
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.keras_1_options import CLASSES, SILENT_ON_FORMAT, upgraded_options
from transforms.records.runtime import Family

_COMPOSITES: Mapping[str, Callable[[LayerRewrite], LayerRewrite]] = {
    "Highway": highway,
    "MaxoutDense": maxout_dense,
    "Merge": merge,
}
_CURVES: Mapping[str, Callable[[LayerRewrite, RewriteContext], LayerRewrite]] = {
    "ParametricSoftplus": parametric_softplus,
    "SReLU": srelu,
}


def upgrade_keras_1(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """The layer with Keras 2 names, options and arrays; unchanged in files of other dialects, but for the classes that
    standalone Keras 2 still had.
    """
    layer = rewrite.layer
    if context.runtime.family is Family.KERAS and layer.class_name in _COMPOSITES:
        return _COMPOSITES[layer.class_name](rewrite)
    if not context.runtime.is_keras_1 or layer.graph is not None:
        return rewrite
    if layer.class_name in _CURVES:
        return _CURVES[layer.class_name](rewrite, context)
    if layer.class_name == "BatchNormalization" and layer.config.get("mode", 0) != 0:
        if layer.config["mode"] == 1:
            return samplewise_normalization(rewrite, context)
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            "BatchNormalization of mode 2 normalizes by the batch it is given, so that answers depend on the batch",
            layer=layer.path,
            advice="Retrain with mode 0, or fold the statistics of a reference batch into mode 0.",
        )
    warning = ""
    if layer.class_name in SILENT_ON_FORMAT and "dim_ordering" not in layer.config:
        warning = f"{'/'.join(layer.path)} stores no dim_ordering: {context.data_format} is assumed."
    target = CLASSES.get(layer.class_name, layer.class_name)
    config = upgraded_options(layer.class_name, layer.config, context.data_format)
    if layer.class_name == "PReLU":
        config["shared_axes"] = _shared_axes(rewrite)
    _refuse_full_elsewhere(rewrite, context)
    arrays = rewrite.arrays
    if rewrite.own_arrays:
        arrays = rewrite.with_own_arrays(upgraded_arrays(layer.class_name, layer.config, rewrite.own_arrays))
    upgraded = replace(layer, class_name=target, config=config)
    if layer.class_name == "InputLayer":
        return replace(rewrite, layer=upgraded)
    detail = f"{layer.class_name} to {target}" if target != layer.class_name else ""
    return rewrite.rewritten(upgraded, "keras_1_upgraded", detail, arrays=arrays, warning=warning)


def _shared_axes(rewrite: LayerRewrite) -> list[int] | None:
    """The axes of length 1 of `alphas`, which has no batch axis: `get_config` of 1.2.2 leaves out `shared_axes`.

    Sharing an axis of length 1 has no effect.
    """
    shape = rewrite.own_arrays["alphas"].shape
    return [axis for axis, size in enumerate(shape, start=1) if size == 1] or None


def _refuse_full_elsewhere(rewrite: LayerRewrite, context: RewriteContext) -> None:
    if rewrite.layer.config.get("border_mode") == "full" and context.runtime.backend != "theano":
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            "border_mode 'full' exists only in Theano, but the file is read as one of TensorFlow",
            layer=rewrite.layer.path,
            advice="State the backend 'theano' if the model ran there.",
        )
