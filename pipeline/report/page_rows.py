"""Prepares report rows for the page: derived columns, printable texts, and all rows packed for its table."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.manifest.row import ManifestRow
from pipeline.printable import printable
from pipeline.storage.canonical_json import plain_json
from transforms.errors import Reason
from transforms.records.runtime import runtime_of

if TYPE_CHECKING:
    import pandas as pd

#: Columns that the page derives from the report's.
SHARE, DIALECT, REDO = "tolerance_used", "dialect", "redo"
UNKNOWN_DIALECT = "not recorded"

_VERSION = re.compile(r"\d{1,4}(\.\d{1,4})*(-tf)?")
_REWRITE = re.compile(r"(.*?): (\w+)(?: \((.*)\))?", re.DOTALL)
#: Column of lists of rewrites, each "layer: rule (detail)".
_REWRITES = "rewrites"


def derived(frame: pd.DataFrame) -> pd.DataFrame:
    """Adds the derived columns: the dialect, and the commands that repeat the row.

    Columns that an older report lacks are added empty.
    """
    rows = [_with_defaults(row) for row in frame.to_dict("records")]
    result = frame.copy()
    for name in _DEFAULTS:
        if name not in frame:
            result[name] = [row[name] for row in rows]
    result[DIALECT] = [dialect(str(row["keras_version"]), str(row["backend"])) for row in rows]
    result[REDO] = [redo_commands(row) for row in rows]
    return result


_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(("source", "reason", "message", "evidence", "keras_version", "backend", "source_sha256"), ""),
    **dict.fromkeys(("output", "run_id", "h5ferry_version", "manifest_row"), ""),
    **dict.fromkeys(("max_abs_error", "max_rel_error", SHARE), math.nan),
    **dict.fromkeys(("source_bytes", "output_bytes", "parameters", "line"), 0),
    "rtol": ManifestRow.rtol,
    "atol": ManifestRow.atol,
    "seconds": 0.0,
    "assumptions": [],
}


def _with_defaults(row: Mapping[Any, Any]) -> dict[str, Any]:
    found = {str(name): value for name, value in row.items() if value is not None}
    return {**_DEFAULTS, **found}


def dialect(keras_version: str, backend: str) -> str:
    """The code base that wrote a file, such as "Keras 2", "tf.keras" or "Keras 1, theano"."""
    if not _VERSION.fullmatch(keras_version):
        return UNKNOWN_DIALECT
    name = runtime_of(keras_version, backend).generation
    return name if backend in ("", "tensorflow") else f"{name}, {printable(backend)}"


def redo_commands(row: Mapping[str, Any]) -> str:
    """Shell commands that repeat this row on the same source, "" if the manifest itself must change first.

    The manifest entry is ASCII on one line of a quoted here-document: the shell expands nothing in it.
    """
    if row["reason"] in (Reason.INVALID_ROW, Reason.DUPLICATE_OUTPUT):
        return ""
    entry = _recorded_entry(str(row["manifest_row"]))
    complete = bool(entry)
    if not complete:
        entry = {name: row[name] for name in ("model", "version", "source", "rtol", "atol")}
    if row["source_sha256"] and row["reason"] != Reason.DIGEST_MISMATCH:
        entry["sha256"] = row["source_sha256"]
    code = entry.get("custom_objects") or str(entry.get("architecture", "")).endswith(".py")
    commands = [
        "cat > redo.jsonl <<'ROW'",
        json.dumps(entry).replace("\x7f", "\\u007f"),
        "ROW",
        f"h5ferry migrate redo.jsonl --output redo{' --allow-custom-code' if code else ''}",
    ]
    if not complete:
        commands.insert(0, "# samples, architecture and custom objects, if the row had any, are to be added")
    return "\n".join(commands)


def _recorded_entry(text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text or "{}")
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def split_rewrite(text: str) -> tuple[str, str, str]:
    """Layer, rule and detail of "layer: rule (detail)"; other text is all detail."""
    match = _REWRITE.fullmatch(text)
    return (match[1], match[2], match[3] or "") if match else ("", "", text)


def pack(frame: pd.DataFrame, meanings: Mapping[str, Mapping[str, str]]) -> str:
    """All rows as base64 of gzipped JSON: only letters, digits, "+", "/" and "=", which need no escaping in HTML.

    The JSON has `columns`, `rows` (lists in their order; nan is null, infinity "inf") and `meanings`.
    """
    names = [str(name) for name in frame.columns]
    records = zip(*([_plain(name, value) for value in frame[name].tolist()] for name in names), strict=True)
    content = {"columns": names, "rows": list(records), "meanings": meanings}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _plain(column: str, value: Any) -> Any:
    if column == _REWRITES and isinstance(_unboxed(value), list):
        return [[shown(part) for part in split_rewrite(str(text))] for text in value]
    return value if column == REDO else _json(value)


def _json(value: Any) -> Any:
    value = _unboxed(value)
    if isinstance(value, str):
        return shown(value)
    if value is None or isinstance(value, bool | int | float):
        return plain_json(value)
    if isinstance(value, Mapping):
        return {shown(str(key)): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return _instant(value) if isinstance(value, datetime) else shown(str(value))


def _unboxed(value: Any) -> Any:
    """The value as a Python type, if it is NumPy's."""
    return value.tolist() if hasattr(value, "tolist") else value


def _instant(value: datetime) -> str | None:
    return None if value != value else value.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")


def shown(text: str) -> str:
    """`text` with unprintable characters and direction marks escaped."""
    return text if text.isprintable() else printable(text)
