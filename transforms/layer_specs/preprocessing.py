"""Preprocessing of images and numbers, and augmentation, which only affects training."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec, same_shape
from transforms.records.inspection import Shape


def _resized(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    x = inputs[0]
    return [(*x[:-3], options["height"], options["width"], x[-1])]


#: Layers that change images, and possibly their extents, only in training.
AUGMENTATION = frozenset(
    """
    RandomFlip RandomTranslation RandomRotation RandomZoom RandomHeight RandomWidth RandomContrast RandomBrightness
    """.split()
)
_CHANGES_EXTENTS = frozenset({"RandomHeight", "RandomWidth"})

SPECS = (
    LayerSpec("Rescaling", options={"scale": REQUIRED, "offset": 0.0}, shape=same_shape, propagates_mask=True),
    LayerSpec(
        "Resizing",
        options={"height": REQUIRED, "width": REQUIRED, "interpolation": "bilinear", "crop_to_aspect_ratio": False},
        shape=_resized,
    ),
    LayerSpec("RandomCrop", options=None, shape=_resized),
    LayerSpec("CenterCrop", options={"height": REQUIRED, "width": REQUIRED}, shape=_resized),
    *(
        LayerSpec(name, options=None, shape=None if name in _CHANGES_EXTENTS else same_shape)
        for name in sorted(AUGMENTATION)
    ),
)
