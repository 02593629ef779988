"""Determines the arrays of a weight group that belong to custom layers, by names, since their number is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Layer, LayerPath
from transforms.source.stored_array import StoredArray


def split_custom_arrays(
    layer: Layer, arrays: Sequence[StoredArray]
) -> tuple[dict[LayerPath, Mapping[str, StoredArray]], Sequence[StoredArray]]:
    """Separates the arrays of custom layers from the others.

    A group with one custom layer and nothing else belongs to it. In any other, an array belongs to the custom layer
    whose name is in the array's name.

    Args:
        layer: the layer of the outermost graph that the group belongs to.
        arrays: what the group lists, in order.

    Returns:
        The arrays of custom layers by path and role, in stored order; and the other arrays. A custom layer's roles
        are `<place>:<stored name>`, e.g. `0:W`.
    """
    leaves = list(_leaves(layer))
    custom = [(path, name) for path, name, is_own in leaves if is_own]
    if not custom:
        return {}, arrays
    held: dict[LayerPath, list[StoredArray]] = {path: [] for path, _ in custom}
    others: list[StoredArray] = []
    for array in arrays:
        path = custom[0][0] if len(leaves) == 1 else _owner(array.name, custom)
        (held[path] if path is not None else others).append(array)
    return {path: {role_of(i, a.name): a for i, a in enumerate(own)} for path, own in held.items() if own}, others


def role_of(index: int, name: str) -> str:
    """The role of a custom layer's array: its place and the last part of its stored name."""
    return f"{index}:{name.rsplit('/', 1)[-1].split(':', 1)[0]}"


def stored_name(role: str) -> str:
    """The name part of a role: `W` for `0:W`."""
    return role.partition(":")[2]


def _leaves(layer: Layer) -> Iterator[tuple[LayerPath, str, bool]]:
    """Path, name in array names, and whether it is custom, of every leaf layer."""
    if layer.graph is not None:
        for inner in layer.graph.stored_layers:
            yield from _leaves(inner)
    elif layer.class_name == "Bidirectional" and "backward" not in layer.slots:
        for path, name, custom in _leaves(layer.slots["forward"]):
            yield path, f"forward_{name}", custom
            yield (*layer.path, "backward", *path[len(layer.path) + 1 :]), f"backward_{name}", custom
    elif layer.slots:
        for inner in layer.slots.values():
            yield from _leaves(inner)
    else:
        yield layer.path, layer.name, is_custom(layer.class_name)


def _owner(name: str, custom: Sequence[tuple[LayerPath, str]]) -> LayerPath | None:
    parts = name.split("/")
    owners = [(path, own) for path, own in custom if any(part == own or part.startswith(f"{own}_") for part in parts)]
    return max(owners, key=lambda owner: len(owner[1]))[0] if owners else None
