"""A small built-in model in the layout of Keras 2.2.4, with outputs calculated by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

#: y = relu(x W + b), for x of shape (2, 2), W (2, 3) and b (3,).
_KERNEL = np.array([[1.0, -2.0, 0.5], [0.25, 1.0, -1.0]], "float32")
_BIAS = np.array([0.5, 0.0, 1.0], "float32")
_INPUTS = np.array([[1.0, 2.0], [-1.0, 0.5]], "float32")
_OUTPUTS = np.array([[2.0, 0.0, 0.0], [0.0, 2.5, 0.0]], "float32")


def write_own_model(folder: Path) -> tuple[Path, Path]:
    """Writes the model and its samples. Returns their paths. Raises OSError if the folder cannot be written."""
    import h5py

    model, samples = folder / "own.h5", folder / "own.npz"
    dense = {"name": "dense", "units": 3, "activation": "relu", "use_bias": True, "batch_input_shape": [None, 2]}
    config = {"name": "own", "layers": [{"class_name": "Dense", "config": dense | {"dtype": "float32"}}]}
    with h5py.File(model, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.2.4", b"tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["keras_version"], weights.attrs["backend"] = b"2.2.4", b"tensorflow"
        weights.attrs["layer_names"] = [b"dense"]
        layer = weights.create_group("dense")
        layer.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        layer["dense/kernel:0"], layer["dense/bias:0"] = _KERNEL, _BIAS
    np.savez(samples, x0=_INPUTS, y0=_OUTPUTS)
    return model, samples
