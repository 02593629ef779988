"""The options that decide what a layer computes, with the defaults of the runtimes that left them out.

Only what stands here reaches tf-keras. Initializers, regularizers and constraints do not: they act in training
alone. A missing option gets the *legacy* default written here, so that a default that tf-keras changed (reset_after,
recurrent_activation) never applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.architecture.attention import CALL_OPTIONS
from transforms.architecture.config_values import activation_name
from transforms.architecture.graph import LayerPath
from transforms.errors import MigrationError, Reason

REQUIRED = object()

#: Key of a layer's precision, where it is not that of the model.
POLICY = "policy"

_DENSE = {"units": REQUIRED, "activation": "linear", "use_bias": True}


def _convolution(rank: int) -> dict[str, Any]:
    return {
        "filters": REQUIRED,
        "kernel_size": REQUIRED,
        "strides": [1] * rank,
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": [1] * rank,
        "groups": 1,
        "activation": "linear",
        "use_bias": True,
    }


def _without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


def _transposed(rank: int) -> dict[str, Any]:
    return {**_without(_convolution(rank), "groups"), "output_padding": None}


def _separable(rank: int) -> dict[str, Any]:
    return {**_without(_convolution(rank), "groups"), "depth_multiplier": 1}


def _depthwise(rank: int) -> dict[str, Any]:
    return {**_without(_convolution(rank), "groups", "filters"), "depth_multiplier": 1}


def _locally_connected(rank: int) -> dict[str, Any]:
    return {**_without(_convolution(rank), "groups", "dilation_rate"), "implementation": 1}


def _pooling(rank: int) -> dict[str, Any]:
    return {"pool_size": [2] * rank, "strides": None, "padding": "valid", "data_format": "channels_last"}


_GLOBAL_POOLING = {"data_format": "channels_last", "keepdims": False}

_CELL = {
    "units": REQUIRED,
    "activation": "tanh",
    "use_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
}
_RUN = {
    "return_sequences": False,
    "return_state": False,
    "go_backwards": False,
    "time_major": False,
    "zero_output_for_mask": False,
}
_GATED_CELL = {**_CELL, "recurrent_activation": "hard_sigmoid"}
_GRU_CELL = {**_GATED_CELL, "reset_after": False}


def _conv_lstm(rank: int) -> dict[str, Any]:
    return {
        **_without(_convolution(rank), "groups", "activation"),
        "activation": "tanh",
        "recurrent_activation": "hard_sigmoid",
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        **_without(_RUN, "time_major", "zero_output_for_mask"),
    }


_BATCH_NORMALIZATION = {"axis": -1, "momentum": 0.99, "epsilon": 1e-3, "center": True, "scale": True}

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "Dense": _DENSE,
    "Activation": {"activation": REQUIRED},
    "ActivityRegularization": {"l1": 0.0, "l2": 0.0},
    "Dropout": {"rate": REQUIRED},
    "AlphaDropout": {"rate": REQUIRED},
    "GaussianDropout": {"rate": REQUIRED},
    "GaussianNoise": {"stddev": REQUIRED},
    "SpatialDropout1D": {"rate": REQUIRED},
    "SpatialDropout2D": {"rate": REQUIRED, "data_format": "channels_last"},
    "SpatialDropout3D": {"rate": REQUIRED, "data_format": "channels_last"},
    "Identity": {},
    "Flatten": {"data_format": "channels_last"},
    "Reshape": {"target_shape": REQUIRED},
    "Permute": {"dims": REQUIRED},
    "RepeatVector": {"n": REQUIRED},
    "Masking": {"mask_value": 0.0},
    "Embedding": {"input_dim": REQUIRED, "output_dim": REQUIRED, "mask_zero": False, "input_length": None},
    "ELU": {"alpha": 1.0},
    "LeakyReLU": {"alpha": 0.3},
    "PReLU": {"shared_axes": None},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "Softmax": {"axis": -1},
    "ThresholdedReLU": {"theta": 1.0},
    "Add": {},
    "Average": {},
    "Maximum": {},
    "Minimum": {},
    "Multiply": {},
    "Subtract": {},
    "Concatenate": {"axis": -1},
    "Dot": {"axes": REQUIRED, "normalize": False},
    "Attention": {"use_scale": False, "dropout": 0.0},
    "AdditiveAttention": {"use_scale": True, "dropout": 0.0},
    "Conv1D": _convolution(1),
    "Conv2D": _convolution(2),
    "Conv3D": _convolution(3),
    "Conv1DTranspose": _transposed(1),
    "Conv2DTranspose": _transposed(2),
    "Conv3DTranspose": _transposed(3),
    "SeparableConv1D": _separable(1),
    "SeparableConv2D": _separable(2),
    "DepthwiseConv1D": _depthwise(1),
    "DepthwiseConv2D": _depthwise(2),
    "LocallyConnected1D": _locally_connected(1),
    "LocallyConnected2D": _locally_connected(2),
    "EinsumDense": {"equation": REQUIRED, "output_shape": REQUIRED, "activation": "linear", "bias_axes": None},
    "ConvLSTM1D": _conv_lstm(1),
    "ConvLSTM2D": _conv_lstm(2),
    "ConvLSTM3D": _conv_lstm(3),
    "AveragePooling1D": _pooling(1),
    "AveragePooling2D": _pooling(2),
    "AveragePooling3D": _pooling(3),
    "MaxPooling1D": _pooling(1),
    "MaxPooling2D": _pooling(2),
    "MaxPooling3D": _pooling(3),
    "GlobalAveragePooling1D": _GLOBAL_POOLING,
    "GlobalAveragePooling2D": _GLOBAL_POOLING,
    "GlobalAveragePooling3D": _GLOBAL_POOLING,
    "GlobalMaxPooling1D": _GLOBAL_POOLING,
    "GlobalMaxPooling2D": _GLOBAL_POOLING,
    "GlobalMaxPooling3D": _GLOBAL_POOLING,
    "Cropping1D": {"cropping": [1, 1]},
    "Cropping2D": {"cropping": [[0, 0], [0, 0]], "data_format": "channels_last"},
    "Cropping3D": {"cropping": [[1, 1], [1, 1], [1, 1]], "data_format": "channels_last"},
    "UpSampling1D": {"size": 2},
    "UpSampling2D": {"size": [2, 2], "data_format": "channels_last", "interpolation": "nearest"},
    "UpSampling3D": {"size": [2, 2, 2], "data_format": "channels_last"},
    "ZeroPadding1D": {"padding": 1},
    "ZeroPadding2D": {"padding": [[1, 1], [1, 1]], "data_format": "channels_last"},
    "ZeroPadding3D": {"padding": [[1, 1], [1, 1], [1, 1]], "data_format": "channels_last"},
    "Rescaling": {"scale": REQUIRED, "offset": 0.0},
    "UnitNormalization": {"axis": -1},
    "BatchNormalization": _BATCH_NORMALIZATION,
    "LayerNormalization": {"axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
    "GroupNormalization": {"groups": 32, "axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
    "SimpleRNNCell": _CELL,
    "LSTMCell": _GATED_CELL,
    "GRUCell": _GRU_CELL,
    "SimpleRNN": {**_CELL, **_RUN},
    "LSTM": {**_GATED_CELL, **_RUN},
    "GRU": {**_GRU_CELL, **_RUN},
    "RNN": _RUN,
    "StackedRNNCells": {},
    "Bidirectional": {"merge_mode": "concat"},
    "MultiHeadAttention": {
        "num_heads": REQUIRED,
        "key_dim": REQUIRED,
        "value_dim": None,
        "dropout": 0.0,
        "use_bias": True,
        "output_shape": None,
        "attention_axes": None,
        **CALL_OPTIONS,
    },
    "Normalization": {"axis": REQUIRED, "invert": False, "mean": None, "variance": None},
    "Resizing": {"height": REQUIRED, "width": REQUIRED, "interpolation": "bilinear", "crop_to_aspect_ratio": False},
    "CenterCrop": {"height": REQUIRED, "width": REQUIRED},
    "CategoryEncoding": {"num_tokens": REQUIRED, "output_mode": "multi_hot"},
    "Discretization": {"bin_boundaries": REQUIRED, "output_mode": "int"},
    "Hashing": {"num_bins": REQUIRED, "mask_value": None, "salt": None, "output_mode": "int"},
    "IntegerLookup": {
        "vocabulary": REQUIRED,
        "max_tokens": None,
        "num_oov_indices": 1,
        "mask_token": None,
        "oov_token": -1,
        "vocabulary_dtype": "int64",
        "idf_weights": None,
        "invert": False,
        "output_mode": "int",
        "pad_to_max_tokens": False,
    },
    "TimeDistributed": {},
}

#: Where null is itself a value and not the absence of one.
_NULL_IS_A_VALUE = frozenset({("Bidirectional", "merge_mode")})


def canonical_options(class_name: str, config: Mapping[str, Any], path: LayerPath) -> dict[str, Any]:
    """The options of a layer, each stated.

    Args:
        class_name: canonical class name.
        config: stored config.
        path: for messages.

    Raises:
        MigrationError: `invalid_config` when a required option is missing, `unsupported_layer` when the class
            has no table.
    """
    table = OPTIONS.get(class_name)
    if table is None:
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"The class {class_name} cannot be rebuilt",
            layer=path,
            advice="Ask for support of this class.",
        )
    options = {}
    for name, default in table.items():
        value = config.get(name)
        if value is None and not (name in config and (class_name, name) in _NULL_IS_A_VALUE):
            value = default
        if value is REQUIRED:
            raise MigrationError(Reason.INVALID_CONFIG, f"The {class_name} states no {name}", layer=path)
        options[name] = _activation(value, path) if name.endswith("activation") else value
    return options


_ACTIVATION_ALIASES = {"silu": "swish"}


def _activation(value: object, path: LayerPath) -> str:
    name = activation_name(value)
    if isinstance(value, Mapping) and value.get("class_name") not in ("function", None):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"An activation that is a layer ({name}) inside another layer is not supported",
            layer=path,
            advice="Save the model with the activation as a layer of its own.",
        )
    return _ACTIVATION_ALIASES.get(name, name)
