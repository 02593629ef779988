"""Maps the arrays of each weight group to the leaf layers inside it, by order, role name and shape.

Keras stores one group for each layer of the outermost graph. A group lists, for a nested model, the arrays of all
layers inside it: all trainable ones first, then all others (`Network.weights` of Keras 2; `_legacy_weights` of
tf.keras). TensorFlow 2.x lists them layer by layer where a layer tracks its sub-layers. Both orders are tried; the
names and shapes in the file decide, and where they cannot, the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Layer, LayerPath, walk
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.spec import Role, Roles
from transforms.source.stored_array import StoredArray
from transforms.weights.custom_weights import split_custom_arrays
from transforms.weights.roles import roles_of

RolesOf: TypeAlias = Callable[[str, Mapping[str, Any]], Roles]

_KERAS_1_ROLE = re.compile(
    r"_((?:[WUb](?:_[icfozrh]|_carry)?)|gamma|beta|running_mean|running_std|alphas|depthwise_kernel|pointwise_kernel)$"
)
_KNOWN_ROLES = frozenset(
    """
    kernel recurrent_kernel bias embeddings gamma beta moving_mean moving_variance depthwise_kernel pointwise_kernel
    alpha scale mean variance count
    """.split()
)


#: Classes without arrays that a model may hold only where no output depends on them.
_NEVER_REBUILT = frozenset(
    """
    AddLoss AddMetric TFOpLambda SlicingOpLambda ClassMethod InstanceMethod InstanceProperty TensorFlowOpLayer Lambda
    """.split()
)


@dataclass(frozen=True)
class ArraySlot:
    """A place for one array: which leaf layer, which role, and whether that layer trains it."""

    path: LayerPath
    role: Role
    trainable: bool


def assign_arrays(
    layer: Layer, arrays: Sequence[StoredArray], roles: RolesOf = roles_of
) -> Mapping[LayerPath, Mapping[str, StoredArray]]:
    """The arrays of one weight group by leaf layer path and role.

    Args:
        layer: the layer of the outermost graph that the group belongs to.
        arrays: what the group lists, in the order of its `weight_names`.
        roles: which arrays a class owns, in the dialect of the file.

    Raises:
        MigrationError: `weights_mismatch` when number, names or shapes do not fit the layer's config, or when
            two different assignments fit equally well.
    """
    custom, arrays = split_custom_arrays(layer, arrays)
    slots = list(array_slots(layer, roles))
    if len(slots) != len(arrays):
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"The config implies {len(slots)} arrays ({_listing(slots)}), the file holds {len(arrays)} "
            f"({', '.join(array.name for array in arrays[:6])})",
            layer=layer.path,
            advice="Config and weights belong to different models: restore the file, or pair the right ones.",
        )
    candidates = _distinct([_trainable_first(slots), slots])
    fitting = [order for order in candidates if all(map(_fits, order, arrays))]
    if not fitting:
        raise _misfit(candidates[0], arrays)
    best = max(fitting, key=lambda order: _name_agreement(order, arrays))
    tied = [order for order in fitting if _name_agreement(order, arrays) == _name_agreement(best, arrays)]
    if len(tied) > 1:
        best = tied[0]  # the order every Keras writes; names say nothing against it
    assigned: dict[LayerPath, dict[str, StoredArray]] = {}
    for slot, array in zip(best, arrays, strict=True):
        assigned.setdefault(slot.path, {})[slot.role.name] = array
    unused = list(_unused_paths(layer))
    return {
        path: held
        for path, held in {**custom, **assigned}.items()
        if not any(path[: len(left_out)] == left_out for left_out in unused)
    }


def _unused_paths(layer: Layer) -> Iterator[LayerPath]:
    for inner in walk(layer):
        if inner.graph is not None:
            yield from (left_out.path for _, left_out in inner.graph.unused)


def array_slots(layer: Layer, roles: RolesOf, frozen: bool = False) -> Iterator[ArraySlot]:
    """The arrays of a layer and of those inside it, in creation order. Raises MigrationError `unsupported_layer`."""
    frozen = frozen or layer.config.get("trainable") is False
    if layer.graph is not None:
        for inner in layer.graph.stored_layers:
            yield from array_slots(inner, roles, frozen)
    elif layer.class_name == "Bidirectional":
        forward = layer.slots["forward"]
        backward = layer.slots.get("backward", forward)
        yield from array_slots(forward, roles, frozen)
        for slot in array_slots(backward, roles, frozen):
            yield ArraySlot((*layer.path, "backward", *slot.path[len(backward.path) :]), slot.role, slot.trainable)
    elif layer.slots:
        for inner in layer.slots.values():
            yield from array_slots(inner, roles, frozen)
    else:
        for role in layer_roles(layer, roles):
            yield ArraySlot(layer.path, role, role.trainable and not frozen)


def layer_roles(layer: Layer, roles: RolesOf) -> tuple[Role, ...]:
    """The arrays of a leaf layer; none are known of a custom one. Raises MigrationError `unsupported_layer`."""
    if is_custom(layer.class_name):
        return ()
    if layer.class_name in _NEVER_REBUILT:
        return ()
    try:
        return roles(layer.class_name, layer.config)
    except KeyError:
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"Which arrays a {layer.class_name} owns is not known",
            layer=layer.path,
            advice="Ask for support of this class.",
        ) from None


def _trainable_first(slots: Sequence[ArraySlot]) -> list[ArraySlot]:
    return [slot for slot in slots if slot.trainable] + [slot for slot in slots if not slot.trainable]


def _distinct(orders: Sequence[list[ArraySlot]]) -> list[list[ArraySlot]]:
    return [order for index, order in enumerate(orders) if order not in orders[:index]]


def _fits(slot: ArraySlot, array: StoredArray) -> bool:
    named = role_in(array.name)
    # Keras 3 names the kernel of DepthwiseConv plainly `kernel`; MultiHeadAttention has layers with kernels inside.
    plain = named in ("kernel", "bias") and slot.role.name.endswith(f"_{named}")
    return (named is None or named == slot.role.name or plain) and slot.role.admits(array.shape)


def role_in(name: str) -> str | None:
    """The role that a weight name states, None when it states no known one.

    `lstm_1/kernel_2:0` gives `kernel`, Keras 1's `lstm_1_W_i` gives `W_i`.
    """
    last = name.rsplit("/", 1)[-1].split(":", 1)[0]
    if last in _KNOWN_ROLES:
        return last
    stem, _, number = last.rpartition("_")
    if number.isdigit() and stem in _KNOWN_ROLES:
        return stem
    keras_1 = _KERAS_1_ROLE.search(last)
    return keras_1[1] if keras_1 else None


def _name_agreement(order: Sequence[ArraySlot], arrays: Sequence[StoredArray]) -> int:
    """In how many places the stored name contains the name of the layer it would go to."""
    return sum(
        any(part in array.name.split("/") for part in slot.path[1:] if part not in _GENERIC)
        for slot, array in zip(order, arrays, strict=True)
    )


_GENERIC = frozenset({"layer", "cell", "forward", "backward"})


def _misfit(order: Sequence[ArraySlot], arrays: Sequence[StoredArray]) -> MigrationError:
    return misplaced(*next((s, a) for s, a in zip(order, arrays, strict=True) if not _fits(s, a)))


def misplaced(slot: ArraySlot, array: StoredArray) -> MigrationError:
    """The error of an array whose name or shape does not fit its place."""
    wanted = " or ".join(str(list(shape)).replace("None", "?") for shape in slot.role.shapes) or "any shape"
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The array {array.name!r} of shape {list(array.shape)} stands where the config has "
        f"{slot.role.name} of shape {wanted}",
        layer=slot.path,
        advice="Config and weights belong to different models: restore the file, or pair the right ones.",
    )


def _listing(slots: Sequence[ArraySlot]) -> str:
    return ", ".join(f"{'/'.join(slot.path)}:{slot.role.name}" for slot in slots[:6])
