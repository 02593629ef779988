"""The exit statuses of h5ferry; a run that a signal ends exits with 128 and the signal's number."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """How the program ended."""

    #: Every row is migrated or unchanged; nothing was found wrong.
    ALL_PUBLISHED = 0
    #: The program itself failed.
    FAILED = 1
    #: The command line or the manifest is unusable: nothing was done.
    UNUSABLE = 2
    #: Finished, but some rows were refused, failed or mismatched; something was found wrong.
    SOME_NOT = 3
