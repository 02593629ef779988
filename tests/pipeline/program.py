"""The program with stand-ins for what its children run: `python -m tests.pipeline.program migrate … --converter M`.

`--converter`, `--verifier` and `--inspector` are options of this entry alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Never

from pipeline.cli import app
from pipeline.settings import CHILD_FUNCTIONS


def main(arguments: Sequence[str] | None = None) -> Never:
    """Runs the program, the three options above taken out."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--converter", "--verifier", "--inspector"):
        parser.add_argument(option)
    given, others = parser.parse_known_args(sys.argv[1:] if arguments is None else list(arguments))
    chosen = {name: value for name, value in vars(given).items() if value}
    children = replace(CHILD_FUNCTIONS, **chosen, preload=()) if given.converter else replace(CHILD_FUNCTIONS, **chosen)
    app.main(others, children)


if __name__ == "__main__":
    main()
