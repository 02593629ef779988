"""Which arrays each layer class owns, in the order Keras creates them, and what its config says of their shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.architecture.function_signatures import FUNCTION_CLASSES
from transforms.architecture.keras_3 import KERAS_3_CLASSES

#: A shape with None where the config alone does not tell.
PartialShape: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True)
class Role:
    """One array of a layer.

    Attributes:
        name: the Keras 2 weight name, e.g. `recurrent_kernel`.
        shapes: the shapes it may have; a None inside is a dimension the config leaves open, an empty tuple of
            shapes means that any shape will do.
        trainable: False for moving statistics.
    """

    name: str
    shapes: tuple[PartialShape, ...] = ()
    trainable: bool = True

    def admits(self, shape: tuple[int, ...]) -> bool:
        """True when the shape agrees with one of the shapes the config implies."""
        return not self.shapes or any(_agrees(wanted, shape) for wanted in self.shapes)


def _agrees(wanted: PartialShape, shape: tuple[int, ...]) -> bool:
    return len(wanted) == len(shape) and all(w is None or w == s for w, s in zip(wanted, shape, strict=True))


Roles: TypeAlias = tuple[Role, ...]
_Config: TypeAlias = Mapping[str, Any]


def roles_of(class_name: str, config: _Config) -> Roles:
    """The arrays of a leaf layer in Keras creation order; empty for layers without weights.

    Raises KeyError for a class that is not known to hold or to lack weights.
    """
    if class_name in WEIGHTLESS or class_name in FUNCTION_CLASSES:
        return ()
    return _ROLES[class_name](config)


def keras_3_roles_of(class_name: str, config: _Config) -> Roles:
    """The same for Keras 3, whose graphs hold operations too."""
    return () if class_name in KERAS_3_CLASSES else roles_of(class_name, config)


def _integer(config: _Config, *keys: str) -> int | None:
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _times(factor: int, value: int | None) -> int | None:
    return None if value is None else factor * value


def _bias(config: _Config, *shapes: PartialShape) -> Roles:
    return (Role("bias", shapes),) if config.get("use_bias", True) else ()


def _dense(config: _Config) -> Roles:
    units = _integer(config, "units")
    return (Role("kernel", ((None, units),)), *_bias(config, (units,)))


def _window(config: _Config, rank: int) -> PartialShape:
    size = config.get("kernel_size")
    if isinstance(size, int):
        return (size,) * rank
    if isinstance(size, list):
        return tuple(size)
    return (None,) * rank


def _convolution(rank: int) -> Callable[[_Config], Roles]:
    def roles(config: _Config) -> Roles:
        filters = _integer(config, "filters")
        return (Role("kernel", ((*_window(config, rank), None, filters),)), *_bias(config, (filters,)))

    return roles


def _transposed(rank: int) -> Callable[[_Config], Roles]:
    def roles(config: _Config) -> Roles:
        filters = _integer(config, "filters")
        return (Role("kernel", ((*_window(config, rank), filters, None),)), *_bias(config, (filters,)))

    return roles


def _separable(rank: int) -> Callable[[_Config], Roles]:
    def roles(config: _Config) -> Roles:
        filters, multiplier = _integer(config, "filters"), _integer(config, "depth_multiplier")
        return (
            Role("depthwise_kernel", ((*_window(config, rank), None, multiplier),)),
            Role("pointwise_kernel", ((*(1,) * rank, None, filters),)),
            *_bias(config, (filters,)),
        )

    return roles


def _depthwise(rank: int) -> Callable[[_Config], Roles]:
    def roles(config: _Config) -> Roles:
        multiplier = _integer(config, "depth_multiplier")
        return (Role("depthwise_kernel", ((*_window(config, rank), None, multiplier),)), *_bias(config, (None,)))

    return roles


def _kernel_bias(config: _Config) -> Roles:
    return (Role("kernel"), *_bias(config))


def _conv_lstm(rank: int) -> Callable[[_Config], Roles]:
    def roles(config: _Config) -> Roles:
        filters, window = _integer(config, "filters"), _window(config, rank)
        return (
            Role("kernel", ((*window, None, _times(4, filters)),)),
            Role("recurrent_kernel", ((*window, filters, _times(4, filters)),)),
            *_bias(config, (_times(4, filters),)),
        )

    return roles


def _recurrent(gates: int, *biases: Callable[[int], PartialShape]) -> Callable[[_Config], Roles]:
    def roles(config: _Config) -> Roles:
        units = _integer(config, "units")
        shapes = tuple((None,) if units is None else shape(units) for shape in biases)
        return (
            Role("kernel", ((None, _times(gates, units)),)),
            Role("recurrent_kernel", ((units, _times(gates, units)),)),
            *_bias(config, *(shapes if units is not None else ())),
        )

    return roles


def _embedding(config: _Config) -> Roles:
    return (Role("embeddings", ((_integer(config, "input_dim"), _integer(config, "output_dim")),)),)


def _scale_and_center(config: _Config) -> Roles:
    gamma = (Role("gamma"),) if config.get("scale", True) else ()
    beta = (Role("beta"),) if config.get("center", True) else ()
    return (*gamma, *beta)


def _batch_normalization(config: _Config) -> Roles:
    channels: tuple[PartialShape, ...] = ((None,),) if isinstance(config.get("axis"), int) else ()
    scaled = tuple(Role(role.name, channels) for role in _scale_and_center(config))
    moving = (Role("moving_mean", channels, trainable=False), Role("moving_variance", channels, trainable=False))
    return (*scaled, *moving)


def _attention(config: _Config) -> Roles:
    return (Role("scale", ((),)),) if config.get("use_scale") else ()


def _additive_attention(config: _Config) -> Roles:
    return (Role("scale", ((None,),)),) if config.get("use_scale", True) else ()


def _multi_head_attention(config: _Config) -> Roles:
    """Projections (d, heads, size) with biases (heads, size), in the order query, key, value; then the output."""
    heads, size = _integer(config, "num_heads"), _integer(config, "key_dim")
    depths = {"query": size, "key": size, "value": _integer(config, "value_dim", "key_dim")}
    biased = config.get("use_bias", True)
    found: list[Role] = []
    for name, depth in depths.items():
        found.append(Role(f"{name}_kernel", ((None, heads, depth),)))
        found += [Role(f"{name}_bias", ((heads, depth),))] if biased else []
    found.append(Role("attention_output_kernel"))
    return (*found, Role("attention_output_bias")) if biased else tuple(found)


def _normalization(config: _Config) -> Roles:
    """Statistics, unless the config states them; the count is an integer and of no use."""
    if config.get("mean") is not None:
        return ()
    return tuple(Role(name, trainable=False) for name in ("mean", "variance", "count"))


_ROLES: Mapping[str, Callable[[_Config], Roles]] = {
    "Dense": _dense,
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
    "LocallyConnected1D": _kernel_bias,
    "LocallyConnected2D": _kernel_bias,
    "EinsumDense": lambda config: (Role("kernel"), *((Role("bias"),) if config.get("bias_axes") else ())),
    "ConvLSTM1D": _conv_lstm(1),
    "ConvLSTM2D": _conv_lstm(2),
    "ConvLSTM3D": _conv_lstm(3),
    "ConvLSTM2DCell": _conv_lstm(2),
    "Embedding": _embedding,
    "BatchNormalization": _batch_normalization,
    "BatchNormalizationV1": _batch_normalization,
    "BatchNormalizationV2": _batch_normalization,
    "SyncBatchNormalization": _batch_normalization,
    "LayerNormalization": _scale_and_center,
    "GroupNormalization": _scale_and_center,
    "PReLU": lambda _: (Role("alpha"),),
    "Attention": _attention,
    "AdditiveAttention": _additive_attention,
    "MultiHeadAttention": _multi_head_attention,
    "Normalization": _normalization,
    **dict.fromkeys(("SimpleRNN", "SimpleRNNCell"), _recurrent(1, lambda u: (u,))),
    **dict.fromkeys(("LSTM", "LSTMCell", "UnifiedLSTM"), _recurrent(4, lambda u: (4 * u,))),
    **dict.fromkeys(("GRU", "GRUCell", "UnifiedGRU"), _recurrent(3, lambda u: (3 * u,), lambda u: (2, 3 * u))),
    "CuDNNLSTM": _recurrent(4, lambda u: (8 * u,)),
    "CuDNNGRU": _recurrent(3, lambda u: (6 * u,)),
}

#: Classes that own no arrays.
WEIGHTLESS = frozenset(
    """
    InputLayer Activation ActivityRegularization AlphaDropout Dropout Flatten GaussianDropout GaussianNoise Masking
    Permute RepeatVector Reshape SpatialDropout1D SpatialDropout2D SpatialDropout3D ELU LeakyReLU ReLU Softmax
    ThresholdedReLU Add Average Concatenate Dot Maximum Minimum Multiply Subtract AveragePooling1D AveragePooling2D
    AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D
    GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Cropping1D Cropping2D Cropping3D
    UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D Rescaling UnitNormalization
    Identity Resizing CenterCrop RandomFlip RandomTranslation RandomRotation RandomZoom RandomHeight RandomWidth
    RandomContrast RandomBrightness CategoryEncoding Discretization Hashing IntegerLookup
    """.split()
)

#: Classes whose arrays may be assigned by name and shape; every other class is foreign to this program.
WEIGHTED = frozenset(_ROLES)
