"""Assigns canonical arrays to the variables that tf-keras made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from transforms.architecture.graph import LayerPath
from transforms.canonical.model import ArraysByLayer
from transforms.custom.layers import matching_variables
from transforms.errors import MigrationError, Reason
from transforms.rebuild.eager_tensors import eager_tensor


def assign_arrays(
    layers: Mapping[LayerPath, Any], arrays: ArraysByLayer, keras_model: Any
) -> Mapping[tuple[LayerPath, str], Any]:
    """Assigns every array to one variable of equal shape; every variable must receive one.

    Args:
        layers: the tf-keras layers by path, built.
        arrays: in canonical layout, read here one by one.
        keras_model: the model of these layers.

    Returns:
        The variables by layer path and role.

    Raises:
        MigrationError: `weights_mismatch`, naming the layer; or errors of reading an array.
    """
    assigned: dict[tuple[LayerPath, str], Any] = {}
    for path, held in arrays.items():
        variables = _variables(layers.get(path), held, path)
        if set(variables) != set(held):
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"The file has {sorted(held)}, the rebuilt layer wants {sorted(variables)}",
                layer=path,
            )
        for role, array in held.items():
            variable = variables[role]
            if tuple(variable.shape) != array.shape:
                raise MigrationError(
                    Reason.WEIGHTS_MISMATCH,
                    f"{role} has the shape {list(array.shape)}, the layer's input implies {variable.shape.as_list()}",
                    layer=path,
                )
            variable.assign(eager_tensor(array.read(), variable.dtype))
            assigned[path, role] = variable
    filled = {id(variable) for variable in assigned.values()}
    left = [variable.name for variable in keras_model.weights if id(variable) not in filled]
    if left:
        raise MigrationError(Reason.WEIGHTS_MISMATCH, f"No array fills {', '.join(left[:5])}")
    return assigned


def _variables(layer: Any, held: Mapping[str, Any], path: LayerPath) -> Mapping[str, Any]:
    if layer is None:
        return {}
    if any(role[0].isdigit() for role in held):  # a custom layer's
        return matching_variables(layer, tuple(held), path)
    return {_role(variable.name, held): variable for variable in layer.weights}


def _role(name: str, held: Mapping[str, Any]) -> str:
    """The last part of a variable's name; the last two for layers inside a layer, `query/kernel`."""
    parts = str(name).split(":", 1)[0].split("/")
    both = "_".join(parts[-2:])
    return both if both in held else parts[-1]


#: Allowed surplus of scalars over the arrays: missing ones are then named, array by array.
_SLACK = 1 << 20


@contextmanager
def bounded_variables(scalars: int) -> Iterator[None]:
    """Limits the variables of layers built in the context to about as many scalars as the arrays have.

    The shapes of kernels follow from the shapes of tensors, which a config states: for an input of 10^9 channels the
    kernel would be allocated before its shape is compared with the stored one.

    Raises:
        MigrationError: `weights_mismatch`, before the variable is made.
    """
    made = 0

    def create(make: Callable[..., Any], **options: Any) -> Any:
        nonlocal made
        made += tf.TensorShape(options.get("shape")).num_elements() or 0
        if made > scalars + _SLACK:
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"The config asks for weights of over {made:,} scalars, the file holds {scalars:,}",
                advice="Config and weights belong to different models: restore the file, or pair the right ones.",
            )
        return make(**options)

    with tf.variable_creator_scope(create):
        yield
