"""Models that compute in 16 bits, wholly or between float32 weights, and those whose layers differ."""

from .catalogue import fixture
from .feeds import real


def _policy(k, name):
    mixed = k.keras.mixed_precision
    return mixed.Policy(name) if hasattr(mixed, "Policy") else mixed.experimental.Policy(name)


def _network(k, policy, last):
    x = k.Input((9, 8, 3))
    y = k.Conv2D(6, 3, activation="relu", dtype=policy)(x)
    y = k.BatchNormalization(dtype=policy)(y)
    y = k.MaxPooling2D(2, dtype=policy)(y)
    y = k.Flatten(dtype=policy)(y)
    y = k.Dense(12, activation="tanh", dtype=policy)(y)
    return k.Model(x, k.Dense(4, activation="softmax", dtype=last)(y))


@fixture("tfkeras-2.8.4", "mixed_float16 conv2d batchnorm dense", real(9, 8, 3))
def mixed_images(k):
    return _network(k, _policy(k, "mixed_float16"), "float32")


@fixture("tfkeras-2.15.1", "mixed_bfloat16 conv2d batchnorm dense", real(9, 8, 3))
def mixed_bfloat16(k):
    return _network(k, _policy(k, "mixed_bfloat16"), "float32")


@fixture("tfkeras-2.15.1", "mixed_float16 lstm gru dense", real(None, 4))
def mixed_steps(k):
    policy = _policy(k, "mixed_float16")
    x = k.Input((None, 4))
    y = k.Bidirectional(k.LSTM(5, return_sequences=True, dtype=policy), dtype=policy)(x)
    y = k.GRU(4, dtype=policy)(y)
    return k.Model(x, k.Dense(3, dtype=policy)(y))


@fixture("tfkeras-2.3.4 tfkeras-2.15.1", "float16 dense", real(6))
def half(k):
    x = k.Input((6,), dtype="float16")
    y = k.Dense(5, activation="relu", dtype="float16")(x)
    return k.Model(x, k.Dense(3, dtype="float16")(y))


@fixture("tfkeras-2.3.4 tfkeras-2.15.1", "float64 lstm conv1d dense", real(7, 4))
def double(k):
    x = k.Input((7, 4), dtype="float64")
    y = k.LSTM(5, return_sequences=True, dtype="float64")(x)
    y = k.Conv1D(4, 3, dtype="float64")(y)
    return k.Model(x, k.Dense(2, dtype="float64")(k.Flatten(dtype="float64")(y)))

def _cancelling(k, model):
    """A second layer whose outputs stand close together far from zero, and a normalization that spreads them."""
    _, dense, norm, _ = model.layers[-4:]
    kernel, bias = dense.get_weights()
    dense.set_weights([kernel * 1e-3, bias * 0 + 8])
    gamma, beta, mean, variance = norm.get_weights()
    norm.set_weights([gamma, beta, mean * 1e-3 + 8, variance * 1e-7])


@fixture("keras-2.3.1 tfkeras-2.15.1", "amplifies rounding batchnorm dense", real(6), prepare=_cancelling)
def amplified_rounding(k):
    x = k.Input((6,))
    y = k.Dense(16, activation="tanh")(x)
    y = k.Dense(8)(y)
    return k.Model(x, k.Dense(3)(k.BatchNormalization(epsilon=1e-7)(y)))
