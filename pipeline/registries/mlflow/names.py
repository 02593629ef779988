"""Names of registered models as names of a manifest, and back.

MLflow's names may hold any character. A byte (of UTF-8) that cannot stand where it does in a manifest's name becomes
`_xHH`; `_` itself becomes `_x5F`, only in a name that would otherwise be read as another one.
"""

from __future__ import annotations

import re

from pipeline.publication.layout import RESERVED

_ESCAPE = re.compile(rb"_x([0-9A-F]{2})")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/")
#: After this "/" stands a part that is empty, or could be taken for a version.
_SLASH_OF_TEXT = re.compile(rb"/(?=/|$|[0-9]+(?:/|$))")


def manifest_name(registered: str) -> str:
    """The name in a manifest of a registered model; no two share one."""
    name = _escaped(registered, underscores=False)
    return name if registered_name(name) == registered else _escaped(registered, underscores=True)


def registered_name(model: str) -> str:
    """The name of which `manifest_name` makes this one; a name that it never makes stays as it is."""
    data = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), model.encode())
    try:
        name = data.decode()
    except UnicodeDecodeError:
        return model
    return name if name and model in (_escaped(name, underscores=False), _escaped(name, underscores=True)) else model


def _escaped(name: str, *, underscores: bool) -> str:
    data = name.encode("utf-8", "replace")
    escaped = {found.start() for found in _ESCAPE.finditer(data)} if underscores else set()
    escaped |= {found.start() for found in _SLASH_OF_TEXT.finditer(data)}
    escaped |= {found.end() - 1 for found in re.finditer(rb"(?:^|/)[.-]", data)}
    if data.startswith(b"/") or name.split("/")[0].casefold() == RESERVED:
        escaped.add(0)
    return "".join(
        f"_x{byte:02X}" if index in escaped or byte not in _PLAIN else chr(byte) for index, byte in enumerate(data)
    )
