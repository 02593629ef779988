"""The array slots of a model, in the order in which its layers create them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Layer, LayerPath
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.spec import Role, Roles

RolesOf: TypeAlias = Callable[[str, Mapping[str, Any]], Roles]

_KERAS_1_ROLE = re.compile(
    r"_((?:[WUb](?:_[icfozrh]|_carry)?)|gamma|beta|running_mean|running_std|alphas|betas|[ta]_left|[ta]_right|depthwise_kernel|pointwise_kernel)$"
)
_KNOWN_ROLES = frozenset(
    """
    kernel recurrent_kernel bias embeddings gamma beta moving_mean moving_variance depthwise_kernel pointwise_kernel
    alpha scale mean variance count num_elements idf
    """.split()
)

#: Classes without arrays that a model may contain only if no output depends on them.
_NEVER_REBUILT = frozenset(
    """
    AddLoss AddMetric TFOpLambda SlicingOpLambda ClassMethod InstanceMethod InstanceProperty TensorFlowOpLayer Lambda
    """.split()
)


@dataclass(frozen=True)
class ArraySlot:
    """A slot for one array: its leaf layer, its role, and whether the layer trains it."""

    path: LayerPath
    role: Role
    trainable: bool


def array_slots(layer: Layer, roles: RolesOf, frozen: bool = False) -> Iterator[ArraySlot]:
    """The arrays of a layer and of those inside it, in creation order. Raises MigrationError `unsupported_layer`."""
    frozen = frozen or layer.config.get("trainable") is False
    if layer.graph is not None:
        for inner in layer.graph.stored_layers:
            yield from array_slots(inner, roles, frozen)
    elif layer.class_name == "Bidirectional":
        forward = layer.slots["forward"]
        yield from array_slots(forward, roles, frozen)
        yield from backward_slots(layer, list(array_slots(layer.slots.get("backward", forward), roles, frozen)))
    elif layer.slots:
        for inner in layer.slots.values():
            yield from array_slots(inner, roles, frozen)
    else:
        for role in layer_roles(layer, roles):
            yield ArraySlot(layer.path, role, role.trainable and not frozen)


def backward_slots(layer: Layer, slots: list[ArraySlot]) -> list[ArraySlot]:
    """The slots of a Bidirectional's backward direction, from those of the layer that is run backwards."""
    depth = len(layer.slots.get("backward", layer.slots["forward"]).path)
    return [ArraySlot((*layer.path, "backward", *slot.path[depth:]), slot.role, slot.trainable) for slot in slots]


def layer_roles(layer: Layer, roles: RolesOf) -> tuple[Role, ...]:
    """The arrays of a leaf layer; empty for a custom one, whose arrays are unknown. Raises MigrationError
    `unsupported_layer`.
    """
    if is_custom(layer.class_name) or layer.class_name in _NEVER_REBUILT:
        return ()
    try:
        return roles(layer.class_name, layer.config)
    except KeyError:
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"The arrays of {layer.class_name} are not known",
            layer=layer.path,
            advice="Ask for support of this class.",
        ) from None


def role_in(name: str) -> str | None:
    """The role that a weight name states, None if it states no known one.

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


def fits(slot: ArraySlot, name: str, shape: tuple[int, ...]) -> bool:
    """Whether an array fits a slot: by its shape, and by the role if its name states one."""
    named = role_in(name)
    # Keras 3 names the kernel of DepthwiseConv plainly `kernel`; MultiHeadAttention has layers with kernels inside.
    plain = named in ("kernel", "bias") and slot.role.name.endswith(f"_{named}")
    return (named is None or named == slot.role.name or plain) and slot.role.admits(shape)


def misplaced(slot: ArraySlot, name: str, shape: tuple[int, ...]) -> MigrationError:
    """The error for an array whose name or shape does not fit its slot."""
    wanted = " or ".join(str(list(each)).replace("None", "?") for each in slot.role.shapes) or "any shape"
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The array {name!r} of shape {list(shape)} is in the place of the config's {slot.role.name} of shape {wanted}",
        layer=slot.path,
        advice=PAIR,
    )


#: What to do where weights and config do not belong together.
PAIR = "Config and weights belong to different models: restore the file, or pair the right ones."
