"""What the published model will be like, from its canonical layers alone: which release loads it, and its signature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from transforms.architecture.graph import Graph, Layer, TensorRef
from transforms.architecture.signature_names import input_names, output_names
from transforms.canonical.subgraph import TENSOR_OP
from transforms.records.inspection import Shape
from transforms.records.signature import ModelSignature, SignatureTensor
from transforms.releases.table import Release
from transforms.releases.tensorflow_operations import OLDEST_SERVED, operation_since

#: Layers that count categories, in which modes, and the operation that it takes.
_COUNTING = frozenset({"CategoryEncoding", "Discretization", "Hashing", "IntegerLookup", "StringLookup"})
_NOT_COUNTED = frozenset({"int", None})
_COUNTS = "DenseBincount"
#: Functions that need an operation which TensorFlow 1.15 lacks.
_FUNCTIONS = {
    "linalg.diag_part": "MatrixDiagPartV3",
    "linalg.trace": "MatrixDiagPartV3",
    "diagonal": "MatrixDiagPartV3",
    "linalg.diag": "MatrixDiagV3",
    "linalg.set_diag": "MatrixSetDiagV3",
    "math.erfinv": "Erfinv",
    "erfinv": "Erfinv",
    "bincount": "DenseBincount",
    "math.bincount": "DenseBincount",
}


def foreseen_release(graph: Graph, *, prefer_old: bool = False) -> Release:
    """The oldest release of TensorFlow that will load what a canonical graph becomes.

    `prefer_old`: as written under a `tensorflow_min` that makes `saved_model.writer` prefer forms that need less.
    """
    needed = (operation_since(operation) for layer in graph.walk() for operation in _operations(layer, prefer_old))
    return max((OLDEST_SERVED, *needed))


def _operations(layer: Layer, prefer_old: bool) -> Iterator[str]:
    if not prefer_old and layer.class_name in _COUNTING and layer.config.get("output_mode") not in _NOT_COUNTED:
        yield _COUNTS
    if layer.class_name == TENSOR_OP:
        yield from (_FUNCTIONS[name] for name in _functions(layer.config) if name in _FUNCTIONS)


def _functions(value: Any) -> Iterator[str]:
    """The names of functions anywhere in the options of an operation."""
    if isinstance(value, Mapping):
        name = value.get("name", value.get("function", value.get("op")))
        if isinstance(name, str):
            yield name
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        yield from _functions(each)


def foreseen_signature(graph: Graph, floatx: str, shapes: Mapping[Any, Any]) -> ModelSignature:
    """Inputs and outputs of what a canonical graph becomes; without tensors, which only the written graph has.

    Args:
        graph: canonical.
        floatx: the precision that it computes in.
        shapes: of first outputs, by the path of the layer, as far as known.
    """
    inputs = [
        _tensor(ref, name, position, "x", _input_shape(graph.layer(ref.layer)), _input_dtype(graph, ref, floatx))
        for position, (ref, name) in enumerate(zip(graph.inputs, input_names(graph), strict=True))
    ]
    outputs = [
        _tensor(ref, name, position, "y", shapes.get((ref.layer,)) if ref.tensor == 0 else None, "")
        for position, (ref, name) in enumerate(zip(graph.outputs, output_names(graph), strict=True))
    ]
    return ModelSignature(tuple(inputs), tuple(outputs))


def _tensor(
    ref: TensorRef, name: str, position: int, letter: str, shape: Sequence[int | None] | None, dtype: str
) -> SignatureTensor:
    extents: Shape | None = None if shape is None else tuple(shape)
    return SignatureTensor(ref.layer, name, "", dtype, extents, position, f"{letter}{position}")


def _input_shape(layer: Layer) -> Sequence[int | None] | None:
    found: Sequence[int | None] | None = layer.config.get("batch_input_shape", layer.config.get("batch_shape"))
    return found


def _input_dtype(graph: Graph, ref: TensorRef, floatx: str) -> str:
    stated = graph.layer(ref.layer).config.get("dtype")
    return stated if isinstance(stated, str) else floatx
