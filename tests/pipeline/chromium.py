"""The browser of the tests: Debian's Chromium, installed where it is missing and that is allowed."""

import os
import shutil
import subprocess

#: Chromium by itself looks things up on the network and keeps profiles.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str:
    """Path of the browser. Raises RuntimeError where there is none and none can be installed: never skips."""
    found = shutil.which("chromium")
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError("The tests of the audit page need Chromium: install the package `chromium`, then run again.")
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL, "check": True}
    subprocess.run(["apt-get", "update", "-q"], **quiet)
    subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"], **quiet)
    return shutil.which("chromium") or "/usr/bin/chromium"
