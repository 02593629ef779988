"""Generates the pages of docs/ from the program's own tables, and the README's figures from the last benchmark.

python scripts/docs_tables.py            writes them
python scripts/docs_tables.py --check    exit status 1 if they are out of date
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.results import read_results
from benchmarks.tables import readme_block
from supported_layers import supported_layers

from pipeline.report.row import COLUMN_TYPES, DESCRIPTIONS
from transforms.errors import FAILURES, MEANINGS, REMEDIES, Reason
from transforms.records.rewrites import REWRITES

DOCS = Path(__file__).parents[1] / "docs"
README = DOCS.parent / "README.md"
_BENCHMARK = re.compile(r"(<!-- benchmark -->\n).*?(<!-- end of benchmark -->)", re.DOTALL)
#: Names of a report row's types in Parquet.
TYPES = {
    "str": "text",
    "int": "int64",
    "float": "float64",
    "bool": "boolean",
    "tuple[str, ...]": "list of text",
    "datetime": "timestamp, UTC",
}
_NOTE = "<!-- Written by scripts/docs_tables.py: change the tables in the code. -->\n"


def reason_codes() -> str:
    """A section for each reason."""
    sections = [
        f"## `{reason.value}`\n\nStatus `{'failed' if reason in FAILURES else 'refused'}`: {MEANINGS[reason]}.\n\n"
        f"What to do: {REMEDIES[reason]}\n"
        for reason in Reason
    ]
    head = (
        f"{_NOTE}# Reason codes\n\n"
        "Column `reason` of the report holds one of these codes where a row was `refused` (the input is not "
        "acceptable) or `failed` (the machine or the program failed; running again may help). Column `message` names "
        "file, layer and values. Nothing was published for such a row, and what an earlier run published stays as it "
        "was.\n"
    )
    return "\n".join([head, *sections])


def report_columns() -> str:
    """A table of the report's columns, in order."""
    rows = [f"| `{name}` | {TYPES[kind]} | {DESCRIPTIONS[name]} |" for name, kind in COLUMN_TYPES.items()]
    head = (
        f"{_NOTE}# Report columns\n\n"
        "`report.parquet` has one row for each row of the manifest, in its order. `report.csv` holds the same; lists "
        'are joined by "; ", and a text that a spreadsheet would take for a formula begins with an apostrophe. Texts '
        "are empty and errors NaN where there is nothing to say.\n"
    )
    return "\n".join([head, "| column | type | |", "|---|---|---|", *rows, ""])


def rewrites() -> str:
    """A table of the rewrites."""
    head = (
        f"{_NOTE}# Rewrites\n\n"
        "Every change to config or weights on the way to canonical layout stands in column `rewrites` of the report, "
        "with the path of its layer: `layer: rewrite (detail)`.\n"
    )
    rows = [f"| `{name}` | {meaning} |" for name, meaning in REWRITES.items()]
    return "\n".join([head, "| rewrite | what it does |", "|---|---|", *rows, ""])


def layers() -> str:
    """The page of supported layers, class by class."""
    return _NOTE + supported_layers()


def readme(text: str) -> str:
    """The README with the figures of the last benchmark. Raises ValueError when their place is missing."""
    block = readme_block(read_results(DOCS / "benchmark.json"))
    text, found = _BENCHMARK.subn(lambda match: f"{match[1]}{block}\n{match[2]}", text)
    if found != 1:
        raise ValueError(f"README.md has {found} places for the benchmark")
    return text


PAGES: Mapping[str, Callable[[], str]] = {
    "reason_codes.md": reason_codes,
    "report_columns.md": report_columns,
    "rewrites.md": rewrites,
    "supported_layers.md": layers,
}


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    written = README.read_text("utf-8")
    if arguments.check and readme(written) != written:
        return 1
    README.write_text(readme(written), "utf-8")
    for name, page in PAGES.items():
        path = DOCS / name
        if arguments.check:
            if not path.is_file() or path.read_text("utf-8") != page():
                return 1
        else:
            path.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
