"""Bounds the tensor sizes of a model, from its inputs and the layers without weights that enlarge tensors.

A config of a few bytes must not allocate gigabytes. Layers with weights are bounded by the arrays in the file; inputs,
copies, padding, up-sampling and the strides of transposed convolutions are not, and multiply along a path.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from transforms.architecture.function_signatures import ARGUMENTS, FUNCTION, SIZES
from transforms.architecture.graph import Graph, Layer, TensorRef, evaluation_order
from transforms.limits import Limits, over_budget

#: The extent assumed for a free axis; no drawn batch is longer.
_FREE_EXTENT = 16

#: Options of which each entry is a number of copies, steps or positions along one axis.
_STEPS = """
    n size length padding cropping output_padding strides dilation_rate pool_size subsample subsample_length atrous_rate
    stride pool_length height width num_tokens num_bins max_tokens
""".split()

#: Those that are numbers of categories, one position each unless the output is the category itself.
_CATEGORIES = frozenset({"num_tokens", "num_bins", "max_tokens"})


def check_sizes(graph: Graph, limits: Limits) -> None:
    """Refuses an acyclic graph whose tensors grow beyond the budget.

    Raises MigrationError `over_budget`, naming the layer.
    """
    for layer in graph.walk():
        in_one_number = layer.class_name != "CategoryEncoding" and layer.config.get("output_mode", "int") == "int"
        for option in _STEPS:
            if in_one_number and option in _CATEGORIES:
                continue
            for steps in _numbers(layer.config.get(option)):
                if steps > limits.expansion:
                    raise over_budget(f"{layer.class_name} has {option}={steps:,}", "expansion", limits, layer.path)
    _largest(graph, 1.0, limits)


def _largest(graph: Graph, scale: float, limits: Limits) -> float:
    """Number of values of the largest output; `scale` is that of a nested graph's input tensors, 1 outermost."""
    outermost = not graph.path
    values: dict[TensorRef, float] = {}
    for layer in graph.layers:
        if not layer.calls:
            values[TensorRef(layer.name)] = _given(layer) if outermost else scale
            _refuse(values[TensorRef(layer.name)], layer, limits)
    called: dict[tuple[str, int], float] = {}
    for layer, index in evaluation_order(graph):
        given = max((_of(ref, values, called) for ref in layer.calls[index].inputs), default=scale)
        found = _of_layer(layer, given, limits)
        _refuse(found, layer, limits)
        called[(layer.name, index)] = found
    return max((_of(ref, values, called) for ref in graph.outputs), default=scale)


def _of(ref: TensorRef, values: Mapping[TensorRef, float], called: Mapping[tuple[str, int], float]) -> float:
    return called.get((ref.layer, ref.call), values.get(TensorRef(ref.layer), 1.0))


def _of_layer(layer: Layer, given: float, limits: Limits) -> float:
    if layer.graph is not None:
        return _largest(layer.graph, given, limits)
    for inner in layer.slots.values():
        given = max(given, _of_layer(inner, given, limits))
    function = layer.class_name.removeprefix(FUNCTION)
    stated = [layer.config[ARGUMENTS].get(name) for name in SIZES[function]] if function in SIZES else []
    if function in ("tile", "repeat"):
        return given * _product(stated, 0)
    return max(given * _growth(layer), float(_product(stated, 0)))


def _growth(layer: Layer) -> float:
    """The factor by which one layer multiplies the number of values; below 1 for strides and pools."""
    kind, config = layer.class_name, layer.config
    if kind == "RepeatVector":
        return float(_product(config.get("n"), 1))
    rank = next((axes for axes in (1, 2, 3) if kind.endswith((f"{axes}D", f"{axes}DTranspose"))), 0)
    if kind.startswith("UpSampling"):
        return float(_product(config.get("size", config.get("length", 2)), rank))
    if kind.startswith("ZeroPadding"):
        return math.prod(1 + steps / 64 for steps in _numbers(config.get("padding")))
    strides = _product(config.get("strides", config.get("subsample")), rank)
    if kind.endswith("Transpose") or kind.startswith("Deconvolution"):
        return float(strides)
    if kind.startswith(("MaxPooling", "AveragePooling")):
        return 1 / (_product(config.get("strides") or config.get("pool_size", 2), rank))
    return 1 / strides if "Conv" in kind else 1.0


def _given(layer: Layer) -> float:
    shape = layer.config.get("batch_input_shape", layer.config.get("batch_shape"))
    if not isinstance(shape, list) or not shape:
        return float(_FREE_EXTENT)
    batch, *extents = shape
    return float(batch or 1) * math.prod(float(_FREE_EXTENT if extent is None else extent) for extent in extents)


def _product(value: object, rank: int) -> int:
    """The product of a list; a single number applies to each of `rank` axes; 1 if there is none."""
    if isinstance(value, int):
        return int(max(1, value) ** max(1, rank))
    return math.prod(max(1, steps) for steps in _numbers(value))


def _numbers(value: object) -> Iterator[int]:
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, list):
            pending.extend(current)
        elif isinstance(current, int):
            yield current


def _refuse(values: float, layer: Layer, limits: Limits) -> None:
    if values > limits.tensor_values:
        raise over_budget(
            f"One sample takes about {values:,.0f} values in one tensor", "tensor_values", limits, layer.path
        )
