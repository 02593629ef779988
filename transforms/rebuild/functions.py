"""The pure TensorFlow functions of `transforms.architecture.function_signatures`, called by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import tensorflow as tf
import tf_keras

from transforms.architecture.function_signatures import FUNCTIONS, GETITEM
from transforms.rebuild.einsum import einsum_as_matmul


def _size(input: Any, out_type: Any = "int32") -> Any:
    return tf.reduce_prod(tf.shape(input, out_type))


#: Functions that are not in `tf` under their stored name, or do not accept all that tf-keras stores.
_OTHERS: Mapping[str, Any] = {
    "keras.backend.batch_flatten": tf_keras.backend.batch_flatten,
    "keras.backend.binary_crossentropy": tf_keras.backend.binary_crossentropy,
    "__operators__.add": tf.math.add,
    "compat.v1.size": _size,
}


def call_function(*tensors: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    """The result of a listed function: a tensor, or several.

    Args:
        tensors: the tensors among the arguments, in their order.
        name: of the function, within `tf`.
        arguments: by parameter; `{"input": index}` denotes a tensor.

    Raises ValueError for a function that is not listed, or arguments that TensorFlow refuses.
    """
    if name not in FUNCTIONS:
        raise ValueError(f"tf.{name} is not listed")
    given = {key: _placed(value, tensors) for key, value in arguments.items()}
    try:
        return _called(name, given)
    except (AttributeError, tf.errors.OpError) as error:
        raise ValueError(f"tf.{name}: {error}") from error


def _called(name: str, given: Mapping[str, Any]) -> Any:
    if name == GETITEM:
        return given["tensor"][_index(given["slice_spec"])]
    if name == "einsum":
        return einsum_as_matmul(given["equation"], *given["inputs"])
    function = _OTHERS.get(name) or reduce(getattr, name.split("."), tf)
    first, *others = FUNCTIONS[name]
    return function(given[first], **{key: value for key, value in given.items() if key in others})


def _placed(value: Any, tensors: tuple[Any, ...]) -> Any:
    if isinstance(value, list):
        return [_placed(item, tensors) for item in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"input"}:
        return tensors[value["input"]]
    return {key: _placed(item, tensors) for key, item in value.items()}


def _index(spec: Any) -> Any:
    """A Python index from its parts as stored by tf.keras (`_slice_to_dict` in keras)."""
    if isinstance(spec, list):
        return tuple(_index(item) for item in spec)
    if not isinstance(spec, Mapping):
        return spec
    return ... if "class_name" in spec else slice(spec.get("start"), spec.get("stop"), spec.get("step"))
