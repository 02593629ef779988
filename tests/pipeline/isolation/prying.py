"""What custom code may try in a confined child: functions that tests call there by name."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time


def readable(process: int) -> list[str]:
    """What this process can read of another one."""
    found = []
    for name in ("environ", "maps", "mem", "auxv", "io"):
        with contextlib.suppress(OSError), open(f"/proc/{process}/{name}", "rb") as stream:
            if name != "mem":
                stream.read(1)
            found.append(name)
    for name in ("fd/0", "exe", "cwd"):
        with contextlib.suppress(OSError):
            os.readlink(f"/proc/{process}/{name}")
            found.append(name)
    return found


def leave(how: str) -> int:
    """Leaves a process behind, outside this one's session; its id."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, str(os.getpid()).encode())
            _linger(how)
        os._exit(0)
    return int(os.read(reader, 20))


def _linger(how: str) -> None:
    if how == "deaf":
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    if how == "another program":
        os.execve(sys.executable, ["kworker/0:1", "-S", "-c", "import time; time.sleep(600)"], {})
    if how == "less memory":
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    if how == "unbounded":
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if how == "a family" and os.fork() and os.fork():
        pass
    if how == "a successor":  # ends, and leaves another one behind
        if os.fork():
            os._exit(0)
        os.setsid()
    time.sleep(600)


def descend(levels: int) -> int:
    """Calls itself so many times."""
    return 0 if not levels else 1 + descend(levels - 1)
