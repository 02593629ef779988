"""Write the fixtures of one runtime. Run by its own interpreter: `python -m legacy_fixtures.generate --help`."""

import argparse
import csv
import os
import sys
import zlib

import numpy as np

from . import attention, container, convolution, functions, precision, preprocessing, recurrent  # noqa: F401  they fill the catalogue
from .catalogue import FIXTURES
from .record import goldens, write
from .runtime import Runtime
from .weights import copy_to_cpu, randomise


def generate(runtime: Runtime, item: object, folder: str) -> dict:
    """Build, draw weights, save, and run: on the CPU twin where the model has CuDNN layers."""
    seed = zlib.crc32((f"{runtime.name}/{item.name}").encode())
    rng = np.random.RandomState(seed)
    runtime.clear(seed)
    model = item.build(runtime)
    randomise(model, rng)
    if item.prepare:
        item.prepare(runtime, model)
    runner = model
    if runtime.has_cudnn:
        runtime.on_cpu = True
        runner = item.build(runtime)
        runtime.on_cpu = False
        copy_to_cpu(runtime, model, runner)
    write(model, goldens(runner, item.feeds, rng, item.batch), os.path.join(folder, item.name))
    stem = f"{runtime.name}/{item.name}"
    row = dict(model=stem, source=stem + ".h5", samples=stem + ".npz", producer=runtime.name)
    return dict(row, features=item.features)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--out", required=True, help="folder; files go to OUT/RUNTIME, rows to OUT/RUNTIME/rows.csv")
    parser.add_argument("--only", default="", help="part of a fixture's name")
    args = parser.parse_args()
    folder = os.path.join(args.out, args.runtime)
    os.makedirs(folder, exist_ok=True)
    runtime = Runtime(args.runtime)
    wanted = [item for item in FIXTURES if args.runtime in item.runtimes and args.only in item.name]
    with open(os.path.join(folder, "rows.csv"), "w", newline="") as file:
        table = csv.DictWriter(file, ["model", "source", "samples", "producer", "features"], lineterminator="\n")
        table.writeheader()
        for item in wanted:
            table.writerow(generate(runtime, item, folder))
            print(f"{args.runtime} {item.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
