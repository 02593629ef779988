"""channels_first layers between transpositions, and activations that know one axis from another."""

from __future__ import annotations

import numpy as np
import pytest

from tests.transforms.canonical.layer_rewrites import context, inside, layer_rewrite, read
from transforms.canonical.rewrites.data_format import wrap_channels_first

LEAKY = {"class_name": "LeakyReLU", "config": {"alpha": 0.2}}
PRELU = {"class_name": "PReLU", "config": {"shared_axes": None}}
SOFTMAX = {"class_name": "Softmax", "config": {"axis": 1}}


@pytest.mark.parametrize("activation", ["relu", LEAKY])
def test_an_activation_of_single_numbers_stays(activation: object) -> None:
    config = {"data_format": "channels_first", "activation": activation}
    convolution = layer_rewrite("Conv2D", config, {"kernel": np.ones((3, 3, 2, 4))})
    found = inside(wrap_channels_first(convolution, context()))
    assert [name for name, _ in found] == ["Permute", "Conv2D", "Permute"]
    assert found[1][1]["activation"] == activation


@pytest.mark.parametrize("activation", ["softmax", SOFTMAX, PRELU])
def test_an_activation_that_knows_axes_follows_the_transposition(activation: object) -> None:
    alpha = np.arange(4 * 5 * 6.0).reshape(4, 5, 6)
    weights = {"kernel": np.ones((3, 3, 2, 4)), **({"alpha": alpha} if activation is PRELU else {})}
    config = {"data_format": "channels_first", "activation": activation}
    rewritten = wrap_channels_first(layer_rewrite("Conv2D", config, weights), context())
    found = inside(rewritten)
    assert [name for name, _ in found] == ["Permute", "Conv2D", "Permute", "Activation"]
    assert (found[1][1]["activation"], found[3][1]["activation"]) == ("linear", activation)
    assert list(read(rewritten, "layer_channels_last")) == ["kernel"]
    if activation is PRELU:
        np.testing.assert_array_equal(read(rewritten, "activation")["alpha"], alpha)
