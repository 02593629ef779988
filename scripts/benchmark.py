"""Measures h5ferry, its peers, `cp` and `sha256sum` on this machine.

python scripts/benchmark.py                     all of it; about 20 minutes on two quiet cores
python scripts/benchmark.py --quick             less of it; a few minutes
python scripts/benchmark.py --only sizes,peers  these sections; the others stay as they were measured before
python scripts/benchmark.py --render            measures nothing: writes page and drawing from the results again

Writes benchmark.json, benchmark.md and benchmark.svg into docs/, and the README's figures by scripts/docs_tables.py.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.drawing import draw
from benchmarks.large_models import large_models
from benchmarks.machine import describe_machine
from benchmarks.peer_runs import peers_on_architectures, peers_on_one_architecture
from benchmarks.registry_runs import architectures, same_architecture, workers
from benchmarks.results import read_results, write_section
from benchmarks.scale import SCALES, Scale
from benchmarks.start_up import start_up
from benchmarks.tables import document, target_table

ROOT = Path(__file__).parents[1]
SECTIONS: Mapping[str, Callable[[Scale, Path], dict[str, Any]]] = {
    "start_up": start_up,
    "same": same_architecture,
    "peers": peers_on_one_architecture,
    "architectures": architectures,
    "peer_architectures": peers_on_architectures,
    "workers": workers,
    "sizes": large_models,
}


def main() -> int:
    """Returns the exit status: 1 if a section failed; the others are still measured."""
    arguments = _arguments()
    results = arguments.folder / "benchmark.json"
    failed = False
    if not arguments.render:
        _warm_up()
        for name in arguments.only or SECTIONS:
            failed |= not _measured(name, SCALES[arguments.scale], arguments.scratch, results)
    found = read_results(results)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "benchmark.md").write_text(document(found), "utf-8")
    draw(found, arguments.folder / "benchmark.svg")
    print(target_table(found))
    if arguments.folder == ROOT / "docs":
        subprocess.run([sys.executable, str(ROOT / "scripts" / "docs_tables.py")], check=True)
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=[*SCALES], default="full")
    parser.add_argument("--quick", dest="scale", action="store_const", const="quick", help="the same as --scale quick")
    parser.add_argument("--only", type=_sections, help=f"sections, with commas between: {', '.join(SECTIONS)}")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="receives the results")
    parser.add_argument("--scratch", type=Path, default=ROOT / "out", help="on the disk that is measured; needs 15 GB")
    return parser.parse_args()


def _sections(text: str) -> list[str]:
    names = text.split(",")
    unknown = set(names) - set(SECTIONS)
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no section {min(unknown)}")
    return names


def _warm_up() -> None:
    """Imports once, since the first import after a start of the machine measures the disk."""
    subprocess.run([sys.executable, "-c", "import apache_beam, tf_keras"], check=True, capture_output=True)


def _measured(name: str, scale: Scale, scratch: Path, results: Path) -> bool:
    """Measures one section and stores it. False if it failed, which is reported."""
    print(f"{name} …", file=sys.stderr, flush=True)
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=scratch))
    start = time.perf_counter()
    try:
        section = SECTIONS[name](scale, folder)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(f"{name} failed: {error}", file=sys.stderr)
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_section(results, describe_machine(scratch), name, section)
    print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
