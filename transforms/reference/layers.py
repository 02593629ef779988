"""Every layer class the reference has a rule for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from transforms.architecture import Layer
from transforms.reference.attention import ATTENTION
from transforms.reference.bidirectional import bidirectional
from transforms.reference.convolution import CONVOLUTIONS
from transforms.reference.core_layers import CORE_LAYERS
from transforms.reference.evaluator import Evaluator, Tensors
from transforms.reference.layer_call import StatelessLayer
from transforms.reference.locally_connected import LOCALLY_CONNECTED
from transforms.reference.merging import MERGING
from transforms.reference.normalization import NORMALIZATION
from transforms.reference.pooling import POOLING
from transforms.reference.recurrent_layers import CONVOLUTIONAL, RECURRENT, recurrent_layer
from transforms.reference.resizing import RESIZING
from transforms.reference.separable_convolution import SEPARABLE_CONVOLUTIONS
from transforms.reference.time_distributed import time_distributed
from transforms.reference.transposed_convolution import TRANSPOSED_CONVOLUTIONS

#: A layer that holds others, has states or several outputs, and sees to its own masks.
StructuredLayer: TypeAlias = Callable[[Layer, Tensors, Evaluator], Tensors]

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
}

STRUCTURED: Mapping[str, StructuredLayer] = {
    **dict.fromkeys(RECURRENT | CONVOLUTIONAL, recurrent_layer),
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
}
