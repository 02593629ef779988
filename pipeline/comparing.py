"""`h5ferry diff`: what changed between two reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from pipeline.terminal import printable

if TYPE_CHECKING:
    import pandas as pd

_KEY = ["model", "version"]
#: Columns whose change matters; the rest (times, run ids) differ from run to run.
_COMPARED = ("status", "reason", "evidence", "source_sha256", "output_sha256", "architecture")
_DONE = ("migrated", "unchanged")


def compare_reports(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """One row for each difference: model, version, column, old, new; column `row` for one that came or went.

    `migrated` in one and `unchanged` in the other is no difference.
    """
    import pandas as pd

    columns = [column for column in _COMPARED if column in old and column in new]
    joined = old[_KEY + columns].merge(
        new[_KEY + columns], on=_KEY, how="outer", suffixes=("_old", "_new"), indicator=True
    )
    found = []
    for row in joined.to_dict("records"):
        if row["_merge"] != "both":
            side = "old" if row["_merge"] == "left_only" else "new"
            found.append((row["model"], row["version"], "row", *(("there", "") if side == "old" else ("", "there"))))
            continue
        for column in columns:
            before, after = row[f"{column}_old"], row[f"{column}_new"]
            if before != after and not (before in _DONE and after in _DONE):
                found.append((row["model"], row["version"], column, before, after))
    return pd.DataFrame(found, columns=[*_KEY, "column", "old", "new"])


def print_differences(differences: pd.DataFrame) -> None:
    """Prints one line for each difference."""
    console = Console(highlight=False)
    for row in differences.to_dict("records"):
        line = f"{row['model']}/{row['version']}  {row['column']}: {row['old'] or '(none)'} -> {row['new'] or '(none)'}"
        console.print(Text(printable(line)), soft_wrap=True)
    if differences.empty:
        console.print("No difference.")
