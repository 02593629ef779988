"""Write the fixtures of one runtime. Run by its own interpreter: `python -m legacy_fixtures.generate --help`."""

import argparse
import csv
import os
import sys
import zlib

import numpy as np

from . import attention, categories, container, convolution, freezing, functions, functions_numeric, lambdas, losses, precision, preprocessing, rare, recurrent, rewrites  # noqa: F401  they fill the catalogue
from .catalogue import FIXTURES
from .checkpoints import CHECKPOINTS
from .record import goldens
from .runtime import Runtime
from .training import TRAININGS
from .weights import copy_to_cpu, randomise
from .weights_apart import APART


def generate(runtime: Runtime, item: object, path: str, save: object, training: object = None) -> None:
    """Build, draw weights, save, and run: on the CPU twin where the model has CuDNN layers."""
    seed = zlib.crc32((f"{runtime.name}/{item.name}").encode())
    rng = np.random.RandomState(seed)
    runtime.clear(seed)
    model = item.build(runtime)
    randomise(model, rng)
    if item.prepare:
        item.prepare(runtime, model)
    arrays = training.train(runtime, model, rng) if training else {}
    save(runtime, model, path)
    runner = model
    if runtime.has_cudnn:
        runtime.on_cpu = True
        runner = item.build(runtime)
        runtime.on_cpu = False
        copy_to_cpu(runtime, model, runner)
    arrays.update(goldens(runner, item.feeds, rng, item.batch))
    if training:
        arrays.update(training.step(model, arrays))
    np.savez_compressed(path + ".npz", **arrays)


def save_hdf5(runtime: Runtime, model: object, path: str) -> None:
    model.save(path + ".h5")


def write_table(path: str, rows: "list[dict]") -> None:
    with open(path, "w", newline="") as file:
        columns = ["model", "source", "samples", "architecture", "producer", "features"]
        table = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--out", required=True, help="folder; files and their tables go to OUT/RUNTIME")
    parser.add_argument("--only", default="", help="part of a fixture's name")
    args = parser.parse_args()
    folder = os.path.join(args.out, args.runtime)
    os.makedirs(folder, exist_ok=True)
    runtime = Runtime(args.runtime)
    rows = {"fixtures": [], "checkpoints": [], "training": [], "weights": []}
    wanted = [(item, item, "fixtures", save_hdf5, ".h5", None) for item in FIXTURES]
    wanted += [(kept, kept.item, "checkpoints", kept.save, "", None) for kept in CHECKPOINTS]
    wanted += [(each, each.item, "training", save_hdf5, ".h5", each) for each in TRAININGS]
    wanted += [(each, each.item, "weights", each.save, each.ending, None) for each in APART]
    for chosen, item, table, save, suffix, training in wanted:
        if args.runtime in chosen.runtimes and args.only in chosen.name:
            stem = f"{runtime.name}/{chosen.name}"
            if table == "weights":
                chosen.write_architecture(runtime, os.path.join(args.out, stem))
            generate(runtime, item, os.path.join(args.out, stem), save, training)
            row = dict(model=stem, source=stem + suffix, samples=stem + ".npz", producer=runtime.name)
            rows[table].append(dict(row, features=item.features, architecture=stem + ".json"))
            print(stem)
    for table in rows:
        write_table(os.path.join(folder, table + ".csv"), rows[table])
    return 0


if __name__ == "__main__":
    sys.exit(main())
