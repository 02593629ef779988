"""Functions of Keras and TensorFlow that are evaluated during interpretation, or replaced by other calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from transforms.lambda_functions.attributes import plain_extents
from transforms.lambda_functions.control_functions import (
    accumulated,
    cond,
    in_test_phase,
    in_train_phase,
    map_rows,
    recorded,
    switch,
)
from transforms.lambda_functions.extents import shape_of
from transforms.lambda_functions.listed_functions import LISTED
from transforms.lambda_functions.subscripts import subscript
from transforms.lambda_functions.values import (
    Dtype,
    Reference,
    Refused,
    Scope,
    Tensor,
    TensorShape,
    Value,
    items_of,
    truth,
)

if TYPE_CHECKING:
    from transforms.lambda_functions.interpreter import Interpreter


#: `K.epsilon()` of every release, unless the user's configuration says otherwise.
_EPSILON = 1e-7


def _int_shape(machine: Interpreter, x: Value) -> Value:
    if isinstance(x, Tensor):
        return tuple(machine.trace.shape_of(x, "int_shape"))
    return tuple(shape_of(x) or ())


def _rank(machine: Interpreter, x: Value) -> int:
    return len(machine.trace.shape_of(x, "ndim")) if isinstance(x, Tensor) else len(shape_of(x) or ())


def _image_data_format(machine: Interpreter) -> str:
    machine.trace.assumed["K.image_data_format() is channels_last"] = None
    return "channels_last"


def _image_dim_ordering(machine: Interpreter) -> str:
    machine.trace.assumed["K.image_dim_ordering() is tf"] = None
    return "tf"


def _epsilon(machine: Interpreter) -> float:
    machine.trace.assumed["K.epsilon() is 1e-07"] = None
    return _EPSILON


def _dtype_of(machine: Interpreter, x: Value) -> Dtype:
    if not isinstance(x, Tensor):
        raise Refused("the dtype of a constant")
    return Dtype("", x.ref)


def _scope(machine: Interpreter, *args: Value, **options: Value) -> Scope:
    return Scope(args[0] if args and isinstance(args[0], str) else "scope")


#: Resize methods by their numbers in TensorFlow 1.
_METHODS = ("bilinear", "nearest", "bicubic", "area")


_RESIZING = {
    "bilinear": "compat.v1.image.resize_bilinear",
    "nearest": "compat.v1.image.resize_nearest_neighbor",
    "bicubic": "compat.v1.image.resize_bicubic",
}


def _resize_images(
    machine: Interpreter,
    images: Value,
    size: Value,
    method: Value = 0,
    align_corners: Value = False,
    preserve_aspect_ratio: Value = False,
    name: Value = None,
) -> Value:
    """`tf.image.resize_images` of TensorFlow 1."""
    way = _METHODS[method] if isinstance(method, int) else method
    if preserve_aspect_ratio or way not in _RESIZING:
        raise Refused(f"tf.image.resize_images with the method {way}")
    return recorded(
        machine, _RESIZING[way], "tf.image.resize_images", images=images, size=size, align_corners=truth(align_corners)
    )


def _resize(machine: Interpreter, images: Value, size: Value, *args: Value, **options: Value) -> Value:
    """`tf.image.resize`: in TensorFlow 1 `resize_images`, in 2 aligned to pixel centres.

    Each has an option that the other lacks. Without them, a file that may be of either does not determine its outputs.
    """
    version = machine.trace.era.tensorflow
    if version == 1 or (version is None and "align_corners" in options):
        return _resize_images(machine, images, size, *args, **options)
    if version is None and "antialias" not in options:
        raise Refused("tf.image.resize, which TensorFlow 1 and 2 compute differently; this Keras ran on both")
    names = ("method", "preserve_aspect_ratio", "antialias", "name")
    stated = {**dict(zip(names, args, strict=False)), **options}
    stated.pop("name", None)
    return recorded(machine, "image.resize", "tf.image.resize", images=images, size=size, **stated)


def _cast_to(dtype: str) -> Callable[..., Value]:
    def rule(machine: Interpreter, x: Value, name: Value = None) -> Value:
        return recorded(machine, "cast", f"tf.to_{dtype}", x=x, dtype=dtype)

    return rule


def _ops_shape(machine: Interpreter, x: Value) -> Value:
    """`ops.shape` of Keras 3: numbers, and tensors for free extents."""
    extents = machine.trace.shape_of(x, "ops.shape")
    if None not in extents:
        return tuple(extents)
    shape = recorded(machine, "compat.v1.shape", "ops.shape", input=x)
    return tuple(
        subscript(machine.trace, shape, place) if extent is None else extent for place, extent in enumerate(extents)
    )


def _activation(machine: Interpreter, identifier: Value) -> Value:
    if isinstance(identifier, str) and f"keras.activations.{identifier}" in LISTED:
        return Reference(f"keras.activations.{identifier}", f"activations.{identifier}")
    if identifier is None:
        return Reference("keras.activations.linear", "activations.linear")
    return identifier


def _merge(name: str, symbol: str) -> Callable[..., Value]:
    """`keras.layers.add([a, b])` and the like, called as functions."""

    def rule(machine: Interpreter, inputs: Value, **options: Value) -> Value:
        from transforms.lambda_functions.operators import binary

        if options.keys() - {"name"}:
            raise Refused(f"keras.layers.{name} with options")
        first, *others = items_of(inputs)
        for other in others:
            first = binary(machine.trace, symbol, first, other)
        return first

    return rule


def _concatenated(machine: Interpreter, inputs: Value, axis: Value = -1, name: Value = None) -> Value:
    return recorded(machine, "keras.backend.concatenate", "keras.layers.concatenate", tensors=inputs, axis=axis)


def _tensor_shape(machine: Interpreter, extents: Value) -> TensorShape:
    return TensorShape(plain_extents(items_of(extents)))


def _unstacked_identity(machine: Interpreter, inputs: Value) -> Value:
    return tuple(items_of(inputs))


_KERAS: Mapping[str, Callable[..., Value]] = {
    "keras.backend.int_shape": _int_shape,
    "keras.backend.ndim": _rank,
    "keras.backend.floatx": lambda machine: "float32",
    "keras.backend.epsilon": _epsilon,
    "keras.backend.backend": lambda machine: machine.trace.era.runtime.backend or "tensorflow",
    "keras.backend.image_data_format": _image_data_format,
    "keras.backend.image_dim_ordering": _image_dim_ordering,
    "keras.backend.learning_phase": lambda machine: 0,
    "keras.backend.in_train_phase": in_train_phase,
    "keras.backend.in_test_phase": in_test_phase,
    "keras.backend.dtype": _dtype_of,
    "keras.backend.switch": switch,
    "keras.backend.map_fn": map_rows,
    "keras.backend.foldl": accumulated("K.foldl", keep_all=False),
    "keras.backend.foldr": accumulated("K.foldr", keep_all=False, reverse=True),
    "keras.backend.name_scope": _scope,
    "keras.backend.is_sparse": lambda machine, x: False,
    "keras.backend.is_tensor": lambda machine, x: isinstance(x, Tensor),
    "keras.backend.is_keras_tensor": lambda machine, x: isinstance(x, Tensor),
    "keras.config.epsilon": _epsilon,
    "keras.config.floatx": lambda machine: "float32",
    "keras.ops.shape": _ops_shape,
    "keras.ops.ndim": _rank,
    "keras.ops.cond": cond,
    "keras.activations.get": _activation,
    "keras.layers.add": _merge("add", "+"),
    "keras.layers.multiply": _merge("multiply", "*"),
    "keras.layers.subtract": _merge("subtract", "-"),
    "keras.layers.concatenate": _concatenated,
}


_TENSORFLOW: Mapping[str, Callable[..., Value]] = {
    "cond": cond,
    "map_fn": map_rows,
    "foldl": accumulated("tf.foldl", keep_all=False),
    "foldr": accumulated("tf.foldr", keep_all=False, reverse=True),
    "scan": accumulated("tf.scan", keep_all=True),
    "name_scope": _scope,
    "variable_scope": _scope,
    "device": _scope,
    "is_tensor": lambda machine, x: isinstance(x, Tensor),
    "executing_eagerly": lambda machine: False,
    "TensorShape": _tensor_shape,
    "Dimension": lambda machine, value: value,
    "as_dtype": lambda machine, dtype: dtype,
    "tuple": _unstacked_identity,
    "image.resize": _resize,
    "image.resize_images": _resize_images,
    "to_float": _cast_to("float32"),
    "to_double": _cast_to("float64"),
    "to_int32": _cast_to("int32"),
    "to_int64": _cast_to("int64"),
}


#: Functions by full name. Each takes the interpreter, then the arguments of the call.
STATIC: Mapping[str, Callable[..., Value]] = {
    **_KERAS,
    **{f"tensorflow.{name}": rule for name, rule in _TENSORFLOW.items()},
    **{f"tensorflow.compat.v1.{name}": rule for name, rule in _TENSORFLOW.items()},
}
