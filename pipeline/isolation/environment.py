"""The command line and environment of a child.

The same model gives the same artefact on every machine, so a child sees none of its user's settings. Keras would read
`~/.keras/keras.json` (another float type, another data format), TensorFlow its compiler flags, Python modules in
PYTHONPATH that shadow installed ones.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder

from pipeline.isolation.machine import threads_of
from pipeline.isolation.policy import Role
from transforms.errors import MigrationError, Reason

_PARENT_VARIABLES = ("PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
#: `-s -P` and the explicit list exclude PYTHONPATH, the user's site-packages and the working folder.
_START = "import sys; sys.path[:] = sys.argv[3:]; from pipeline.isolation.worker import main; main()"


def child_command(requests: int, answers: int) -> list[str]:
    """The command that starts a child on two pipe descriptors, with the parent's modules."""
    return [sys.executable, "-s", "-P", "-c", _START, str(requests), str(answers), *_child_path()]


def module_folders(paths: Sequence[str], python_path: str) -> list[str]:
    """The module search path: absolute folders, those of PYTHONPATH last.

    PYTHONPATH therefore shadows no installed module, and modules found only there can still be imported. The folder of
    this program keeps its position.
    """
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    named = {os.path.abspath(path) for path in python_path.split(os.pathsep) if path} - {own}
    folders = [os.path.abspath(path) for path in paths]
    return [*(each for each in folders if each not in named), *(each for each in folders if each in named)]


def refuse_foreign_packages(role: Role) -> None:
    """Checks that a child would import this program's own packages.

    A script may have a folder `transforms` beside it, which comes first on `sys.path`.

    Raises:
        MigrationError: `crashed`, it would import another `pipeline` or `transforms`.
    """
    for name in ("pipeline", "transforms"):
        found = PathFinder.find_spec(name, _child_path())
        if found is None:  # An editable installation has a finder of its own.
            continue
        ours = sys.modules[name].__file__ or ""
        if found.origin is None or not os.path.samefile(found.origin, ours):
            place = found.origin or ", ".join(found.submodule_search_locations or ())
            raise MigrationError(
                Reason.CRASHED,
                f"The {role.value} process was not started: it would import {place} in place of h5ferry's own {name!r}",
                advice="Rename that folder, or take it off Python's path.",
            )


def _child_path() -> list[str]:
    return module_folders(sys.path, os.environ.get("PYTHONPATH", ""))


def child_environment(workers: int) -> dict[str, str]:
    """The child's complete environment: no credentials, no GPU, no HDF5 plug-ins, no Keras settings; its thread
    counts.
    """
    threads = str(threads_of(workers))
    kept = {name: os.environ[name] for name in _PARENT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "KERAS_HOME": os.devnull,  # contains no keras.json, and none can be written
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "HDF5_PLUGIN_PRELOAD": "::",
        "HDF5_PLUGIN_PATH": os.devnull,
        "HDF5_USE_FILE_LOCKING": "FALSE",
    }
