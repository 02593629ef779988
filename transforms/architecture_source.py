"""Reads an architecture that is stored beside weights: JSON, or YAML through a loader that builds plain data only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from transforms.config_json import parse_config
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits


def read_architecture(path: Path, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The parsed architecture.

    Raises:
        MigrationError: `source_missing`, `invalid_config`, `over_budget`.
    """
    try:
        if path.stat().st_size > limits.json_bytes:
            raise MigrationError(Reason.OVER_BUDGET, f"The architecture is larger than {limits.json_bytes:,} bytes")
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


def _parse_yaml(text: str) -> Any:
    if "!!python" in text or ("&" in text and "*" in text and len(text) > 1 << 20):
        raise MigrationError(Reason.INVALID_CONFIG, "The YAML architecture holds Python objects, or large aliases")
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"The architecture is not usable YAML: {' '.join(str(error).split())[:120]}"
        ) from error
