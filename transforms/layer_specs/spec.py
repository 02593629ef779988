"""The record that states the facts of one layer class.

Tables elsewhere (weight roles, canonical options, initializers, output shapes, mask propagation) are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from transforms.records.inspection import Shape

Config: TypeAlias = Mapping[str, Any]

#: A shape with None for extents that the config does not determine.
PartialShape: TypeAlias = tuple[int | None, ...]

#: The default of an option that every runtime stored.
REQUIRED = object()


@dataclass(frozen=True)
class Role:
    """One array of a layer.

    Attributes:
        name: the Keras 2 weight name, e.g. `recurrent_kernel`.
        shapes: the possible shapes; a None inside is a dimension that the config does not determine, an empty tuple of
            shapes means any shape.
        trainable: False for moving statistics.
    """

    name: str
    shapes: tuple[PartialShape, ...] = ()
    trainable: bool = True

    def admits(self, shape: tuple[int, ...]) -> bool:
        """True if the shape agrees with one of the shapes that the config implies."""
        return not self.shapes or any(_agrees(wanted, shape) for wanted in self.shapes)


def _agrees(wanted: PartialShape, shape: tuple[int, ...]) -> bool:
    return len(wanted) == len(shape) and all(w is None or w == s for w, s in zip(wanted, shape, strict=True))


Roles: TypeAlias = tuple[Role, ...]

#: The arrays of a layer in Keras creation order, from its config.
RolesRule: TypeAlias = Callable[[Config], Roles]

#: The shapes of a layer's outputs, from its config and the shapes of its inputs; empty if unknown.
ShapeRule: TypeAlias = Callable[[Config, Sequence[Shape]], list[Shape]]


def no_arrays(config: Config) -> Roles:
    """The roles of a layer without weights."""
    del config
    return ()


def same_shape(config: Config, inputs: Sequence[Shape]) -> list[Shape]:
    """The output has the shape of the first input."""
    del config
    return [inputs[0]]


@dataclass(frozen=True)
class LayerSpec:
    """The facts of a layer class of Keras 2, tf.keras or Keras 3, except its computation.

    Attributes:
        name: class name as stored.
        roles: its own arrays; None for a wrapper, whose arrays are those of the layers in it.
        options: options of the canonical form, each with the default of the *legacy* runtimes that did not store it; an
            option that is not listed does not reach tf-keras. None for a class that a rewrite replaces.
        null_options: options of which null is itself a value.
        own_types: options whose values have another type than options of that name in other classes.
        initializers: constructor arguments to set to zeros, since arrays are assigned right after.
        shape: output shapes; None if `inspect` shows none.
        infers_through: an unrecorded input shape can be inferred from the layers after this one.
        keeps_values: output values are input values, possibly rearranged: ids stay ids.
        propagates_mask: Keras 3 propagates the mask of the input unchanged.
    """

    name: str
    roles: RolesRule | None = no_arrays
    options: Mapping[str, Any] | None = field(default_factory=dict)
    null_options: frozenset[str] = frozenset()
    own_types: frozenset[str] = frozenset()
    initializers: tuple[str, ...] = ()
    shape: ShapeRule | None = None
    keeps_values: bool = False
    propagates_mask: bool = False
    infers_through: bool = False
