"""Which tests run in one process, so that expensive work is done once; and no test fails for being slow."""

from __future__ import annotations

import re
import zlib

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

#: Files whose tests of one fixture look at its artefact, which is migrated once in a process.
_OF_ARTEFACTS = ("tests/transforms/migration/test_migrate.py", "tests/transforms/saved_model/test_writer.py")
_FIXTURE = re.compile(r"\[([^/\]]+/[^\]]+)\]")
#: Into how many parts the fixtures are divided.
_PARTS = 8
#: Files of few and long tests: begun first, so that no process works on one when all others have ended.
_LONG = re.compile(r"tests/(test_\w+|faults/.*|h5ferry/.*|pipeline/(run|cli)/.*)\.py")


class SharedWork(LoadScopeScheduling):
    """Gives the tests of a file to one process, and those of a fixture's artefact.

    `--dist loadgroup` would read this from marks, which xdist 3.8 does not see under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        fixture = _FIXTURE.search(nodeid) if file in _OF_ARTEFACTS else None
        return f"artefacts {zlib.crc32(fixture[1].encode()) % _PARTS}" if fixture else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> SharedWork:
    """Called by xdist, in the process that distributes the tests."""
    return SharedWork(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first."""
    items.sort(key=lambda item: _LONG.fullmatch(item.nodeid.partition("::")[0]) is None)
