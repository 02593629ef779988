"""Operations that build, unpack and extend tuples, lists, dictionaries, texts and slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transforms.lambda_functions.frame import Frame, Operation
from transforms.lambda_functions.subscripts import store_item
from transforms.lambda_functions.values import (
    Malformed,
    Refused,
    Value,
    bounded,
    items_of,
    kind_of,
)


def _build_tuple(frame: Frame, count: int) -> None:
    frame.push(tuple(frame.pop_many(count)))


def _build_list(frame: Frame, count: int) -> None:
    frame.push(frame.pop_many(count))


def _build_map(frame: Frame, count: int) -> None:
    taken = frame.pop_many(2 * count)
    frame.push(mapping_of(taken[0::2], taken[1::2]))


def _build_map_of_keys(frame: Frame, count: int) -> None:
    *values, keys = frame.pop_many(count + 1)
    if not isinstance(keys, tuple) or len(keys) != count:
        raise Malformed("a number of keys that differs from that of the values")
    frame.push(mapping_of(keys, values))


def mapping_of(keys: Sequence[Value], values: Sequence[Value]) -> dict[Any, Value]:
    """A dictionary. Raises Refused for keys other than texts and numbers."""
    if not all(isinstance(key, (str, int, float, bool, type(None))) for key in keys):
        raise Refused("a dictionary with such keys")
    return dict(zip(keys, values, strict=True))


def _build_string(frame: Frame, count: int) -> None:
    parts = frame.pop_many(count)
    if not all(isinstance(part, str) for part in parts):
        raise Refused("a text of other values")
    frame.push("".join(parts))


def _format(frame: Frame, argument: Any) -> None:
    value = frame.pop()
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise Refused(f"{kind_of(value)} as text")
    frame.push(str(bounded(value)))


def _build_slice(frame: Frame, count: int) -> None:
    if count not in (2, 3):
        raise Malformed("a slice of other than two or three parts")
    frame.push(slice(*frame.pop_many(count)))


def _concatenate_tuples(frame: Frame, count: int) -> None:
    frame.push(tuple(item for part in frame.pop_many(count) for item in items_of(part)))


def _concatenate_lists(frame: Frame, count: int) -> None:
    frame.push([item for part in frame.pop_many(count) for item in items_of(part)])


def _merge_maps(frame: Frame, count: int) -> None:
    merged: dict[Any, Value] = {}
    for part in frame.pop_many(count & 255):
        merged.update(as_map(part))
    frame.push(merged)


def as_map(value: Value) -> dict[Any, Value]:
    """The value, if it is a dictionary. Raises Refused otherwise."""
    if not isinstance(value, dict):
        raise Refused(f"{kind_of(value)} unpacked into keywords")
    return value


def _unpack(frame: Frame, count: int) -> None:
    value = frame.pop()
    items = items_of(value)
    if len(items) != count:
        raise Refused(f"{kind_of(value)} of {len(items)} unpacked into {count} variables")
    frame.stack += reversed(items)


def _unpack_rest(frame: Frame, counts: int) -> None:
    """`a, *b, c = x`: the number before the star, and in the second byte the number after it."""
    before, after = counts & 255, counts >> 8
    items = items_of(frame.pop())
    if len(items) < before + after:
        raise Refused(f"{len(items)} values unpacked into more variables")
    stop = len(items) - after
    frame.stack += [*reversed(items[stop:]), items[before:stop], *reversed(items[:before])]


def _list_at(frame: Frame, depth: int) -> list[Value]:
    found = frame.peek(depth)
    if not isinstance(found, list):
        raise Malformed("a list that is none")
    return found


def _append(frame: Frame, depth: int) -> None:
    value = frame.pop()
    items = _list_at(frame, depth)
    items.append(value)
    bounded(items)


def _extend(frame: Frame, depth: int) -> None:
    more = items_of(frame.pop())
    items = _list_at(frame, depth)
    items.extend(more)
    bounded(items)


def _to_tuple(frame: Frame, argument: Any) -> None:
    frame.push(tuple(items_of(frame.pop())))


def _update(frame: Frame, depth: int) -> None:
    more = as_map(frame.pop())
    as_map(frame.peek(depth)).update(more)


def _add_to_map(frame: Frame, depth: int) -> None:
    key, value = frame.pop_many(2)
    store_item(as_map(frame.peek(depth)), key, value)


def _store_map(frame: Frame, argument: Any) -> None:
    """Python 2: the key is on top, then the value, then the map, which stays."""
    value, key = frame.pop_many(2)
    store_item(as_map(frame.peek(1)), key, value)


#: Operations by name.
CONTAINERS: Mapping[str, Operation] = {
    "build_tuple": _build_tuple,
    "build_list": _build_list,
    "build_map": _build_map,
    "build_map_of_keys": _build_map_of_keys,
    "build_string": _build_string,
    "build_slice": _build_slice,
    "format": _format,
    "concatenate_tuples": _concatenate_tuples,
    "concatenate_lists": _concatenate_lists,
    "merge_maps": _merge_maps,
    "unpack": _unpack,
    "unpack_rest": _unpack_rest,
    "append": _append,
    "extend": _extend,
    "to_tuple": _to_tuple,
    "update": _update,
    "add_to_map": _add_to_map,
    "store_map": _store_map,
}
