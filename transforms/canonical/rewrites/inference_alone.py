"""Layers that do something of their own in training only, as the layers that they are at inference."""

from __future__ import annotations

from dataclasses import replace

from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.subgraph import moved_arrays, moved_layer
from transforms.errors import MigrationError, Reason


def unwrap_spectral_normalization(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """The wrapped layer under the wrapper's name: its stored kernel is divided by its largest singular value already.

    Raises MigrationError `unsupported_layer` under masks, which the wrapper does not propagate as the layer does.
    """
    layer = rewrite.layer
    if layer.class_name != "SpectralNormalization":
        return rewrite
    inner = layer.slots["layer"]
    if context.masked:
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            "SpectralNormalization in a model with masks is not supported",
            layer=layer.path,
            advice="Rebuild the model with the wrapped layer in its place.",
        )
    moved = moved_layer(inner, layer.path)
    unwrapped = replace(moved, name=layer.name, config={**moved.config, "name": layer.name}, calls=layer.calls)
    arrays = moved_arrays(rewrite.arrays, inner.path, layer.path)
    return rewrite.rewritten(unwrapped, "spectral_normalization_unwrapped", f"as {inner.class_name}", arrays=arrays)


def resize_random_crop(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """RandomCrop as the Resizing to the middle of the image that it is at inference since TensorFlow 2.8.

    Raises MigrationError `unsupported_layer` for earlier releases, which resize first and crop then.
    """
    layer = rewrite.layer
    if layer.class_name != "RandomCrop":
        return rewrite
    if context.runtime.version < (2, 8):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            "RandomCrop of TensorFlow before 2.8 is not supported",
            layer=layer.path,
            advice="Rebuild the model with Resizing and CenterCrop in its place.",
        )
    size = {key: layer.config[key] for key in ("height", "width")}
    config = {"name": layer.name, **size, "interpolation": "bilinear", "crop_to_aspect_ratio": True}
    return rewrite.rewritten(
        replace(layer, class_name="Resizing", config=config), "augmentation_left_out", "RandomCrop as Resizing"
    )
