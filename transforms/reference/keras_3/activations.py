"""The activations of Keras 3 that Keras 2 lacks, or has with another formula (keras/src/backend/tensorflow/nn.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from transforms.reference.layer_call import Array


def _hard_sigmoid(x: Array) -> Array:
    """Keras 3: relu6(x + 3) / 6. Keras 1 and 2 have clip(0.2 x + 0.5, 0, 1)."""
    return np.asarray(np.clip(x + 3.0, 0.0, 6.0) / 6.0)


def _hard_silu(x: Array) -> Array:
    """Hard SiLU, or hard swish: x * hard_sigmoid(x)."""
    return np.asarray(x * _hard_sigmoid(x))


def _celu(x: Array) -> Array:
    """CELU with alpha 1: max(x, 0) + min(exp(x) - 1, 0)."""
    return np.asarray(np.maximum(x, 0.0) + np.expm1(np.minimum(x, 0.0)))


def _log_sigmoid(x: Array) -> Array:
    """The logarithm of the logistic function, -log(1 + exp(-x))."""
    return np.asarray(-np.logaddexp(0.0, -x))


def _squareplus(x: Array) -> Array:
    """Squareplus with b 4: (x + sqrt(x^2 + 4)) / 2."""
    return np.asarray((x + np.sqrt(x * x + 4.0)) / 2.0)


KERAS_3_FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _hard_silu,
    "hard_swish": _hard_silu,
    "hard_tanh": lambda x: np.asarray(np.clip(x, -1.0, 1.0)),
    "celu": _celu,
    "log_sigmoid": _log_sigmoid,
    "squareplus": _squareplus,
    "tanh_shrink": lambda x: np.asarray(x - np.tanh(x)),
}
