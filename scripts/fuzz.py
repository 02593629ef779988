"""Fuzzes the reader of files, the parser of configs, or the translation of Lambda functions, for a bounded time.

    scripts/fuzz.py reader --seconds 60

Each input must be read or refused with a reason; any other exception is a finding and ends the run with status 1. The
fuzzer runs in a child. HDF5 itself may crash on a damaged file, which in the program affects one row: here it is
counted, the input is stored, and a new child continues.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "fixtures" / "fuzz"
FINDINGS = ROOT / "out" / "fuzz"
SEED = 20240


def main() -> None:
    """Runs children until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=["config", "lambda", "reader"])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        fuzz(arguments.target, Path(arguments.child), arguments.seconds)
        return
    findings = FINDINGS / arguments.target
    findings.mkdir(parents=True, exist_ok=True)
    deadline, crashes, children = time.monotonic() + arguments.seconds, 0, 0
    with tempfile.TemporaryDirectory(prefix="h5ferry-fuzz-") as scratch:
        grown = Path(scratch) / "corpus"
        grown.mkdir()
        for seed in (CORPUS / arguments.target).iterdir():
            (grown / seed.name).write_bytes(seed.read_bytes())
        while (left := int(deadline - time.monotonic())) > 0:
            children += 1
            command = [sys.executable, __file__, arguments.target, "--seconds", str(left), "--child", str(grown)]
            done = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
                cwd=findings,
                check=False,
            )
            if done.returncode < 0:
                crashes += 1
            elif done.returncode:
                sys.exit(f"{arguments.target}: a finding, see {findings}")
        corpus = sum(1 for _ in grown.iterdir())
    print(f"{arguments.target}: no finding; {corpus} inputs of different coverage, {crashes} crashes within HDF5")


def fuzz(target: str, corpus: Path, seconds: int) -> None:
    """Fuzzes in this process until the time is over or something is found."""
    import atheris

    with atheris.instrument_imports(include=["transforms"]):
        from transforms.admission.classes import admit
        from transforms.admission.serialized_objects import check_stored_objects
        from transforms.architecture.config_json import parse_config
        from transforms.architecture.config_values import config_errors
        from transforms.architecture.parsing import parse_architecture
        from transforms.canonical import canonicalise
        from transforms.errors import MigrationError
        from transforms.lambda_functions.code_object import Unreadable
        from transforms.lambda_functions.layer_call import Inputs
        from transforms.lambda_functions.stored_function import stored_function
        from transforms.lambda_functions.trace import Era
        from transforms.lambda_functions.translate import NotTranslated, translate
        from transforms.legacy.model import open_legacy_model
        from transforms.records.runtime import runtime_of

    file = corpus.parent / "input.h5"

    def read_config(data: bytes) -> None:
        try:
            config = parse_config(data.decode("utf-8", "surrogateescape"), "config")
            json.dumps(config)
            with config_errors():
                graph = parse_architecture(config)
                admit(graph, runtime_of("2.2.4", "tensorflow"))
                check_stored_objects(graph, custom_code=False)
        except MigrationError:
            return

    era, inputs = Era(runtime_of("2.2.4", "tensorflow"), 1), Inputs(((None, 4, 6),), (False,), False, {})

    def read_function(data: bytes) -> None:
        try:
            translate(stored_function([base64.b64encode(data).decode(), None, None], "lambda"), inputs, era)
        except (NotTranslated, Unreadable):
            return

    def read_file(data: bytes) -> None:
        file.write_bytes(data)
        try:
            with open_legacy_model(file) as model:
                canonicalise(model)
                for path in model.arrays:
                    model.weights_of(path)
        except MigrationError:
            return

    limits = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=20", "-max_len=16384", "-verbosity=0"]
    options = [f"-seed={SEED}", "-print_final_stats=1", "-artifact_prefix=./"]
    read = {"config": read_config, "lambda": read_function, "reader": read_file}[target]
    atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
