"""Arguments that tell each listed operation from the others, and each argument from its default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from transforms.architecture.function_signatures import FUNCTIONS
from transforms.lambda_functions.listed_functions import LISTED

Case = dict[str, Any]

_RNG = np.random.default_rng(17)
X = np.array([[0.3, -1.2, 0.8], [2.1, -0.4, 0.15]])
Y = np.array([[-0.7, 0.45, 1.3], [0.6, -2.2, 0.9]])
SHARE = np.array([[0.1, 0.62, 0.28], [0.45, 0.2, 0.35]])
OTHER_SHARE = np.array([[0.5, 0.2, 0.3], [0.15, 0.7, 0.15]])
ONE_ROW = np.array([[0.5, -2.0, 1.5]])
CUBE = _RNG.normal(size=(2, 3, 4))
CUBE_2 = _RNG.normal(size=(2, 4, 3))
SQUARE = _RNG.normal(size=(2, 3, 3))
SEQUENCE = _RNG.normal(size=(2, 6, 2))
IMAGE = _RNG.uniform(0.05, 0.95, size=(2, 4, 6, 3))
DEEP = _RNG.normal(size=(1, 3, 2, 4))
VOLUME = _RNG.normal(size=(1, 2, 3, 2, 2))
WHOLE = np.array([[2, 0, 1], [1, 2, 2]])
TRUTH = np.array([[True, False, True], [False, False, True]])
OTHER_TRUTH = np.array([[True, True, False], [False, True, True]])
WAVE = _RNG.normal(size=(2, 16))

_ONE = [{"x": X}, {"x": SHARE}, {"x": X * 4}]
_TWO = [{"x": X, "y": Y}, {"x": SHARE, "y": 2.5}, {"x": WHOLE, "y": 1}]
_OPS_TWO = [{"x1": X, "x2": Y}, {"x1": SHARE, "x2": 2.5}, {"x1": WHOLE, "x2": 1}, {"x1": X, "x2": WHOLE * 1.0}]
_REDUCED = [{"x": CUBE}, {"x": CUBE, "axis": 1}, {"x": CUBE, "axis": [0, -1], "keepdims": True}]
_PLACE = [{"x": CUBE}, {"x": CUBE, "axis": 1}]
_SHAPED = [{"shape": [2, 3]}, {"shape": [2], "dtype": "int32"}]
_POOL = [
    {"input": IMAGE, "ksize": 2, "strides": [1, 2, 1, 1], "padding": "VALID"},
    {"input": IMAGE, "ksize": [1, 2, 3, 1], "strides": 2, "padding": "SAME"},
]
_OPS_POOL = [
    {"inputs": IMAGE, "pool_size": 2},
    {"inputs": IMAGE, "pool_size": [2, 3], "strides": 1, "padding": "same"},
    {"inputs": SEQUENCE, "pool_size": 3, "strides": 2},
]
_POOL_1D = [
    {"input": SEQUENCE, "ksize": 2, "strides": 1, "padding": "VALID"},
    {"input": SEQUENCE, "ksize": 3, "strides": 2, "padding": "SAME"},
]

#: Cases by name, or by parameters where the name has none.
_CASES: dict[str, list[Case]] = {
    # by parameters
    "x": _ONE,
    "x y": _TWO,
    "x1 x2": _OPS_TWO,
    "x axis keepdims": _REDUCED,
    "x axis": _PLACE,
    "x alpha": [{"x": X}, {"x": X, "alpha": 0.4}],
    "x negative_slope": [{"x": X}, {"x": X, "negative_slope": 0.4}],
    "x approximate": [{"x": X}, {"x": X, "approximate": False}, {"x": X, "approximate": True}],
    "x dtype": [{"x": X, "dtype": "int32"}, {"x": WHOLE, "dtype": "float32"}],
    "shape dtype": _SHAPED,
    "x k": [{"x": SQUARE}, {"x": SQUARE, "k": 1}],
    "x alpha max_value threshold": [
        {"x": X},
        {"x": X, "alpha": 0.1, "max_value": 0.7, "threshold": 0.2},
        {"x": X, "max_value": 0.5},
    ],
    "image": [{"image": IMAGE}],
    "images": [{"images": IMAGE}],
    "window_length periodic dtype": [
        {"window_length": 8},
        {"window_length": 8, "periodic": False},
        {"window_length": 5},
    ],
    # Python's operators
    "operator.matmul": [{"x": CUBE, "y": CUBE_2}],
    **{f"operator.{name}": [{"x": TRUTH, "y": OTHER_TRUTH}, {"x": WHOLE, "y": 3}] for name in ("and_", "or_", "xor")},
    "operator.div": [{"x": X, "y": Y}, {"x": WHOLE + 5, "y": 2}],
    "operator.floordiv": [*_TWO, {"x": WHOLE - 7, "y": 2}],
    "operator.mod": [*_TWO, {"x": WHOLE - 7, "y": 2}],
    "operator.pow": [{"x": SHARE, "y": Y}, {"x": X, "y": 3.0}],
    "operator.invert": [{"x": TRUTH}, {"x": WHOLE}],
    # keras.backend
    "keras.backend.all": [{"x": X}, {"x": TRUTH}, {"x": TRUTH, "axis": 0}, {"x": TRUTH, "axis": 1, "keepdims": True}],
    "keras.backend.any": [{"x": X}, {"x": TRUTH}, {"x": TRUTH, "axis": 0}, {"x": TRUTH, "axis": 1, "keepdims": True}],
    "keras.backend.arange": [{"start": 4}, {"start": 1, "stop": 9, "step": 3}, {"start": 3, "dtype": "float32"}],
    "keras.backend.asymmetric_temporal_padding": [{"x": SEQUENCE}, {"x": SEQUENCE, "left_pad": 2, "right_pad": 0}],
    "keras.backend.asymmetric_spatial_2d_padding": [
        {"x": IMAGE},
        {"x": IMAGE, "top_pad": 2, "bottom_pad": 0, "left_pad": 3, "right_pad": 4},
        {"x": IMAGE, "top_pad": 2, "data_format": "channels_first"},
    ],
    "keras.backend.batch_dot": [
        {"x": CUBE, "y": CUBE_2},
        {"x": CUBE, "y": CUBE, "axes": [2, 2]},
        {"x": X, "y": Y, "axes": 1},
    ],
    "keras.backend.batch_normalization": [
        {"x": IMAGE, "mean": X[0], "var": SHARE[0]},
        {"x": IMAGE, "mean": X[0], "var": SHARE[0], "beta": Y[0], "gamma": X[1], "axis": 3, "epsilon": 0.1},
    ],
    "keras.backend.bias_add": [{"x": X, "bias": Y[0]}, {"x": CUBE, "bias": Y[0], "data_format": "channels_first"}],
    "keras.backend.binary_crossentropy": [
        {"target": SHARE, "output": OTHER_SHARE},
        {"target": SHARE, "output": X, "from_logits": True},
    ],
    "keras.backend.categorical_crossentropy": [
        {"target": SHARE, "output": OTHER_SHARE},
        {"target": SHARE, "output": X, "from_logits": True},
        {"target": SHARE, "output": OTHER_SHARE, "axis": 0},
    ],
    "keras.backend.sparse_categorical_crossentropy": [
        {"target": np.array([2, 0]), "output": SHARE},
        {"target": np.array([2, 0]), "output": X, "from_logits": True},
    ],
    "keras.backend.clip": [{"x": X, "min_value": -0.5, "max_value": 0.5}, {"x": X, "min_value": 0.4, "max_value": 0.1}],
    "keras.backend.concatenate": [{"tensors": [X, Y]}, {"tensors": [X, Y], "axis": 0}],
    "keras.backend.constant": [
        {"value": [1.5, 2.0]},
        {"value": 2, "shape": [2, 2]},
        {"value": [1, 2], "dtype": "int32"},
    ],
    "keras.backend.conv1d": [
        {"x": SEQUENCE, "kernel": CUBE[:, :2, :]},
        {"x": SEQUENCE, "kernel": CUBE[:, :2, :], "strides": 2, "padding": "same"},
        {"x": SEQUENCE, "kernel": CUBE[:, :2, :], "padding": "causal", "dilation_rate": 2},
        {"x": np.moveaxis(SEQUENCE, 1, 2), "kernel": CUBE[:, :2, :], "data_format": "channels_first"},
    ],
    "keras.backend.conv2d": [
        {"x": IMAGE, "kernel": _RNG.normal(size=(2, 3, 3, 2))},
        {"x": IMAGE, "kernel": _RNG.normal(size=(2, 3, 3, 2)), "strides": [1, 2], "padding": "same"},
        {"x": IMAGE, "kernel": _RNG.normal(size=(2, 2, 3, 2)), "dilation_rate": [1, 2]},
        {"x": np.moveaxis(IMAGE, 3, 1), "kernel": _RNG.normal(size=(2, 2, 3, 2)), "data_format": "channels_first"},
    ],
    "keras.backend.cumsum": [{"x": CUBE}, {"x": CUBE, "axis": 2}],
    "keras.backend.cumprod": [{"x": CUBE}, {"x": CUBE, "axis": 2}],
    "keras.backend.depthwise_conv2d": [
        {"x": IMAGE, "depthwise_kernel": _RNG.normal(size=(2, 2, 3, 2))},
        {"x": IMAGE, "depthwise_kernel": _RNG.normal(size=(3, 3, 3, 1)), "strides": [2, 2], "padding": "same"},
        {"x": IMAGE, "depthwise_kernel": _RNG.normal(size=(2, 2, 3, 1)), "dilation_rate": [2, 2]},
        {"x": np.moveaxis(IMAGE, 3, 1), "depthwise_kernel": SQUARE[:, :2, :, None], "data_format": "channels_first"},
    ],
    "keras.backend.dot": [{"x": X, "y": SQUARE[0]}, {"x": CUBE_2, "y": CUBE}, {"x": X, "y": Y[0]}],
    "keras.backend.expand_dims": [{"x": X}, {"x": X, "axis": 1}],
    "keras.backend.eye": [{"size": 3}, {"size": 2, "dtype": "int32"}],
    "keras.backend.gather": [{"reference": CUBE, "indices": [1, 0, 1]}, {"reference": X, "indices": WHOLE % 2}],
    "keras.backend.l2_normalize": [{"x": CUBE}, {"x": CUBE, "axis": 1}],
    "keras.backend.one_hot": [{"indices": WHOLE, "num_classes": 4}],
    "keras.backend.ones_like": [{"x": X}, {"x": X, "dtype": "int32"}],
    "keras.backend.zeros_like": [{"x": X}, {"x": X, "dtype": "int32"}],
    "keras.backend.permute_dimensions": [{"x": CUBE, "pattern": [0, 2, 1]}],
    "keras.backend.pool2d": [
        {"x": IMAGE, "pool_size": [2, 3]},
        {"x": IMAGE, "pool_size": [2, 2], "strides": [2, 1], "padding": "same", "pool_mode": "avg"},
        {"x": np.moveaxis(IMAGE, 3, 1), "pool_size": [2, 2], "data_format": "channels_first"},
    ],
    "keras.backend.pow": [{"x": X, "a": 3.0}, {"x": SHARE, "a": Y}],
    "keras.backend.repeat": [{"x": X, "n": 4}],
    "keras.backend.repeat_elements": [{"x": CUBE, "rep": 2, "axis": 1}],
    "keras.backend.reshape": [{"x": CUBE, "shape": [2, -1]}],
    "keras.backend.resize_images": [
        {"x": IMAGE, "height_factor": 2, "width_factor": 3},
        {"x": IMAGE, "height_factor": 2, "width_factor": 3, "interpolation": "bilinear"},
        {"x": IMAGE, "height_factor": 2, "width_factor": 1, "data_format": "channels_first"},
    ],
    "keras.backend.reverse": [{"x": CUBE, "axes": 1}, {"x": CUBE, "axes": [0, 2]}],
    "keras.backend.round": [{"x": X * 3}],
    "keras.backend.slice": [{"x": CUBE, "start": [0, 1, 2], "size": [2, -1, 1]}],
    "keras.backend.softmax": [{"x": CUBE}, {"x": CUBE, "axis": 1}],
    "keras.backend.spatial_2d_padding": [
        {"x": IMAGE},
        {"x": IMAGE, "padding": [[1, 2], [0, 3]]},
        {"x": IMAGE, "padding": [2, 1], "data_format": "channels_first"},
    ],
    "keras.backend.spatial_3d_padding": [
        {"x": VOLUME},
        {"x": VOLUME, "padding": [[1, 2], [0, 3], [1, 1]]},
        {"x": VOLUME, "padding": [2, 1, 0], "data_format": "channels_first"},
    ],
    "keras.backend.sqrt": [{"x": X}, {"x": SHARE}],
    "keras.backend.squeeze": [{"x": CUBE[:, :1], "axis": 1}],
    "keras.backend.stack": [{"x": [X, Y]}, {"x": [X, Y], "axis": 1}],
    "keras.backend.stop_gradient": [{"variables": X}],
    "keras.backend.switch": [
        {"condition": TRUTH, "then_expression": X, "else_expression": Y},
        {"condition": TRUTH[0, :2], "then_expression": X, "else_expression": 0.5},
    ],
    "keras.backend.temporal_padding": [{"x": SEQUENCE}, {"x": SEQUENCE, "padding": [2, 0]}],
    "keras.backend.tile": [{"x": X, "n": [2, 3]}],
    # keras.ops
    **dict.fromkeys(("keras.ops.arctan2", "keras.ops.logaddexp"), _OPS_TWO[:2]),
    "keras.ops.all": [{"x": X}, {"x": TRUTH}, {"x": TRUTH, "axis": 0}, {"x": TRUTH, "axis": 1, "keepdims": True}],
    "keras.ops.any": [{"x": X}, {"x": TRUTH}, {"x": TRUTH, "axis": 0}, {"x": TRUTH, "axis": 1, "keepdims": True}],
    "keras.ops.arange": [{"start": 4}, {"start": 1, "stop": 9, "step": 3}, {"start": 3, "dtype": "float32"}],
    **{f"keras.ops.{name}": [{"x": SHARE}] for name in ("arccos", "arcsin")},
    **{f"keras.ops.{name}": [{"x": CUBE}, {"x": CUBE, "axis": 1, "keepdims": True}] for name in ("argmax", "argmin")},
    "keras.ops.argsort": [{"x": X}, {"x": X, "axis": 0}],
    "keras.ops.array": [{"x": [1.5, 2.0]}, {"x": [1, 2], "dtype": "float32"}],
    **dict.fromkeys(("keras.ops.average_pool", "keras.ops.max_pool"), _OPS_POOL),
    "keras.ops.batch_normalization": [
        {"x": X, "mean": Y[0], "variance": SHARE[0], "axis": -1},
        {"x": X, "mean": Y[0], "variance": SHARE[0], "axis": 1, "offset": X[1], "scale": Y[1], "epsilon": 0.1},
    ],
    "keras.ops.binary_crossentropy": [
        {"target": SHARE, "output": OTHER_SHARE},
        {"target": SHARE, "output": X, "from_logits": True},
    ],
    "keras.ops.conv": [
        {"inputs": IMAGE, "kernel": _RNG.normal(size=(2, 3, 3, 2))},
        {"inputs": IMAGE, "kernel": _RNG.normal(size=(2, 3, 3, 2)), "strides": 2, "padding": "same"},
        {"inputs": SEQUENCE, "kernel": CUBE[:, :2], "dilation_rate": 2},
    ],
    "keras.ops.count_nonzero": [{"x": WHOLE}, {"x": WHOLE, "axis": 1}],
    "keras.ops.depthwise_conv": [
        {"inputs": IMAGE, "kernel": _RNG.normal(size=(2, 2, 3, 2))},
        {"inputs": IMAGE, "kernel": _RNG.normal(size=(3, 3, 3, 1)), "strides": 2, "padding": "same"},
        {"inputs": IMAGE, "kernel": SQUARE[..., None], "dilation_rate": [1, 2]},
    ],
    "keras.ops.eye": [{"N": 3}, {"N": 2, "M": 4, "k": 1, "dtype": "int32"}],
    "keras.ops.glu": [{"x": CUBE}, {"x": CUBE, "axis": 0}],
    "keras.ops.hstack": [{"xs": [X, Y]}, {"xs": [X[0], Y[0]]}],
    "keras.ops.vstack": [{"xs": [X, Y]}, {"xs": [X[0], Y[0]]}],
    "keras.ops.image.resize": [
        {"images": IMAGE, "size": [7, 9]},
        {"images": IMAGE, "size": [7, 9], "interpolation": "nearest"},
    ],
    "keras.ops.image.rgb_to_grayscale": [{"images": IMAGE}],
    "keras.ops.linspace": [
        {"start": -1.0, "stop": 2.0, "num": 4},
        {"start": 0.0, "stop": 2.0, "num": 4, "endpoint": False},
    ],
    "keras.ops.median": [{"x": X, "axis": 1}, {"x": CUBE, "axis": 2, "keepdims": True}],
    "keras.ops.meshgrid": [{"args": [X[0], Y[0, :2]]}, {"args": [X[0], Y[0, :2]], "indexing": "ij"}],
    "keras.ops.moments": [{"x": CUBE, "axes": [1]}, {"x": CUBE, "axes": [0, 2], "keepdims": True}],
    "keras.ops.nan_to_num": [
        {"x": np.array([1.0, np.nan, np.inf, -np.inf])},
        {"x": np.array([1.0, np.nan, np.inf, -np.inf]), "nan": 2.0, "posinf": 3.0, "neginf": -3.0},
    ],
    "keras.ops.outer": [{"x1": X, "x2": Y[0]}],
    "keras.ops.sort": [{"x": X}, {"x": X, "axis": 0}],
    "keras.ops.squareplus": [{"x": X}, {"x": X, "b": 1}],
    "keras.ops.average": [{"x": X}, {"x": X, "axis": 1}, {"x": X, "axis": 1, "weights": SHARE}],
    "keras.ops.broadcast_to": [{"x": ONE_ROW, "shape": [2, 3]}],
    "keras.ops.clip": [{"x": X, "x_min": -0.5, "x_max": 0.5}],
    "keras.ops.concatenate": [{"xs": [X, Y]}, {"xs": [X, Y], "axis": 1}],
    "keras.ops.convert_to_tensor": [{"x": [1.5, 2.0]}, {"x": [1, 2], "dtype": "float32"}],
    "keras.ops.cumprod": [{"x": X}, {"x": X, "axis": 1}],
    "keras.ops.cumsum": [{"x": X}, {"x": X, "axis": 1}],
    "keras.ops.diagonal": [{"x": SQUARE}, {"x": SQUARE, "offset": 1, "axis1": 1, "axis2": 2}],
    "keras.ops.dot": [{"x1": CUBE_2, "x2": CUBE}, {"x1": X, "x2": SQUARE[0]}],
    "keras.ops.einsum": [{"subscripts": "bij,bjk->bik", "operands": [CUBE, CUBE_2]}],
    "keras.ops.expand_dims": [{"x": X, "axis": 1}, {"x": X, "axis": [0, 2]}],
    "keras.ops.flip": [{"x": CUBE}, {"x": CUBE, "axis": 1}],
    "keras.ops.full": [{"shape": [2, 2], "fill_value": 2.5}, {"shape": [2], "fill_value": 3, "dtype": "int32"}],
    "keras.ops.full_like": [{"x": X, "fill_value": 2.5}, {"x": X, "fill_value": 3, "dtype": "int32"}],
    "keras.ops.identity": [{"n": 3}, {"n": 2, "dtype": "int32"}],
    "keras.ops.isfinite": [{"x": np.array([1.0, np.inf, np.nan])}],
    "keras.ops.isinf": [{"x": np.array([1.0, np.inf, np.nan])}],
    "keras.ops.isnan": [{"x": np.array([1.0, np.inf, np.nan])}],
    **{
        f"keras.ops.{name}": [{"x1": TRUTH, "x2": OTHER_TRUTH}, {"x1": X, "x2": WHOLE * 1.0}]
        for name in ("logical_and", "logical_or")
    },
    "keras.ops.logical_not": [{"x": TRUTH}],
    "keras.ops.matmul": [{"x1": CUBE, "x2": CUBE_2}],
    "keras.ops.moveaxis": [
        {"x": IMAGE, "source": -1, "destination": 1},
        {"x": IMAGE, "source": [0, 1], "destination": [2, 0]},
    ],
    "keras.ops.norm": [{"x": X}, {"x": X, "axis": 1}, {"x": X, "ord": 1, "axis": 1, "keepdims": True}],
    "keras.ops.normalize": [{"x": X}, {"x": X, "axis": 0}],
    "keras.ops.one_hot": [{"x": WHOLE, "num_classes": 4}, {"x": WHOLE, "num_classes": 4, "axis": 1, "dtype": "int32"}],
    "keras.ops.pad": [
        {"x": X, "pad_width": [[0, 1], [2, 0]]},
        {"x": X, "pad_width": [[1, 1], [2, 1]], "mode": "reflect"},
        {"x": X, "pad_width": [[0, 1], [2, 0]], "constant_values": 3.0},
    ],
    "keras.ops.power": [{"x1": SHARE, "x2": Y}, {"x1": X, "x2": 3.0}],
    "keras.ops.repeat": [{"x": X, "repeats": 2, "axis": 1}, {"x": X, "repeats": 2}],
    "keras.ops.reshape": [{"x": CUBE, "newshape": [2, -1]}],
    "keras.ops.roll": [{"x": CUBE, "shift": 1}, {"x": CUBE, "shift": 2, "axis": 1}],
    "keras.ops.round": [{"x": X * 3}],
    "keras.ops.slice": [{"inputs": CUBE, "start_indices": [0, 1, 2], "shape": [2, 2, 1]}],
    "keras.ops.split": [{"x": CUBE, "indices_or_sections": 2}, {"x": CUBE, "indices_or_sections": [1, 3], "axis": 2}],
    "keras.ops.squeeze": [{"x": CUBE[:1, :1]}, {"x": CUBE[:1, :1], "axis": 1}],
    "keras.ops.stack": [{"x": [X, Y]}, {"x": [X, Y], "axis": 1}],
    "keras.ops.stop_gradient": [{"variable": X}],
    "keras.ops.swapaxes": [{"x": CUBE, "axis1": 0, "axis2": 2}],
    "keras.ops.take": [{"x": CUBE, "indices": [1, 0]}, {"x": CUBE, "indices": [1, 0], "axis": 1}],
    "keras.ops.take_along_axis": [{"x": X, "indices": WHOLE, "axis": 1}],
    "keras.ops.tensordot": [
        {"x1": X, "x2": SQUARE[0], "axes": 1},
        {"x1": CUBE, "x2": CUBE_2, "axes": [[1, 2], [2, 1]]},
    ],
    "keras.ops.tile": [{"x": X, "repeats": [2, 3]}],
    "keras.ops.top_k": [{"x": CUBE, "k": 2}],
    "keras.ops.transpose": [{"x": CUBE}, {"x": CUBE, "axes": [0, 2, 1]}],
    "keras.ops.unstack": [{"x": CUBE, "num": 2}, {"x": CUBE, "axis": 1}],
    "keras.ops.where": [{"condition": TRUTH, "x1": X, "x2": Y}],
    # TensorFlow
    "argsort": [{"values": X}, {"values": X, "axis": 0, "direction": "DESCENDING"}],
    "boolean_mask": [{"tensor": CUBE, "mask": [True, False]}, {"tensor": CUBE, "mask": [True, False, True], "axis": 1}],
    "compat.v1.div": [{"x": X, "y": Y}, {"x": WHOLE + 5, "y": 2}],
    "compat.v1.image.resize_bicubic": [
        {"images": IMAGE, "size": [7, 9]},
        {"images": IMAGE, "size": [7, 9], "align_corners": True},
        {"images": IMAGE, "size": [7, 9], "half_pixel_centers": True},
    ],
    "constant": [{"value": [1.5, 2.0]}, {"value": 2.0, "shape": [2, 2]}, {"value": [1, 2], "dtype": "float32"}],
    "eye": [{"num_rows": 3}, {"num_rows": 2, "num_columns": 3, "batch_shape": [2], "dtype": "int32"}],
    "image.adjust_brightness": [{"image": IMAGE, "delta": 0.2}],
    "image.adjust_contrast": [{"images": IMAGE, "contrast_factor": 1.7}],
    "image.adjust_gamma": [{"image": IMAGE}, {"image": IMAGE, "gamma": 0.5, "gain": 0.9}],
    "image.central_crop": [{"image": IMAGE, "central_fraction": 0.5}],
    "image.convert_image_dtype": [{"image": IMAGE, "dtype": "float32"}],
    "image.extract_patches": [
        {"images": IMAGE, "sizes": [1, 2, 3, 1], "strides": [1, 1, 2, 1], "rates": [1, 1, 1, 1], "padding": "VALID"},
        {"images": IMAGE, "sizes": [1, 3, 2, 1], "strides": [1, 2, 1, 1], "rates": [1, 1, 2, 1], "padding": "SAME"},
    ],
    "image.psnr": [{"a": IMAGE, "b": IMAGE[::-1], "max_val": 1.0}],
    "image.resize_with_crop_or_pad": [{"image": IMAGE, "target_height": 3, "target_width": 9}],
    "image.rot90": [{"image": IMAGE}, {"image": IMAGE, "k": 3}],
    "linalg.cross": [{"a": X, "b": Y}],
    "linalg.det": [{"input": SQUARE}],
    "linalg.diag": [{"diagonal": X}],
    "linalg.inv": [{"input": SQUARE}, {"input": SQUARE, "adjoint": True}],
    "linspace": [{"start": -1.0, "stop": 2.0, "num": 4}],
    **{f"math.{name}": [{"input": X[0] + 1j * Y[0]}] for name in ("angle", "imag", "real")},
    "math.lgamma": [{"x": SHARE}],
    "math.logical_xor": [{"x": TRUTH, "y": OTHER_TRUTH}],
    "math.zero_fraction": [{"value": np.array([0.0, 1.0, 0.0, 2.0])}],
    "meshgrid": [{"args": [X[0], Y[0, :2]]}, {"args": [X[0], Y[0, :2]], "indexing": "ij"}],
    **dict.fromkeys(("nn.avg_pool1d", "nn.max_pool1d"), _POOL_1D),
    **dict.fromkeys(("nn.avg_pool2d", "nn.max_pool2d"), _POOL),
    "nn.batch_normalization": [
        {"x": X, "mean": Y[0], "variance": SHARE[0], "offset": None, "scale": None, "variance_epsilon": 0.1},
        {"x": X, "mean": Y[0], "variance": SHARE[0], "offset": X[1], "scale": Y[1], "variance_epsilon": 0.1},
    ],
    "nn.conv1d": [
        {"input": SEQUENCE, "filters": CUBE[:, :2], "stride": 1, "padding": "VALID"},
        {"input": SEQUENCE, "filters": CUBE[:, :2], "stride": 2, "padding": "SAME"},
        {"input": SEQUENCE, "filters": CUBE[:, :2], "stride": 1, "padding": "VALID", "dilations": 2},
    ],
    "nn.conv2d": [
        {"input": IMAGE, "filters": _RNG.normal(size=(2, 3, 3, 2)), "strides": [1, 1, 2, 1], "padding": "SAME"},
        {"input": IMAGE, "filters": _RNG.normal(size=(2, 2, 3, 2)), "strides": 1, "padding": "VALID", "dilations": 2},
    ],
    "nn.depthwise_conv2d": [
        {"input": IMAGE, "filter": _RNG.normal(size=(2, 2, 3, 2)), "strides": [1, 2, 2, 1], "padding": "SAME"},
        {"input": IMAGE, "filter": SQUARE[..., None], "strides": [1, 1, 1, 1], "padding": "VALID", "dilations": [1, 2]},
    ],
    "nn.moments": [{"x": CUBE, "axes": [1]}, {"x": CUBE, "axes": [0, 2], "keepdims": True}],
    "nn.sigmoid_cross_entropy_with_logits": [{"labels": SHARE, "logits": X}],
    "nn.softmax_cross_entropy_with_logits": [
        {"labels": SHARE, "logits": X},
        {"labels": SHARE, "logits": X, "axis": 0},
    ],
    "reverse_sequence": [{"input": SEQUENCE, "seq_lengths": [2, 5], "seq_axis": 1, "batch_axis": 0}],
    "saturate_cast": [{"value": X * 300, "dtype": "uint8"}],
    "scatter_nd": [{"indices": [[1], [0]], "updates": X, "shape": [3, 3]}],
    "signal.dct": [{"input": WAVE}, {"input": WAVE, "norm": "ortho"}],
    "signal.fft": [{"input": WAVE + 1j * WAVE[::-1]}],
    "signal.frame": [
        {"signal": WAVE, "frame_length": 4, "frame_step": 3},
        {"signal": WAVE, "frame_length": 4, "frame_step": 3, "pad_end": True, "pad_value": 2},
    ],
    "signal.rfft": [{"input_tensor": WAVE}, {"input_tensor": WAVE, "fft_length": [20]}],
    "signal.stft": [
        {"signals": WAVE, "frame_length": 6, "frame_step": 3},
        {"signals": WAVE, "frame_length": 6, "frame_step": 3, "fft_length": 12, "pad_end": True},
    ],
    "tensor_scatter_nd_update": [{"tensor": X, "indices": [[1]], "updates": Y[:1]}],
}


def own_names() -> list[str]:
    """The listed functions that no graph holds as layers: those are tried with the layers."""
    return [name for name in LISTED if name not in FUNCTIONS]


def cases_of(name: str) -> Iterator[Case]:
    """The cases of a function."""
    found = _CASES.get(name) or _CASES.get(" ".join(LISTED[name].parameters))
    assert found, f"{name} has no case: add one"
    yield from found
