"""What arrays reveal of the layers that owned them."""

import numpy as np
import pytest

from transforms.source.hdf5.objects import HDF5Array
from transforms.weights.layer_guess import revealed_layer


@pytest.mark.parametrize(
    ("shapes", "phrase"),
    [
        ({"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (32,)}, "CuDNNLSTM with 4 units"),
        ({"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}, "LSTM with 4 units"),
        ({"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (24,)}, "CuDNNGRU with 4 units"),
        ({"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (12,)}, "GRU with 4 units"),
        ({"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (2, 12)}, "GRU (reset_after) with 4 units"),
        ({"kernel": (3, 4), "recurrent_kernel": (4, 4), "bias": (4,)}, "SimpleRNN with 4 units"),
        ({"kernel": (3, 12), "recurrent_kernel": (4, 12)}, "a recurrent layer of 3 gates with 4 units and no bias"),
        ({"kernel": (7, 2), "bias": (2,)}, "Dense from 7 to 2 units"),
        ({"kernel": (3, 3, 2, 8), "bias": (8,)}, "Conv2D with 8 filters"),
        ({"embeddings": (100, 16)}, "Embedding of 100 ids in 16 numbers"),
        ({"gamma": (6,), "moving_mean": (6,), "moving_variance": (6,)}, "BatchNormalization over 6 channels"),
        ({"W_secret": (2, 3)}, "W_secret:0[2, 3]"),
    ],
)
def test_revealed_layer(shapes: dict[str, tuple[int, ...]], phrase: str) -> None:
    arrays = [HDF5Array(f"layer/{role}:0", shape, np.dtype("f4"), None) for role, shape in shapes.items()]
    assert revealed_layer(arrays) == phrase
