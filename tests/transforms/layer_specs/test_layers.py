"""Layers that no fixture holds alone, each checked in all its aspects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.transforms.layer_checks import check_layer
from transforms.records.outcome import Evidence


def drawn(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    ("class_name", "options", "input_shape", "weights", "output_shape"),
    [
        (
            "GroupNormalization",
            {"groups": 2, "axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
            (5, 4),
            {"gamma": drawn(4), "beta": drawn(4)},
            (None, 5, 4),
        ),
        ("UnitNormalization", {"axis": [-1]}, (4,), {}, (None, 4)),
        ("ThresholdedReLU", {"theta": 0.5}, (4,), {}, (None, 4)),
        ("Rescaling", {"scale": 0.5, "offset": -1.0}, (4,), {}, (None, 4)),
        (
            "DepthwiseConv1D",
            {"kernel_size": [3], "strides": [1], "padding": "same", "depth_multiplier": 2, "use_bias": True},
            (6, 3),
            {"depthwise_kernel": drawn(3, 3, 2), "bias": drawn(6)},
            (None, 6, 6),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layer(
    tmp_path: Path,
    class_name: str,
    options: dict[str, Any],
    input_shape: tuple[int, ...],
    weights: dict[str, npt.NDArray[np.float32]],
    output_shape: tuple[int | None, ...],
) -> None:
    check_layer(
        tmp_path,
        class_name,
        options,
        input_shape=input_shape,
        weights=weights,
        output_shape=output_shape,
        evidence=Evidence.REFERENCE,
        keras_version="2.12.0",
    )
