"""Dense layers, Embedding, PReLU and BatchNormalization of Keras 1; and the layers that Keras 2 left unchanged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layer_weights import product
from transforms.reference.layers.activations import activation_of, sigmoid
from transforms.reference.layers.core_layers import CORE_LAYERS, looked_up


def _affine(call: LayerCall, kernel: str, bias: str) -> Array:
    """The affine map x W + b: x (n, ..., d), W (d, u), b (u,), which is absent with `bias: false`."""
    y = product(call.x, call.weights, kernel)
    return y + call.weights[bias] if bias in call.weights else y


def _dense(call: LayerCall) -> Array:
    """act(x W + b). TimeDistributedDense is the same on every step (`core.py`)."""
    return activation_of(call.config.get("activation"), call)(_affine(call, "W", "b"))


def _highway(call: LayerCall) -> Array:
    """T act(x W + b) + (1 - t) x with the transform gate t = sigmoid(x W_carry + b_carry) (`Highway.call`)."""
    transformed = activation_of(call.config.get("activation"), call)(_affine(call, "W", "b"))
    gate = sigmoid(_affine(call, "W_carry", "b_carry"))
    return np.asarray(gate * transformed + (1.0 - gate) * call.x)


def _maxout_dense(call: LayerCall) -> Array:
    """The maximum of k affine maps: y[n, u] = max over k of sum over d of x[n, d] W[k, d, u] + b[k, u]."""
    pieces = np.einsum("nd,kdu->nku", call.x, call.weights["W"])
    if "b" in call.weights:
        pieces = pieces + call.weights["b"]
    return np.asarray(pieces.max(axis=1))


def _embedding(call: LayerCall) -> Array:
    """Rows of W (vocabulary, d); ids are cast to integers. `dropout` drops rows in training only."""
    return looked_up(call, "W")


def _prelu(call: LayerCall) -> Array:
    """max(x, 0) + alphas (x - |x|) / 2; alphas have no batch axis, and length 1 on shared axes, which are not
    stored.
    """
    return np.asarray(np.maximum(call.x, 0.0) + call.weights["alphas"] * (call.x - np.abs(call.x)) * 0.5)


def _parametric_softplus(call: LayerCall) -> Array:
    """The values alphas log(1 + exp(betas x)) (`ParametricSoftplus.call`)."""
    return np.asarray(call.weights["alphas"] * np.logaddexp(0.0, call.weights["betas"] * call.x))


def _srelu(call: LayerCall) -> Array:
    """Lines of slope a_left below t_left, 1 between, and a_right above t_left + |t_right| (`SReLU.call`)."""
    left, bend = call.weights["t_left"], np.abs(call.weights["t_right"])
    over = call.x - left
    middle = np.clip(over, 0.0, bend)
    lower = call.weights["a_left"] * np.minimum(over, 0.0)
    return np.asarray(left + middle + lower + call.weights["a_right"] * np.maximum(over - bend, 0.0))


def _batch_normalization(call: LayerCall) -> Array:
    """BatchNormalization by its `mode` (`normalization.py`).

    0: (x - running_mean) / sqrt(running_std + epsilon) * gamma + beta along `axis`. `running_std` is the variance.
    1: every vector along the last axis by its own statistics, with epsilon twice:
       (x - mean) / (sqrt(variance + epsilon) + epsilon) * gamma + beta, all on the last axis, whatever `axis` is.
    2: by the statistics of the batch, also at inference, so that a row's output depends on the other rows: not covered.
    """
    mode, epsilon = call.option("mode", 0), float(call.option("epsilon", 1e-3))
    if mode == 0:
        axis = call.option("axis", -1) % call.x.ndim
        shape = [size if index == axis else 1 for index, size in enumerate(call.x.shape)]
        mean, variance, gamma, beta = (
            call.weights[role].reshape(shape) for role in ("running_mean", "running_std", "gamma", "beta")
        )
        return np.asarray((call.x - mean) / np.sqrt(variance + epsilon) * gamma + beta)
    if mode == 1:
        x = np.asarray(call.x, dtype=np.float64)
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + epsilon)
        return np.asarray(centred / (deviation + epsilon) * call.weights["gamma"] + call.weights["beta"])
    raise NotCovered(f"BatchNormalization mode {mode}, which normalizes by the batch at hand", call.path)


#: Layers whose options and equations Keras 2 did not change, or that do nothing at inference.
_UNCHANGED = (
    "Activation",
    "ActivityRegularization",
    "Dropout",
    "ELU",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "LeakyReLU",
    "Masking",
    "Permute",
    "RepeatVector",
    "Reshape",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "ThresholdedReLU",
)

KERAS_1_CORE_LAYERS: Mapping[str, StatelessLayer] = {
    **{name: CORE_LAYERS[name] for name in _UNCHANGED},
    **dict.fromkeys(("Dense", "TimeDistributedDense"), _dense),
    "Highway": _highway,
    "MaxoutDense": _maxout_dense,
    "Embedding": _embedding,
    "PReLU": _prelu,
    "ParametricSoftplus": _parametric_softplus,
    "SReLU": _srelu,
    "BatchNormalization": _batch_normalization,
}
