"""Writes docs/reason_codes.md and docs/report_columns.md from the program's own tables.

python scripts/docs_tables.py            writes them
python scripts/docs_tables.py --check    exit status 1 when they are behind the code
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

from pipeline.report.row import DESCRIPTIONS, ReportRow
from transforms.errors import FAILURES, MEANINGS, REMEDIES, Reason

DOCS = Path(__file__).parents[1] / "docs"
#: What the types of a report row are called in Parquet.
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
    rows = [f"| `{each.name}` | {TYPES[str(each.type)]} | {DESCRIPTIONS[each.name]} |" for each in fields(ReportRow)]
    head = (
        f"{_NOTE}# Report columns\n\n"
        "`report.parquet` has one row for each row of the manifest, in its order. `report.csv` holds the same; lists "
        'are joined by "; ", and a text that a spreadsheet would take for a formula begins with an apostrophe. Texts '
        "are empty and errors NaN where there is nothing to say.\n"
    )
    return "\n".join([head, "| column | type | |", "|---|---|---|", *rows, ""])


PAGES: Mapping[str, Callable[[], str]] = {"reason_codes.md": reason_codes, "report_columns.md": report_columns}


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
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
