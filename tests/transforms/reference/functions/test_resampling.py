"""Resizing by weights: what the equations give on one row of pixels."""

import numpy as np
import pytest

from transforms.reference.functions.resampling import resampled
from transforms.reference.layer_call import NotCovered

ROW = np.array([0.0, 1.0, 4.0, 9.0]).reshape(1, 1, 4, 1)
METHODS = ["area", "bicubic", "bilinear", "gaussian", "lanczos3", "lanczos5", "mitchellcubic"]


@pytest.mark.parametrize(
    ("method", "antialias", "wanted", "expected"),
    [
        ("area", False, 2, [0.5, 6.5]),
        ("area", False, 3, [0.25, 2.5, 7.75]),  # stretches of 4/3: (0 + 1/3) / (4/3), (2/3 + 8/3) / (4/3), …
        ("bilinear", True, 2, [1.0, 40.0 / 7.0]),  # a triangle of half-width 2: weights 3/4, 3/4, 1/4
        ("bicubic", False, 4, [0.0, 1.0, 4.0, 9.0]),
    ],
)
def test_weights_of_a_row(method: str, antialias: bool, wanted: int, expected: list[float]) -> None:
    found = resampled(ROW, (1, wanted), method, antialias)
    np.testing.assert_allclose(found.reshape(-1), expected, rtol=1e-6)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_an_even_image_stays_even(method: str, antialias: bool) -> None:
    found = resampled(np.full((2, 5, 4, 3), 0.7), (3, 9), method, antialias)
    np.testing.assert_allclose(found, np.full((2, 3, 9, 3), 0.7), rtol=1e-12)


def test_another_method_is_not_covered() -> None:
    with pytest.raises(NotCovered, match="nearest"):
        resampled(ROW, (1, 2), "nearest", True)
