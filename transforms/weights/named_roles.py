"""The roles in weight names for each layer class, without order, for the assignment by name.

Written from the names in the runtimes' `add_weight` calls (keras/layers of 1.2.2, 2.3.1 and 3.15,
tensorflow/python/keras/layers of 1.13 to 2.3), independently of `roles`, which the assignment by position uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_KERNEL_AND_BIAS = frozenset({"kernel", "bias"})
_RECURRENT = frozenset({"kernel", "recurrent_kernel", "bias"})
_NORM = frozenset({"gamma", "beta", "moving_mean", "moving_variance"})
_SEPARABLE = frozenset({"depthwise_kernel", "pointwise_kernel", "bias"})
_ATTENTION_PARTS = ("query", "key", "value", "attention_output")

#: Keras 2, tf.keras and Keras 3.
_OWNED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        """
        Dense Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose LocallyConnected1D
        LocallyConnected2D EinsumDense
        """.split(),
        _KERNEL_AND_BIAS,
    ),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), frozenset({"depthwise_kernel", "bias"})),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _SEPARABLE),
    **dict.fromkeys(
        """
        SimpleRNN SimpleRNNCell LSTM LSTMCell UnifiedLSTM GRU GRUCell UnifiedGRU CuDNNLSTM CuDNNGRU ConvLSTM1D
        ConvLSTM2D ConvLSTM3D ConvLSTM2DCell
        """.split(),
        _RECURRENT,
    ),
    **dict.fromkeys(
        ("BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"), _NORM
    ),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization"), frozenset({"gamma", "beta"})),
    **dict.fromkeys(("Attention", "AdditiveAttention"), frozenset({"scale"})),
    "Embedding": frozenset({"embeddings"}),
    "PReLU": frozenset({"alpha"}),
    "Activation": frozenset({"alpha"}),
    "CategoryEncoding": frozenset({"num_elements", "idf"}),
    **dict.fromkeys(("IntegerLookup", "StringLookup"), frozenset({"Variable"})),
    "Normalization": frozenset({"mean", "variance", "count"}),
    "Highway": frozenset({"W", "W_carry", "b", "b_carry"}),
    "MaxoutDense": frozenset("Wb"),
    "ParametricSoftplus": frozenset({"alphas", "betas"}),
    "SReLU": frozenset({"t_left", "a_left", "t_right", "a_right"}),
    "MultiHeadAttention": frozenset(f"{part}_{role}" for part in _ATTENTION_PARTS for role in ("kernel", "bias")),
}

_GATES_OF_LSTM = frozenset(f"{letter}_{gate}" for letter in "WUb" for gate in "icfo")
_GATES_OF_GRU = frozenset(f"{letter}_{gate}" for letter in "WUb" for gate in "zrh")

#: Keras 1.
_OWNED_IN_KERAS_1: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        """
        Dense TimeDistributedDense Convolution1D AtrousConvolution1D Convolution2D AtrousConvolution2D Convolution3D
        Deconvolution2D LocallyConnected1D LocallyConnected2D MaxoutDense
        """.split(),
        frozenset("Wb"),
    ),
    "SeparableConvolution2D": frozenset({"depthwise_kernel", "pointwise_kernel", "b"}),
    "Embedding": frozenset("W"),
    "BatchNormalization": frozenset({"gamma", "beta", "running_mean", "running_std"}),
    "Highway": frozenset({"W", "W_carry", "b", "b_carry"}),
    "PReLU": frozenset({"alphas"}),
    "ParametricSoftplus": frozenset({"alphas", "betas"}),
    "SReLU": frozenset({"t_left", "a_left", "t_right", "a_right"}),
    "SimpleRNN": frozenset("WUb"),
    "GRU": frozenset("WUb") | _GATES_OF_GRU,
    "LSTM": frozenset("WUb") | _GATES_OF_LSTM,
    "ConvLSTM2D": _GATES_OF_LSTM,
}

#: Later names of arrays with an older role.
_OTHER_NAMES: Mapping[str, Mapping[str, str]] = {
    "DepthwiseConv1D": {"kernel": "depthwise_kernel"},
    "DepthwiseConv2D": {"kernel": "depthwise_kernel"},
}


def owned_roles(class_name: str, keras_1: bool) -> frozenset[str]:
    """The roles of a class that a name may state; empty for a class that owns no arrays or is unknown.

    Since tf.keras 2.5 a PReLU may be the activation of any layer, which then owns its `alpha` too.
    """
    if keras_1:
        return _OWNED_IN_KERAS_1.get(class_name, frozenset())
    owned = _OWNED.get(class_name, frozenset())
    return owned | {"alpha"} if owned else owned


def stated_roles(name: str, class_name: str, keras_1: bool) -> Iterator[tuple[str, str, int]]:
    """Each reading of a weight name as an array of a class: the part before the role, the role, and its number.

    `lstm_1/kernel_2:0` is `kernel` with the number 2 in the scope `lstm_1`, and `attention/query/kernel:0` the
    `query_kernel` in the scope `attention`; Keras 1 writes `lstm_1_W_i` for `W_i` in `lstm_1`. Several readings of one
    name of Keras 1 are possible: `b_W_b` may be the `b` of a layer `b_W`.
    """
    plain = re.sub(r":[0-9]+$", "", name)
    owned = owned_roles(class_name, keras_1)
    if keras_1:
        for text, number in _numbered(plain):
            for role in owned:
                if text.endswith(f"_{role}"):
                    yield text[: -len(role) - 1], role, number
        return
    scope, _, last = plain.rpartition("/")
    if class_name == "MultiHeadAttention":
        scope, _, part = scope.rpartition("/")
        last = f"{part}_{last}"
    for text, number in _numbered(last):
        role = _OTHER_NAMES.get(class_name, {}).get(text, text)
        if role in owned:
            yield scope, role, number


def _numbered(name: str) -> Iterator[tuple[str, int]]:
    """A name unchanged and, if TensorFlow may have numbered it, without its number: `kernel_2` is kernel, 2."""
    yield name, 0
    stem, _, number = name.rpartition("_")
    if stem and number.isdigit() and len(number) < 10:
        yield stem, int(number)
