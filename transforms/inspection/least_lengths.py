"""The minimum lengths of the free axes of a model's inputs at which no layer's input is empty.

Computed backwards from the outputs, each of which needs an extent of 1. For an extent m after a layer, the extent
before it is

    convolution, pooling (valid):  (m - 1) * stride + (window - 1) * dilation + 1
    the same with other padding:   (m - 1) * stride + 1
    cropping:                      m + before + after
    padding:                       max(m - before - after, 1)
    up-sampling:                   ceil(m / size)

Options have the names of Keras 1 or 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from transforms.architecture.graph import Graph, Layer, TensorRef, evaluation_order

#: The minimum extent by axis, the batch being axis 0; axes that are not listed need 1.
Needs: TypeAlias = Mapping[int, int]

_RESHAPES = frozenset({"Flatten", "Reshape", "RepeatVector", "Dot", "Lambda"})
_RECURRENT = ("RNN", "LSTM", "GRU", "Bidirectional")


def least_length(graph: Graph) -> int:
    """The largest extent that any free axis of an input needs; at least 1."""
    return max(
        (
            extent
            for ref, needs in zip(graph.inputs, _needed(graph, {}), strict=True)
            for axis, extent in needs.items()
            if _is_free(graph.layer(ref.layer), axis)
        ),
        default=1,
    )


def _is_free(layer: Layer, axis: int) -> bool:
    shape = layer.config.get("batch_input_shape", layer.config.get("batch_shape"))
    return not isinstance(shape, list) or axis >= len(shape) or shape[axis] is None


def _needed(graph: Graph, behind: Mapping[int, Needs]) -> list[Needs]:
    """The minimum extents of each input of a graph, from those of each output by number."""
    needs: dict[TensorRef, dict[int, int]] = {}
    for index, ref in enumerate(graph.outputs):
        _raise(needs.setdefault(ref, {}), behind.get(index, {}))
    for layer, index in reversed(evaluation_order(graph)):
        call = layer.calls[index]
        found = {ref.tensor: held for ref, held in needs.items() if (ref.layer, ref.call) == (layer.name, index)}
        for ref, wanted in zip(call.inputs, _in_front(layer, found, len(call.inputs)), strict=True):
            _raise(needs.setdefault(ref, {}), wanted)
    return [needs.get(ref, {}) for ref in graph.inputs]


def _raise(held: dict[int, int], wanted: Needs) -> None:
    for axis, extent in wanted.items():
        held[axis] = max(held.get(axis, 1), extent)


def _in_front(layer: Layer, behind: Mapping[int, Needs], inputs: int) -> list[Needs]:
    if layer.graph is not None:
        found = _needed(layer.graph, behind)
        return [found[index] if index < len(found) else {} for index in range(inputs)]
    return [_of_layer(layer, behind.get(0, {}))] * inputs


def _of_layer(layer: Layer, behind: Needs) -> Needs:
    name = layer.class_name
    if name == "TimeDistributed":
        inner = layer.slots["layer"]
        shifted = {axis - 1: extent for axis, extent in behind.items() if axis > 1}
        (of_step,) = _in_front(inner, {0: shifted}, 1)
        return {**{axis + 1: extent for axis, extent in of_step.items()}, 1: behind.get(1, 1)}
    if name == "SpectralNormalization":
        return _in_front(layer.slots["layer"], {0: behind}, 1)[0]
    if name in _RESHAPES or name.startswith("Global") or name.endswith(_RECURRENT):
        return {}
    if name == "Permute":
        dims = layer.config.get("dims")
        sources = dims if isinstance(dims, list) else []
        return {int(source): behind.get(axis, 1) for axis, source in enumerate(sources, start=1)}
    rank = next((axes for axes in (1, 2, 3) if f"{axes}D" in name), 0)
    first = layer.config.get("data_format") == "channels_first" or layer.config.get("dim_ordering") == "th"
    axes = [axis + (2 if first else 1) for axis in range(rank)]
    return {**behind, **{axis: _extent(layer, place, behind.get(axis, 1), rank) for place, axis in enumerate(axes)}}


def _extent(layer: Layer, place: int, behind: int, rank: int) -> int:
    """The extent before a layer that works on `rank` axes, along one of them."""
    name, config = layer.class_name, layer.config
    if name.startswith("Cropping"):
        return behind + sum(_pair(config.get("cropping"), place, rank))
    if name.startswith("ZeroPadding"):
        return max(behind - sum(_pair(config.get("padding"), place, rank)), 1)
    if name.startswith("UpSampling"):
        return -(-behind // _at(config, place, ("size", "length"), 2))
    transposed = name.endswith("Transpose") or name.startswith("Deconvolution")
    if transposed or not ("Conv" in name or "Pooling" in name or "LocallyConnected" in name):
        return 1 if transposed else behind
    window = _window(config, place)
    stride = _at(config, place, ("strides", "subsample", "subsample_length", "stride"), 0)
    stride = stride or (window if "Pooling" in name else 1)
    dilation = _at(config, place, ("dilation_rate", "atrous_rate"), 1)
    reach = (window - 1) * dilation if config.get("padding", config.get("border_mode", "valid")) == "valid" else 0
    return (behind - 1) * stride + reach + 1


def _window(config: Mapping[str, Any], place: int) -> int:
    for names in (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")):
        if names[0] in config:
            return int(config[names[place]])
    return _at(config, place, ("kernel_size", "filter_length", "pool_size", "pool_length"), 2)


def _at(config: Mapping[str, Any], place: int, names: Sequence[str], default: int) -> int:
    """The first of these options that is stated, for one axis."""
    value = next((config[name] for name in names if config.get(name) is not None), default)
    return int(value[place] if isinstance(value, list) and place < len(value) else _first(value))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _pair(value: Any, place: int, rank: int) -> tuple[int, int]:
    """Before and after one axis: a number for both, a pair, or either for each axis."""
    if value is None:
        return 1, 1
    if isinstance(value, list) and rank > 1:
        value = value[place]
    return (int(value[0]), int(value[1])) if isinstance(value, list) else (int(value), int(value))
