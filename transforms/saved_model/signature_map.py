"""What a written graph calls the inputs and outputs of its model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from transforms.records.signature import ModelSignature, SignatureTensor
from transforms.saved_model.writer import SIGNATURE


def signature_map(graph: Any, inputs: Iterable[tuple[str, str]], outputs: Iterable[tuple[str, str]]) -> ModelSignature:
    """Inputs and outputs as a MetaGraphDef states them.

    Args:
        graph: as written.
        inputs: layer and signature name of each input, in the model's order.
        outputs: the same of the outputs.
    """
    signature = graph.signature_def[SIGNATURE]
    return ModelSignature(
        tuple(_tensors(signature.inputs, list(inputs), "x")), tuple(_tensors(signature.outputs, list(outputs), "y"))
    )


def _tensors(stated: Mapping[str, Any], names: Sequence[tuple[str, str]], letter: str) -> Iterator[SignatureTensor]:
    for position, (layer, name) in enumerate(names):
        info = stated[name]
        shape = tf.TensorShape(info.tensor_shape)
        extents = None if shape.rank is None else tuple(shape.as_list())
        dtype = tf.as_dtype(info.dtype).name
        yield SignatureTensor(layer, name, info.name, dtype, extents, position, f"{letter}{position}")
