"""The dialect of Keras 1: the rule of each layer class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from transforms.architecture.graph import Graph
from transforms.reference.dialect import Dialect
from transforms.reference.keras_1.convolution import KERAS_1_CONVOLUTIONS
from transforms.reference.keras_1.core_layers import KERAS_1_CORE_LAYERS
from transforms.reference.keras_1.dim_ordering import SILENT, DimOrderings
from transforms.reference.keras_1.masking import keras_1_output_mask
from transforms.reference.keras_1.merge import merge
from transforms.reference.keras_1.recurrent import KERAS_1_CELLS, read_conv_lstm
from transforms.reference.lambda_functions import LAMBDA_LAYERS
from transforms.reference.layer_call import Array, LayerCall, StatelessLayer
from transforms.reference.layers.bidirectional import bidirectional
from transforms.reference.layers.locally_connected import LOCALLY_CONNECTED
from transforms.reference.layers.pooling import POOLING
from transforms.reference.layers.recurrent_layers import recurrent_layer
from transforms.reference.layers.resizing import RESIZING
from transforms.reference.layers.time_distributed import time_distributed


def keras_1_dialect(graph: Graph) -> Dialect:
    """Keras 1 for one model: options missing in a config may be inferred from the rest of the model."""
    orderings = DimOrderings(graph)

    def read(call: LayerCall) -> LayerCall:
        if call.class_name in SILENT and "dim_ordering" not in call.config:
            return replace(call, config={**call.config, "dim_ordering": orderings.of(call.path)})
        return read_conv_lstm(call) if call.class_name == "ConvLSTM2D" else call

    return Dialect(
        stateless=_STATELESS,
        structured={
            **dict.fromkeys((*KERAS_1_CELLS, "ConvLSTM2D"), recurrent_layer),
            "Bidirectional": bidirectional,
            "TimeDistributed": time_distributed,
            **LAMBDA_LAYERS,
        },
        cells=KERAS_1_CELLS,
        output_mask=keras_1_output_mask,
        read=read,
    )


def _locally_connected(call: LayerCall) -> Array:
    """LocallyConnected1D and 2D: the first implementation of Keras 2, under other names (`local.py`).

    W is (positions, features of a window, f), the features in the layer's `dim_ordering`; b is (*positions, f).
    """
    two_axes = call.class_name == "LocallyConnected2D"
    config = {
        **call.config,
        "filters": call.config["nb_filter"],
        "kernel_size": [call.config["nb_row"], call.config["nb_col"]] if two_axes else call.config["filter_length"],
        "strides": call.option("subsample", [1, 1]) if two_axes else call.option("subsample_length", 1),
    }
    names = {"W": "kernel", "b": "bias"}
    weights = {names[role]: array for role, array in call.weights.items()}
    return LOCALLY_CONNECTED[call.class_name](replace(call, config=config, weights=weights))


#: Pooling, padding, cropping and repeating read the option names of Keras 1 and Keras 2.
_STATELESS: Mapping[str, StatelessLayer] = {
    **KERAS_1_CORE_LAYERS,
    **KERAS_1_CONVOLUTIONS,
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), _locally_connected),
    **POOLING,
    **RESIZING,
    "Merge": merge,
}
