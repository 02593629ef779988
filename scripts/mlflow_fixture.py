"""Writes tests/fixtures/mlflow-1.30: a registry that MLflow 1.30 itself logs, under Keras 2.15 and its own Python.

python scripts/mlflow_fixture.py --out tests/fixtures/mlflow-1.30 [--environments .legacy]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from make_fixtures import SCRIPTS, LegacyRuntime, ensure_environment

RUNTIME = LegacyRuntime(
    "mlflow-1.30",
    "3.9",
    ("mlflow==1.30.1", "tensorflow-cpu==2.15.1", "keras==2.15.0", "protobuf==4.25.9", "setuptools<70"),
    "mlflow-1.30",
)
#: A server of today, and what asks the models registered there.
SERVER = LegacyRuntime("mlflow-3", "3.11", ("mlflow==3.17.2", "tensorflow-cpu==2.21.0"), "mlflow-3")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the registry, replaced")
    parser.add_argument("--environments", type=Path, default=Path(".legacy"), help="folder of the environments")
    arguments = parser.parse_args()
    interpreter = ensure_environment(RUNTIME, arguments.environments.resolve())
    command = [interpreter, "-W", "ignore", "-m", "legacy_fixtures.mlflow_registry", arguments.out.resolve()]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([str(part) for part in command], check=True, env=environment)
    return 0


if __name__ == "__main__":
    sys.exit(main())
