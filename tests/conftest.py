"""Which tests run in one process, so that expensive work is done once; and no test fails for being slow."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

#: Processes that share the migrations of the fixtures.
_SHARES = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups tests by file; those that look at one fixture's artefact are in one process, whatever their file."""
    for item in items:
        fixture = item.callspec.params.get("fixture") if hasattr(item, "callspec") else None
        if fixture is not None and "migrated" in getattr(item, "fixturenames", ()):
            group = f"artefacts-{zlib.crc32(fixture.name.encode()) % _SHARES}"
        else:
            group = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
