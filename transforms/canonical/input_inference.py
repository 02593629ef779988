"""Infers the input shape of a model whose file does not state it, from its first layers and their arrays.

Keras 2.2 and 2.3 left the InputLayer of `Sequential([InputLayer(...), Dense(...)])` out of the config
(`Sequential.get_config` in keras/engine/sequential.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from transforms.architecture.graph import Graph, Layer
from transforms.canonical.model import ArraysByLayer
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.registry import SPECS


@dataclass(frozen=True)
class _Known:
    """The known parts of a shape: its rank (batch included), its last extent, the complete shape; None if unknown."""

    rank: int | None = None
    last: int | None = None
    stated: tuple[int | None, ...] | None = None

    def merged(self, other: _Known) -> _Known:
        return _Known(
            self.rank or other.rank,
            self.last if self.last is not None else other.last,
            self.stated or other.stated,
        )


def with_inferred_inputs(
    graph: Graph, arrays: ArraysByLayer, sample_shape: Sequence[int] | None = None
) -> tuple[Graph, tuple[str, ...]]:
    """The graph with the inferred shape of an unstated Sequential input, and the assumptions made.

    Args:
        graph: the outermost graph.
        arrays: by leaf layer path and role.
        sample_shape: shape of a sample batch for that input, which determines rank and extents.

    Raises:
        MigrationError: `invalid_config` when neither layers nor samples imply the input's rank.
    """
    first = graph.layers[0]
    if graph.class_name != "Sequential" or first.class_name != "InputLayer":
        return graph, ()
    if first.config.get("batch_input_shape", first.config.get("batch_shape")) is not None:
        return graph, ()
    if sample_shape is not None:
        shape: list[int | None] = [None, *sample_shape[1:]]
        source = "taken from the samples"
    else:
        shape, source = _finished(_known_before(graph.layers[1:], arrays), first)
    config = {**first.config, "batch_input_shape": shape}
    warning = f"The file does not record the input's shape: {_shown(shape)}, {source}."
    return replace(graph, layers=(replace(first, config=config), *graph.layers[1:])), (warning,)


def _shown(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("free" if extent is None else str(extent) for extent in shape) + ")"


def _finished(known: _Known, layer: Layer) -> tuple[list[int | None], str]:
    if known.stated is not None:
        return list(known.stated), "inferred from the layers"
    source = "inferred from the layers"
    if known.rank is None and known.last is not None:
        known, source = replace(known, rank=2), "assumed to be a vector, since no layer implies the rank"
    if known.rank is None:
        raise MigrationError(
            Reason.INVALID_CONFIG,
            "The model does not state the shape of its input, and its layers do not imply it",
            layer=layer.path,
            advice="Provide samples, or save the model again after building it.",
        )
    return [None] * (known.rank - 1) + [known.last], source


def _known_before(layers: Sequence[Layer], arrays: ArraysByLayer) -> _Known:
    """The known parts of the shape of the first layer's input, for layers called one after the other."""
    known = _Known()
    for index, layer in enumerate(layers):
        stated = _stated_shape(layer)
        if stated is not None:
            return known.merged(_Known(len(stated), stated[-1], tuple(stated)))
        if layer.graph is not None and layer.graph.class_name == "Sequential":
            inner = [each for each in layer.graph.layers if each.class_name != "InputLayer"]
            return known.merged(_known_before(inner, arrays))
        held = arrays.get(layer.path, {})
        asked = _asked_by(layer, {role: array.shape for role, array in held.items()})
        known = known.merged(asked)
        if _keeps_channels(layer):
            # After it the extents differ, but the last one is still the input's.
            return known.merged(_Known(None, _known_before(layers[index + 1 :], arrays).last))
        spec = SPECS.get(layer.class_name)
        if spec is None or not spec.infers_through:
            break
    return known


def _keeps_channels(layer: Layer) -> bool:
    spatial = layer.class_name.endswith(("1D", "2D", "3D")) and layer.class_name.startswith(
        ("AveragePooling", "MaxPooling", "UpSampling", "ZeroPadding", "Cropping", "GlobalAverage", "GlobalMax")
    )
    return spatial and layer.config.get("data_format") != "channels_first"


def _stated_shape(layer: Layer) -> list[int | None] | None:
    config = layer.config
    if layer.graph is not None:
        inner = layer.graph.layer(layer.graph.inputs[0].layer)
        config = inner.config
    shape = config.get("batch_input_shape", config.get("batch_shape"))
    return list(shape) if isinstance(shape, list) else None


def _asked_by(layer: Layer, shapes: Mapping[str, tuple[int, ...]]) -> _Known:
    """The parts of a layer's input shape that the layer and its arrays determine."""
    name = layer.class_name
    kernel = shapes.get("kernel", shapes.get("depthwise_kernel", ()))
    if name in _RECURRENT:
        return _Known(3, kernel[0])
    if name == "Embedding":
        return _Known(2)
    for rank in (1, 2, 3):
        if f"{rank}D" in name:
            channels = _CHANNELS.get(name.split(f"{rank}D")[0] + ("Transpose" if name.endswith("Transpose") else ""))
            return _Known(rank + 2, channels(kernel) if channels and kernel else None)
    if name == "Dense":
        return _Known(None, kernel[0])
    if name == "RepeatVector":
        return _Known(2)
    if name.startswith("BatchNormalization") and layer.config.get("axis") in (-1, [-1]):
        return _Known(None, shapes["moving_mean"][0])
    if name == "PReLU" and not layer.config.get("shared_axes"):
        return _Known(len(shapes["alpha"]) + 1, shapes["alpha"][-1])
    return _Known()


_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU"})
_CHANNELS: Mapping[str, Callable[[tuple[int, ...]], int]] = {
    "Conv": lambda kernel: kernel[-2],
    "ConvTranspose": lambda kernel: kernel[-1],
    "SeparableConv": lambda kernel: kernel[-2],
    "DepthwiseConv": lambda kernel: kernel[-2],
}
