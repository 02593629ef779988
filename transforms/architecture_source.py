"""Reads an architecture that is stored beside weights: JSON, or YAML through a loader that builds plain data only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from transforms.config_json import parse_config
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits, over_budget

_MAX_ALIASED = 100_000


def read_architecture(path: Path, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The parsed architecture.

    Raises:
        MigrationError: `source_missing`, `invalid_config`, `over_budget`; `custom_objects_needed` for Python code.
    """
    if is_python(path):
        raise MigrationError(
            Reason.CUSTOM_OBJECTS_NEEDED,
            "The architecture is a Python file, which is executed only where custom code is allowed",
            advice="Pass --allow-custom-code to migrate, or give the architecture as JSON.",
        )
    try:
        if path.stat().st_size > limits.json_bytes:
            raise over_budget(f"The architecture holds {path.stat().st_size:,} bytes", "json_bytes", limits)
        text = path.read_text("utf-8")
    except OSError as error:
        raise MigrationError(
            Reason.SOURCE_MISSING, f"The architecture cannot be read: {error.strerror}", advice="Check its path."
        ) from error
    except UnicodeError as error:
        raise MigrationError(Reason.INVALID_CONFIG, "The architecture is not UTF-8 text") from error
    if path.suffix.lower() in (".yaml", ".yml") or not text.lstrip().startswith(("{", '"')):
        return _parse_yaml(text)
    parsed = parse_config(text, "architecture", limits)
    return parse_config(parsed, "architecture", limits) if isinstance(parsed, str) else parsed


def is_python(path: Path) -> bool:
    """True for an architecture that only code can tell: a file that defines `build_model()`."""
    return path.suffix.lower() == ".py"


class _PlainLoader(yaml.CSafeLoader):
    """Builds plain data only; Keras also wrote tuples and Python 2 strings, which become lists and strings."""


def _as_list(loader: Any, node: Any) -> Any:
    return loader.construct_sequence(node, deep=True)


def _as_string(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


for _tag, _constructor in (("tuple", _as_list), ("unicode", _as_string), ("str", _as_string)):
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:python/{_tag}", _constructor)


def _parse_yaml(text: str) -> Any:
    """Parses YAML. An alias stands for a whole subtree, so a text that is large must not use any."""
    if len(text) > _MAX_ALIASED and "*" in text and "&" in text:
        raise MigrationError(Reason.OVER_BUDGET, f"The YAML architecture has aliases and over {_MAX_ALIASED:,} bytes")
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"The architecture is not usable YAML: {' '.join(str(error).split())[:120]}"
        ) from error
