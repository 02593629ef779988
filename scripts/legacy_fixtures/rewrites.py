"""Models that need one rewrite each, which no other fixture needs."""

from .catalogue import fixture
from .feeds import Feed, real


@fixture("keras-2.2.4", "lstm unroll", real(5, 3))
def unrolled_lstm(k):
    x = k.Input((5, 3))
    return k.Model(x, k.layers.LSTM(4, unroll=True)(x))


@fixture("keras-2.2.4", "softmax mask", Feed((7,), 11, "right"))
def softmax_under_mask(k):
    x = k.Input((7,))
    y = k.layers.Embedding(11, 4, mask_zero=True)(x)
    return k.Model(x, k.layers.LSTM(3)(k.layers.Softmax()(y)))


@fixture("keras-2.3.1", "relu negative_threshold", real(6))
def relu_negative_threshold(k):
    x = k.Input((6,))
    return k.Model(x, k.layers.ReLU(max_value=2.0, negative_slope=0.2, threshold=-0.5)(k.layers.Dense(4)(x)))


@fixture("keras-2.2.4", "prelu inputlayer_first golden_alone", real(5, 6, 2))
def prelu_unrecorded_input(k):
    entry, convolution = k.layers.InputLayer((5, 6, 2)), k.layers.Conv2D(3, 2)
    return k.Sequential([entry, convolution, k.layers.PReLU(), k.layers.Flatten()])


@fixture("keras-2.2.4", "minimum maximum nan golden_alone", real(6))
def minimum_of_nan(k):
    """Six exponentials of any number are infinity, and infinity less infinity is NaN: it stands in a later input."""
    x = k.Input((6,))
    infinite = x
    for _ in range(6):
        infinite = k.layers.Activation("exponential")(infinite)
    nan = k.layers.Subtract()([infinite, infinite])
    y = k.layers.Dense(6)(x)
    return k.Model(x, [k.layers.Minimum()([y, nan]), k.layers.Maximum()([y, nan])])


@fixture("tfkeras-2.3.4", "relu mask", Feed((7,), 11, "right"))
def relu_without_mask(k):
    x = k.Input((7,))
    y = k.layers.Embedding(11, 4, mask_zero=True)(x)
    return k.Model(x, k.layers.LSTM(3)(k.layers.ReLU()(y)))
