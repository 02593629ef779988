"""Differences between training steps of the artefact and of the legacy runtime in spite of the migrated optimizer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from transforms.architecture.graph import Layer, LayerPath
from transforms.legacy.model import LegacyModel
from transforms.records.runtime import Family

#: An option of a layer, by its path and name.
Option: TypeAlias = tuple[LayerPath, str]

_ACTING = ("_regularizer", "_constraint")


def differences(legacy: LegacyModel, kept: Collection[Option]) -> Iterator[str]:
    """One sentence for each layer that is trained differently; `kept` are the options that were migrated."""
    for layer in legacy.graph.walk():
        acting = [key for key, value in layer.config.items() if key.endswith(_ACTING) and _acts(value)]
        lost = sorted(key for key in acting if (layer.path, key) not in kept)
        if lost:
            yield f"{'/'.join(layer.path)} trains without its {', '.join(lost)}."
        if _corrects_variance(layer, legacy):
            yield (
                f"{'/'.join(layer.path)}: Keras before tf.keras averaged another estimate of the variance, by a factor "
                "of n / (n - 1) for n numbers."
            )


def _acts(value: Any) -> bool:
    """False for none, and for L1L2 with zero factors."""
    if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping):
        numbers = value["config"].values()
        return not numbers or any(numbers)
    return bool(value)


def _corrects_variance(layer: Layer, legacy: LegacyModel) -> bool:
    return layer.class_name == "BatchNormalization" and legacy.runtime.family is Family.KERAS
