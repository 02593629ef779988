"""BatchNormalization with virtual batches loses the axis that only training needs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.transforms.canonical.layer_rewrites import context, layer_rewrite, read
from transforms.canonical.rewrites.batch_normalization import join_virtual_batches

ROLES = ("gamma", "beta", "moving_mean", "moving_variance")


@pytest.mark.parametrize(
    ("axis", "shape", "joined_axis", "joined_shape"),
    [
        ([4], (1, 1, 1, 1, 3), [3], (3,)),
        (2, (1, 1, 6), [1], (6,)),
        ([2], (1, 1, 4, 1, 1), [1], (4,)),
        ([2, 4], (1, 1, 4, 1, 3), [1, 3], (1, 4, 1, 3)),
    ],
)
def test_an_axis_less(
    axis: object, shape: tuple[int, ...], joined_axis: list[int], joined_shape: tuple[int, ...]
) -> None:
    config = {"axis": axis, "virtual_batch_size": 2}
    drawn = {role: np.random.default_rng(index).normal(size=shape) for index, role in enumerate(ROLES)}
    joined = join_virtual_batches(layer_rewrite("BatchNormalization", config, drawn), context())
    assert joined.layer.config["axis"] == joined_axis
    for role, values in read(joined).items():
        np.testing.assert_array_equal(values, drawn[role].reshape(joined_shape))
        assert joined.own_arrays[role].shape == joined_shape


@pytest.mark.parametrize("config", [{"axis": [3]}, {"axis": [3], "virtual_batch_size": None}])
def test_other_normalizations_are_left_alone(config: dict[str, object]) -> None:
    layer = layer_rewrite("BatchNormalization", config, {role: np.ones(3) for role in ROLES})
    assert join_virtual_batches(layer, context()) is layer
