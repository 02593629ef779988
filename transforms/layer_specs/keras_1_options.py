"""Names of options and classes, Keras 1 to Keras 2. Source: keras/legacy/interfaces.py (2.0.0) and 1.2.2's layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.architecture.graph import Graph

CLASSES: Mapping[str, str] = {
    "Convolution1D": "Conv1D",
    "AtrousConvolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",  # a Dense of Keras 2 works on the last axis of any rank
}

OPTIONS: Mapping[str, str] = {
    "input_dtype": "dtype",
    "bias": "use_bias",
    "inner_activation": "recurrent_activation",
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "filter_length": "kernel_size",
    "atrous_rate": "dilation_rate",
    "pool_length": "pool_size",
    "stride": "strides",
    "length": "size",
    "p": "rate",
    "sigma": "stddev",
    "concat_axis": "axis",
    "dot_axes": "axes",
}
#: Layers of Keras 1.2.2 that depend on a data format and store none.
SILENT_ON_FORMAT = frozenset(
    {"ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D"}
)
_DATA_FORMATS = {"tf": "channels_last", "th": "channels_first"}
_UNITS = frozenset({"Dense", "TimeDistributedDense", "SimpleRNN", "GRU", "LSTM"})


def upgraded_options(class_name: str, config: Mapping[str, Any], data_format: str) -> dict[str, Any]:
    """The config of a Keras 1 layer with the names of Keras 2.

    Args:
        class_name: as stored.
        config: as stored.
        data_format: assumed for layers that depend on one and store no dim_ordering.
    """
    options = {OPTIONS.get(name, name): value for name, value in config.items()}
    ordering = options.pop("dim_ordering", None)
    silent = data_format if class_name in SILENT_ON_FORMAT else "channels_last"
    options["data_format"] = _DATA_FORMATS.get(str(ordering), silent)
    if class_name in _UNITS:
        options["units"] = options.pop("output_dim")
    if "nb_row" in config:
        options["kernel_size"] = [config["nb_row"], config["nb_col"]]
    if "kernel_dim1" in config:
        options["kernel_size"] = [config[f"kernel_dim{axis}"] for axis in (1, 2, 3)]
    if class_name.startswith("ZeroPadding"):
        options["padding"] = padding_pairs(class_name, config.get("padding"))
    if class_name == "GRU":
        options["reset_after"] = False
    return options


def padding_pairs(class_name: str, padding: Any) -> Any:
    """Padding before and after each axis: Keras 1 also stored one number an axis, all numbers in a row, or a dict."""
    if isinstance(padding, Mapping):
        names = {
            "ZeroPadding1D": ("left_pad", "right_pad"),
            "ZeroPadding2D": ("top_pad", "bottom_pad", "left_pad", "right_pad"),
        }
        padding = [padding.get(name, 0) for name in names[class_name]]
    if class_name == "ZeroPadding1D" or not isinstance(padding, list):
        return padding
    if class_name == "ZeroPadding2D" and len(padding) == 4:
        return [padding[:2], padding[2:]]
    return [[size, size] if isinstance(size, int) else size for size in padding]


def prevailing_data_format(graph: Graph) -> str:
    """The data format that the layers with a stored dim_ordering agree on; by default Keras 1's own, `tf`."""
    orderings = {layer.config.get("dim_ordering") for layer in graph.walk()} - {None}
    return "channels_first" if orderings == {"th"} else "channels_last"
