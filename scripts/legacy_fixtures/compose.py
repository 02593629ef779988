"""Compose random models under a legacy runtime, to be converted and compared.

    python -m legacy_fixtures.compose --runtime keras-2.2.4 --out DIR [--count 60] [--seed 1000]

Writes DIR/RUNTIME/rnd_SEED.h5 and .npz, and DIR/expected.csv over all runtimes. A seed whose model the runtime itself
refuses, or whose outputs are not finite, constant, out of scale or ill-conditioned, is skipped and says why.
"""

import argparse
import csv
import glob
import os
import sys
import time

import numpy as np

from .models import Composer
from .record import goldens, predict, write
from .runtime import Runtime
from .tags import tags
from .weights import copy_to_cpu, leaves, randomise

COLUMNS = "model source version architecture samples backend custom_objects expect reason features origin".split()
OPTIMIZERS = ["adam", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam"]
LOSSES = ["mse", "mae", "msle", "hinge", "logcosh", "poisson"]


class Skip(Exception):
    """A model that is no test."""


def train(runtime: Runtime, model: object, arrays: dict, rng: np.random.RandomState) -> "list[str]":
    """Compile, and fit where a CPU can, so that the file holds an optimizer's state."""
    optimizer, loss = OPTIMIZERS[rng.randint(7)], LOSSES[rng.randint(6)]
    model.compile(optimizer, loss)
    words = [f"compiled_{optimizer}_{loss}"]
    if rng.rand() < 0.5 and not runtime.has_cudnn and not getattr(model, "stateful", False):
        xs = [arrays[key] for key in sorted(arrays) if key.startswith("x")]
        ys = [arrays[key] for key in sorted(arrays) if key.startswith("y")]
        model.train_on_batch(xs if len(xs) > 1 else xs[0], ys if len(ys) > 1 else ys[0])
        words += ["fitted", "has_optimizer_weights"]
    return words


def judge(arrays: dict) -> None:
    """Outputs that would hide a mistake, or exaggerate rounding, are of no use."""
    for key in arrays:
        if not key.lstrip("alt_").startswith("y"):
            continue
        value = arrays[key].astype("float64")
        amplitude = np.abs(value).max() if value.size else 0.0
        if not 0.02 <= amplitude <= 30:
            raise Skip(f"{key} has amplitude {amplitude:.2g}")
        if key.startswith("y") and np.ptp(value, axis=0).max() < 0.02 * amplitude:
            raise Skip(f"{key} hardly depends on the input")


def shaken(runner: object, arrays: dict, rng: np.random.RandomState) -> None:
    """Weights moved by their last bits must not move the outputs beyond the tolerance of the comparison."""
    kept = [leaf.get_weights() for leaf in leaves(runner)]
    for leaf, values in zip(leaves(runner), kept):
        leaf.set_weights([(v * (1 + 5e-7 * rng.normal(size=v.shape))).astype(v.dtype) for v in values])
    inputs = [arrays[key] for key in sorted(arrays) if key.startswith("x")]
    for i, value in enumerate(predict(runner, inputs)):
        if not (np.abs(value - arrays[f"y{i}"]) <= 1e-5 + 1e-4 * np.abs(value)).all():
            raise Skip(f"y{i} is ill-conditioned")
    for leaf, values in zip(leaves(runner), kept):
        leaf.set_weights(values)


def compose(runtime: Runtime, seed: int, folder: str) -> dict:
    rng = np.random.RandomState(seed)
    double = rng.rand() < 0.04
    runtime.clear(seed)
    runtime.backend.set_floatx("float64" if double else "float32")
    composer = Composer(runtime, seed)
    model = composer.compose()
    randomise(model, rng, gain=rng.choice([1.0, 1.3, 1.6]))
    runner = model
    if runtime.has_cudnn:
        runtime.on_cpu = True
        runner = Composer(runtime, seed).compose()
        copy_to_cpu(runtime, model, runner)
    arrays = goldens(runner, composer.feeds, rng, composer.batch)
    judge(arrays)
    shaken(runner, arrays, rng)
    words = sorted(composer.graph.features) + ["floatx64"] * double
    frozen = rng.rand() < 0.12
    if frozen:
        found = leaves(model)
        found[rng.randint(len(found))].trainable = False
        words.append("frozen")
    if rng.rand() < 0.25:
        words += train(runtime, model, arrays, rng)
        if "fitted" in words:
            again = goldens(model, composer.feeds, rng, composer.batch)
            judge(again)
            arrays = again
    name = f"{runtime.name}/rnd_{seed}"
    path = os.path.join(folder, name)
    write(model, arrays, path)
    if os.path.getsize(path + ".h5") > 150_000:
        os.remove(path + ".h5")
        os.remove(path + ".npz")
        raise Skip("the file is too large")
    row = dict.fromkeys(COLUMNS, "")
    row.update(model=name, source=name + ".h5", version="1", samples=name + ".npz", expect="migrate")
    origin = "legacy-cpu-conversion" if runner is not model else "legacy-runtime"
    return dict(row, features=" ".join(words + tags(model)), origin=origin)


def publish(folder: str) -> None:
    """expected.csv over what all runtimes have written so far."""
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "*", "rows.csv"))):
        with open(path, newline="") as file:
            rows += list(csv.DictReader(file))
    partial = os.path.join(folder, f".expected.{os.getpid()}")
    with open(partial, "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    os.replace(partial, os.path.join(folder, "expected.csv"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=60, help="models to write")
    parser.add_argument("--seed", type=int, default=1000, help="the first seed")
    parser.add_argument("--verbose", action="store_true", help="tracebacks of refused models")
    args = parser.parse_args()
    os.makedirs(os.path.join(args.out, args.runtime), exist_ok=True)
    runtime = Runtime(args.runtime)
    path = os.path.join(args.out, args.runtime, "rows.csv")
    fresh = not os.path.exists(path)
    with open(path, "a", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if fresh:
            table.writeheader()
        made, seed, start = 0, args.seed - 1, time.time()
        while made < args.count and seed < args.seed + 20 * args.count:
            seed += 1
            try:
                table.writerow(compose(runtime, seed, args.out))
            except Exception as error:  # noqa: BLE001  whatever the runtime throws, the next seed may do
                if args.verbose and not isinstance(error, Skip):
                    raise
                print(f"{seed} skipped: {type(error).__name__}: {str(error).splitlines()[:1]}", flush=True)
                continue
            finally:
                runtime.on_cpu = False
                runtime.backend.set_floatx("float32")
            made += 1
            file.flush()
            publish(args.out)
    print(f"{args.runtime}: {made} models, seeds {args.seed}-{seed}, {time.time() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
