"""Writes the README's tables from the program's own (reason codes, rewrites, layers), and the last benchmark's.

python scripts/readme_tables.py            writes them between their markers
python scripts/readme_tables.py --check    exit status 1 when the README is behind the code
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.results import read_results
from benchmarks.tables import readme_block

from transforms.admission.classes import WRAPPERS
from transforms.architecture.function_signatures import FUNCTIONS
from transforms.architecture.keras_3 import OPERATIONS
from transforms.errors import FAILURES, MEANINGS, Reason
from transforms.layer_specs.registry import WEIGHTED, WEIGHTLESS
from transforms.legacy.dialects import DIALECTS
from transforms.records.rewrites import REWRITES
from transforms.weights.roles_keras_1 import KERAS_1_WEIGHTED, KERAS_1_WEIGHTLESS

README = Path(__file__).parents[1] / "README.md"


def reasons() -> str:
    """One row for each reason code."""
    rows = [
        f"| `{reason.value}` | {'failed' if reason in FAILURES else 'refused'} | {MEANINGS[reason]} |"
        for reason in Reason
    ]
    return "\n".join(["| reason | status | meaning |", "|---|---|---|", *rows])


def rewrites() -> str:
    """One row for each rewrite."""
    return "\n".join(["| rewrite | what it does |", "|---|---|", *(f"| `{k}` | {v} |" for k, v in REWRITES.items())])


def layers() -> str:
    """The classes that migrate."""
    keras_2 = sorted(WEIGHTED | WEIGHTLESS | WRAPPERS | {"Model", "Functional", "Sequential"})
    keras_1 = sorted((KERAS_1_WEIGHTED | KERAS_1_WEIGHTLESS) - (WEIGHTED | WEIGHTLESS))
    operations = ", ".join(sorted(OPERATIONS))
    return (
        f"Keras 2 and tf.keras: {', '.join(keras_2)}.\n\nKeras 1 besides: {', '.join(keras_1)}.\n\n"
        f"Keras 3 besides: the operations {operations}.\n\n"
        f"TensorFlow functions of tf.keras 2.0 to 2.15 by their stored name, or the operation of such a function: "
        f"{', '.join(sorted(FUNCTIONS))}."
    )


def dialects() -> str:
    """One row for each generation of Keras."""
    rows = [f"| {each.name} | {each.recognised_by} | {each.special} |" for each in DIALECTS]
    return "\n".join(["| written by | recognised by | what is special |", "|---|---|---|", *rows])


def benchmark() -> str:
    """The figures of the last benchmark."""
    return readme_block(read_results(README.parent / "docs" / "benchmark.json"))


TABLES: Mapping[str, Callable[[], str]] = {
    "reasons": reasons,
    "rewrites": rewrites,
    "layers": layers,
    "dialects": dialects,
    "benchmark": benchmark,
}


def with_tables(text: str) -> str:
    """The README with every table as the code has it now. Raises ValueError when a marker is missing."""
    for name, table in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        content = table()
        text, found = pattern.subn(lambda match, content=content: f"{match[1]}{content}\n{match[2]}", text)
        if found != 1:
            raise ValueError(f"README.md has {found} places for the table {name}")
    return text


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text = README.read_text("utf-8")
    current = with_tables(text)
    if arguments.check:
        return int(current != text)
    README.write_text(current, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
