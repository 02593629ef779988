"""The exit statuses of h5ferry; a run ended by a signal exits with 128 plus the signal's number."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses of the program."""

    #: Every row is migrated or unchanged; no finding.
    ALL_PUBLISHED = 0
    #: The program itself failed.
    FAILED = 1
    #: The command line or the manifest is invalid; nothing was done.
    UNUSABLE = 2
    #: Finished, but some rows were refused, failed or mismatched; or there are findings.
    SOME_NOT = 3
