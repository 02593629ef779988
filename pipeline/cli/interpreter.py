"""The program's interpreter, independent of the user's settings for Python.

Imported before anything outside the standard library.
"""

from __future__ import annotations

import os
import re
import sys

from pipeline.isolation.environment import module_folders

_WINDOWS = "h5ferry runs on Linux and macOS. On Windows, run it in WSL 2: `wsl --install`, then as on Ubuntu."


def settle_interpreter() -> None:
    """Restarts the program if Python's settings would break it, and puts PYTHONPATH behind installed packages.

    Standard streams that are closed are opened on the null device.

    Without docstrings (PYTHONOPTIMIZE=2) Beam cannot be imported; with an ASCII file system encoding, other file names
    cannot be opened.

    Raises:
        SystemExit: status 2, on Windows.
    """
    if sys.platform == "win32":
        print(_WINDOWS, file=sys.stderr)
        sys.exit(2)
    _open_closed_streams()
    changed = {}
    if sys.flags.optimize > 1:
        changed["PYTHONOPTIMIZE"] = ""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        changed["PYTHONUTF8"] = "1"
    if changed:
        os.execve(sys.executable, [sys.executable, *_kept_arguments(sys.orig_argv[1:])], os.environ | changed)
    sys.path[:] = module_folders(sys.path, os.environ.get("PYTHONPATH", ""))


def _open_closed_streams() -> None:
    """The null device in place of standard streams that are closed, whose numbers the next files would get."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _kept_arguments(arguments: list[str]) -> list[str]:
    """The interpreter's arguments without `-OO`, and all that follow its own."""
    own = next((index for index, each in enumerate(arguments) if each[:2] in ("-m", "-c") or each[:1] != "-"), 0)
    return [each for each in arguments[:own] if not re.fullmatch("-O+", each)] + arguments[own:]
