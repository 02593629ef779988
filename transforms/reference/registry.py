"""Every layer class with a rule in the reference."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.architecture.graph import Graph
from transforms.records.runtime import Family, Runtime
from transforms.reference.dialect import Dialect, StructuredLayer
from transforms.reference.functions import FUNCTION_LAYERS
from transforms.reference.keras_1.core_layers import KERAS_1_CORE_LAYERS
from transforms.reference.keras_1.dialect import keras_1_dialect
from transforms.reference.keras_1.merge import merge
from transforms.reference.keras_3.dialect import keras_3_dialect
from transforms.reference.lambda_functions import LAMBDA_LAYERS
from transforms.reference.layer_call import StatelessLayer
from transforms.reference.layers.attention import ATTENTION
from transforms.reference.layers.bidirectional import bidirectional
from transforms.reference.layers.categories import CATEGORIES
from transforms.reference.layers.convolution import CONVOLUTIONS
from transforms.reference.layers.core_layers import CORE_LAYERS
from transforms.reference.layers.locally_connected import LOCALLY_CONNECTED
from transforms.reference.layers.merging import MERGING
from transforms.reference.layers.multi_head_attention import multi_head_attention
from transforms.reference.layers.normalization import NORMALIZATION
from transforms.reference.layers.pooling import POOLING
from transforms.reference.layers.preprocessing import PREPROCESSING
from transforms.reference.layers.recurrent import CELLS
from transforms.reference.layers.recurrent_layers import CONVOLUTIONAL, RECURRENT, recurrent_layer
from transforms.reference.layers.resizing import RESIZING
from transforms.reference.layers.separable_convolution import SEPARABLE_CONVOLUTIONS
from transforms.reference.layers.spectral_normalization import spectral_normalization
from transforms.reference.layers.time_distributed import time_distributed
from transforms.reference.layers.transposed_convolution import TRANSPOSED_CONVOLUTIONS
from transforms.reference.masks.propagation import output_mask

STATELESS: Mapping[str, StatelessLayer] = {
    **CORE_LAYERS,
    **CONVOLUTIONS,
    **SEPARABLE_CONVOLUTIONS,
    **TRANSPOSED_CONVOLUTIONS,
    **LOCALLY_CONNECTED,
    **POOLING,
    **RESIZING,
    **MERGING,
    **NORMALIZATION,
    **ATTENTION,
    **PREPROCESSING,
    **CATEGORIES,
    **{name: KERAS_1_CORE_LAYERS[name] for name in ("Highway", "MaxoutDense", "ParametricSoftplus", "SReLU")},
    "Merge": merge,
}

STRUCTURED: Mapping[str, StructuredLayer] = {
    **dict.fromkeys(RECURRENT | CONVOLUTIONAL, recurrent_layer),
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
    "SpectralNormalization": spectral_normalization,
    "MultiHeadAttention": multi_head_attention,
    **FUNCTION_LAYERS,
    **LAMBDA_LAYERS,
}

KERAS_2 = Dialect(stateless=STATELESS, structured=STRUCTURED, cells=CELLS, output_mask=output_mask)

KERAS_3 = keras_3_dialect(STATELESS, STRUCTURED)


def dialect_of(graph: Graph, runtime: Runtime) -> Dialect:
    """The dialect of a model; Keras 2 and tf.keras are distinguished layer by layer."""
    if runtime.family is Family.KERAS_3:
        return KERAS_3
    return keras_1_dialect(graph) if runtime.is_keras_1 else KERAS_2
