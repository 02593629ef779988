"""Windows over images and sequences: where they stand, and what lies in them."""

import numpy as np
import pytest

from transforms.reference.functions.windows import WINDOWS
from transforms.reference.layer_call import NotCovered

STEPS = np.arange(1.0, 6.0).reshape(1, 5, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("nn.max_pool1d", {"ksize": 2, "strides": 2, "padding": "VALID"}, [2, 4]),
        ("nn.max_pool1d", {"ksize": 2, "strides": 2, "padding": "SAME"}, [2, 4, 5]),
        ("nn.avg_pool1d", {"ksize": 3, "strides": 2, "padding": "SAME"}, [1.5, 3, 4.5]),  # the padding is not counted
        ("nn.avg_pool1d", {"ksize": [1, 3, 1], "strides": [1, 1, 1], "padding": "VALID"}, [2, 3, 4]),
    ],
)
def test_pooling(name: str, arguments: dict[str, object], expected: list[float]) -> None:
    np.testing.assert_allclose(WINDOWS[name](STEPS, **arguments).reshape(-1), expected)


def test_a_convolution_correlates() -> None:
    kernel = np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    found = WINDOWS["compat.v1.nn.convolution"](STEPS, kernel, padding="VALID")
    np.testing.assert_allclose(found.reshape(-1), [321, 432, 543])


def test_dilation_spreads_the_kernel() -> None:
    kernel = np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    found = WINDOWS["compat.v1.nn.convolution"](STEPS, kernel, padding="SAME", dilations=2)
    np.testing.assert_allclose(found.reshape(-1), [310, 420, 531, 42, 53])


def test_patches_hold_pixels_beside_each_other() -> None:
    image = np.arange(18.0).reshape(1, 3, 3, 2)
    found = WINDOWS["image.extract_patches"](
        image, sizes=[1, 2, 2, 1], strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding="VALID"
    )
    np.testing.assert_allclose(found[0, 0, 1], [2, 3, 4, 5, 8, 9, 10, 11])


def test_channels_first_is_not_covered() -> None:
    with pytest.raises(NotCovered, match="NCHW"):
        WINDOWS["nn.max_pool2d"](np.ones((1, 2, 4, 4)), ksize=2, strides=2, padding="VALID", data_format="NCHW")
