"""Rebuild tests/fixtures with the legacy runtimes themselves.

    python scripts/make_fixtures.py --out tests/fixtures [--environments .legacy] [--runtime keras-2.2.4]

Each runtime of `legacy_fixtures/runtimes.toml` gets a virtual environment (made where it is missing, from pinned
requirements), and its own interpreter writes its models and their outputs.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
#: The tables of the fixtures, with their columns.
TABLES = {
    "fixtures.csv": ["model", "source", "samples", "producer", "features"],
    "training.csv": ["model", "source", "samples", "producer", "features"],
    "checkpoints.csv": ["model", "source", "samples", "architecture", "producer", "features"],
    "weights.csv": ["model", "source", "samples", "architecture", "producer", "features"],
}


@dataclass(frozen=True)
class LegacyRuntime:
    """A Keras of some year, and the environment it runs in."""

    name: str
    python: str
    requirements: tuple[str, ...]
    environment: str

    def interpreter(self, environments: Path) -> Path:
        return environments / self.environment / "bin" / "python"


def read_runtimes(path: Path) -> list[LegacyRuntime]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        LegacyRuntime(
            name,
            table["python"],
            tuple(table.get("requirements") or tables[table["environment"]]["requirements"]),
            table.get("environment", name),
        )
        for name, table in tables.items()
    ]


def find_python(version: str) -> Path:
    """An interpreter `pythonX.Y` from the path, or from pyenv."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted((pyenv / "versions").glob(f"{version}.*/bin/python"))
    if found:
        return found[-1]
    if on_path:
        return Path(on_path)
    raise FileNotFoundError(f"no Python {version}: install it (pyenv install {version}), or put it on the path")


def ensure_environment(runtime: LegacyRuntime, environments: Path) -> Path:
    """The runtime's interpreter, made from its pinned requirements where there is none yet."""
    interpreter = runtime.interpreter(environments)
    if not interpreter.exists():
        home = environments / runtime.environment
        subprocess.run([find_python(runtime.python), "-m", "venv", home], check=True)
        try:
            subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *runtime.requirements], check=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(home)  # half an environment would pass for a whole one next time
            raise
    return interpreter


def write_fixtures(runtime: LegacyRuntime, interpreter: Path, out: Path) -> None:
    command = [interpreter, "-W", "ignore", "-m", "legacy_fixtures.generate", "--runtime", runtime.name, "--out", out]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([str(part) for part in command], check=True, env=environment)


def rows(out: Path, table: str, runtimes: list[LegacyRuntime]) -> Iterator[dict[str, str]]:
    """The rows that the runtimes left beside their files, and those of runtimes that were not asked for."""
    fresh = {runtime.name for runtime in runtimes}
    index = out / table
    if index.exists():
        with index.open(encoding="utf-8", newline="") as file:
            yield from (row for row in csv.DictReader(file) if row["producer"] not in fresh)
    for runtime in runtimes:
        part = out / runtime.name / table
        with part.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
        part.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the fixtures")
    parser.add_argument("--environments", type=Path, default=Path(".legacy"), help="folder of the environments")
    parser.add_argument("--runtime", action="append", default=[], help="only this runtime (may be repeated)")
    args = parser.parse_args()
    known = read_runtimes(SCRIPTS / "legacy_fixtures" / "runtimes.toml")
    unknown = set(args.runtime) - {runtime.name for runtime in known}
    if unknown:
        parser.error(f"unknown runtime {', '.join(sorted(unknown))}; known: {', '.join(r.name for r in known)}")
    wanted = [runtime for runtime in known if not args.runtime or runtime.name in args.runtime]
    out, environments = args.out.resolve(), args.environments.resolve()
    for runtime in wanted:
        interpreter = ensure_environment(runtime, environments)
        shutil.rmtree(out / runtime.name, ignore_errors=True)
        write_fixtures(runtime, interpreter, out)
    for table, columns in TABLES.items():
        entries = sorted(rows(out, table, wanted), key=lambda row: row["model"])
        with (out / table).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(entries)
        print(f"{len(entries)} fixtures in {args.out / table}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
