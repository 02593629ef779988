"""Distils which release of TensorFlow knows which operation into transforms/releases/tensorflow_operations.json.

python scripts/tensorflow_operations.py tensorflow_ops.json            writes it
python scripts/tensorflow_operations.py tensorflow_ops.json --check    exit status 1 when it is behind

`tensorflow_ops.json` was read from the operation registries of ten releases, 1.13.2 to 2.21.0: for each operation of
the last one the first of them that registers it (`since`), and attributes that came later (`attrs`). What the first
release knows is left out here: only what is younger tells anything.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "transforms" / "releases" / "tensorflow_operations.json"


def distilled(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The table: releases in order, and by release the operations and the attributes (`Operation.attribute`) new in it.

    Raises ValueError where a later release lacks what an earlier one has: the table could not say so.
    """
    operations: dict[str, list[str]] = defaultdict(list)
    attributes: dict[str, list[str]] = defaultdict(list)
    for name, facts_of in facts["ops"].items():
        if facts_of.get("not_in"):
            raise ValueError(f"{name} is missing from {facts_of['not_in']}")
        operations[facts_of["since"]].append(name)
        for attribute, release in facts_of.get("attrs", {}).items():
            attributes[release].append(f"{name}.{attribute}")
    oldest, *younger = sorted(facts["releases"], key=lambda release: tuple(map(int, release.split("."))))
    return {
        "origin": "Written by scripts/tensorflow_operations.py from the operation registries of the releases listed.",
        "releases": [_named(release) for release in (oldest, *younger)],
        "operations": {_named(release): " ".join(sorted(operations[release])) for release in younger},
        "attributes": {_named(release): " ".join(sorted(attributes[release])) for release in younger},
    }


def _named(release: str) -> str:
    """The minor release: patches register no operations."""
    return ".".join(release.split(".")[:2])


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    written = json.dumps(distilled(json.loads(arguments.facts.read_text("utf-8"))), indent=1) + "\n"
    if arguments.check:
        return int(not TABLE.is_file() or TABLE.read_text("utf-8") != written)
    TABLE.write_text(written, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
