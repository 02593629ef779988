"""Colours of single pixels."""

import colorsys

import numpy as np
import pytest

from transforms.reference.functions.colours import COLOURS
from transforms.reference.layer_call import NotCovered

PIXELS = np.array([[0.2, 0.5, 0.9], [0.8, 0.1, 0.3], [0.1, 0.7, 0.4]]).reshape(1, 1, 3, 3)


def test_hue_saturation_and_value() -> None:
    expected = [colorsys.rgb_to_hsv(*pixel) for pixel in PIXELS.reshape(-1, 3)]
    np.testing.assert_allclose(COLOURS["image.rgb_to_hsv"](PIXELS).reshape(-1, 3), expected)
    np.testing.assert_allclose(COLOURS["image.hsv_to_rgb"](COLOURS["image.rgb_to_hsv"](PIXELS)), PIXELS)


@pytest.mark.parametrize("space", ["yuv", "yiq"])
def test_a_space_and_back(space: str) -> None:
    there = COLOURS[f"image.rgb_to_{space}"](PIXELS)
    np.testing.assert_allclose(COLOURS[f"image.{space}_to_rgb"](there), PIXELS, atol=1e-4)


def test_each_image_is_standardized_by_itself() -> None:
    found = COLOURS["image.per_image_standardization"](np.concatenate([10 * PIXELS, 50 * PIXELS + 1]))
    np.testing.assert_allclose(found[0], found[1])
    np.testing.assert_allclose([found[0].mean(), found[0].std()], [0, 1], atol=1e-12)


def test_an_even_image_is_not_divided_by_nothing() -> None:
    np.testing.assert_array_equal(COLOURS["image.per_image_standardization"](np.ones((1, 2, 2, 3))), 0)


def test_integers_are_not_covered() -> None:
    with pytest.raises(NotCovered, match="integers"):
        COLOURS["image.adjust_contrast"](np.ones((1, 2, 2, 3), int), 0.5)
