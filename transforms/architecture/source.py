"""Reads an architecture stored beside weights: JSON, or YAML with a loader that builds only plain data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from transforms.architecture.config_json import parse_config
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits, over_budget
from transforms.records.outcome import is_python
from transforms.source.file import read_regular


def read_architecture(path: Path, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The parsed architecture.

    Raises:
        MigrationError: `source_missing`, `unsafe_storage`, `invalid_config`, `over_budget`; `custom_objects_needed` for
            Python code.
    """
    if is_python(path):
        raise MigrationError(
            Reason.CUSTOM_OBJECTS_NEEDED,
            "The architecture is a Python file, which is executed only where custom code is allowed",
            advice="Pass --allow-custom-code to migrate, or give the architecture as JSON.",
        )
    try:
        text = read_regular(path, "architecture", limits, "json_bytes").decode()
    except UnicodeError as error:
        raise MigrationError(Reason.INVALID_CONFIG, "The architecture is not UTF-8 text") from error
    if path.suffix.lower() in (".yaml", ".yml") or not text.lstrip().startswith(("{", '"')):
        return _parse_yaml(text, limits)
    parsed = parse_config(text, "architecture", limits)
    return parse_config(parsed, "architecture", limits) if isinstance(parsed, str) else parsed


#: Python writes 1e308 in 309 digits at most.
_NUMBER_CHARACTERS = 400


class _PlainLoader(yaml.CSafeLoader):
    """Builds only plain data; tuples and Python 2 strings, which Keras also wrote, become lists and strings."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """The object. Raises ValueError where a key stands in it twice, of which YAML's loaders take the last."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(keys):
            raise ValueError("an object has two entries of one key")
        return super().construct_mapping(node, deep)


def _as_number(construct: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A number as JSON has it: of bounded length, and not to the base of 60, which takes quadratic time to read."""

    def constructed(loader: Any, node: Any) -> Any:
        if len(node.value) > _NUMBER_CHARACTERS or ":" in node.value:
            raise ValueError(f"{node.value[:40]!r} is no number that Keras writes")
        return construct(loader, node)

    return constructed


def _as_list(loader: Any, node: Any) -> Any:
    return loader.construct_sequence(node, deep=True)


def _as_string(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


for _tag, _constructor in (("tuple", _as_list), ("unicode", _as_string), ("str", _as_string)):
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:python/{_tag}", _constructor)
_PlainLoader.add_constructor("tag:yaml.org,2002:int", _as_number(yaml.CSafeLoader.construct_yaml_int))
_PlainLoader.add_constructor("tag:yaml.org,2002:float", _as_number(yaml.CSafeLoader.construct_yaml_float))


def _parse_yaml(text: str, limits: Limits) -> Any:
    """Parses YAML within the limits of JSON, restricted to JSON's data types."""
    try:
        _check_events(text, limits)
        plain = json.dumps(yaml.load(text, Loader=_PlainLoader))
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"The architecture is not usable YAML: {' '.join(str(error).split())[:120]}"
        ) from error
    return parse_config(plain, "architecture", limits)


def _check_events(text: str, limits: Limits) -> None:
    """Counts depth and values from the events of the parser, before anything is composed of them.

    The composer recurses for each level, in C; and an alias represents a whole subtree, so that a few lines may
    represent billions of values, or contain themselves.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=_PlainLoader):
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            open_nodes.append((event.anchor, total))
            if len(open_nodes) > limits.json_depth:
                raise over_budget("The architecture nests deep", "json_depth", limits)
            total += 1
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f"the alias {str(event.anchor)[:40]!r} refers to an incomplete value")
            total += sizes[event.anchor]
        if total > 2 * limits.json_values:
            raise over_budget(f"The architecture holds {total:,} values and keys", "json_values", limits)
