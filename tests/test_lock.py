import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
#: name==version, for which systems and Pythons, hashes: `uv pip compile --universal --generate-hashes`.
ENTRY = re.compile(r"^(\S+)==(\S+)(?: ; .+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
LOCKED = {name: (version, hashes) for name, version, hashes in ENTRY.findall(LOCK)}


def test_every_line_belongs_to_a_version_with_hashes() -> None:
    assert ENTRY.sub("", re.sub(r"^#.*\n", "", LOCK, flags=re.MULTILINE)) == ""


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
def test_what_is_asked_for_is_locked(line: str) -> None:
    requirement = Requirement(line)
    version, _ = LOCKED[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_the_lock_names_no_index() -> None:
    assert not re.search(r"https?:|--(?:extra-)?index-url|--find-links", LOCK)
