"""Receipts and run records of unknown origin, parsed in a confined child.

Their bytes are read, bounded, by the process that asks; a digest or a signature is checked on these very bytes.
"""

from __future__ import annotations

import threading
from typing import Any

from pipeline.history.record import RecordError, RunRecord, parse_record
from pipeline.isolation.policy import Isolation, Role
from pipeline.isolation.process import ConfinedProcess
from pipeline.publication.receipt import Receipt, parse_receipt
from transforms.errors import MigrationError
from transforms.limits import GIB

#: The largest record that is read takes a second and a few hundred megabytes.
_PARSING = Isolation(timeout=60.0, memory_bytes=GIB, models_per_child=1 << 30, role=Role.READING)


class ConfinedParser:
    """One child that parses for all threads of this process; it is started when first needed."""

    def __init__(self, isolation: Isolation = _PARSING) -> None:
        self._child = ConfinedProcess(isolation)
        self._one_at_a_time = threading.Lock()

    def record(self, data: bytes) -> RunRecord:
        """The record in `data`. Raises RecordError as `parse_record`, and where the child gives up."""
        try:
            parsed: RunRecord | str = self._call("record_in", RunRecord | str, data)
        except MigrationError as error:
            raise RecordError(f"it could not be parsed ({error.reason.value})") from error
        if isinstance(parsed, str):
            raise RecordError(parsed)
        return parsed

    def receipt(self, data: bytes) -> Receipt | None:
        """The receipt in `data`; None for none, and where the child gives up."""
        try:
            receipt: Receipt | None = self._call("receipt_in", Receipt | None, data)
        except MigrationError:
            return None
        return receipt

    def close(self) -> None:
        """Ends the child."""
        self._child.close()

    def _call(self, function: str, returns: Any, data: bytes) -> Any:
        with self._one_at_a_time:
            return self._child.call(f"{__name__}:{function}", data, returns=returns)


def record_in(data: bytes) -> RunRecord | str:
    """In the child: the record, or what is wrong with it."""
    try:
        return parse_record(data)
    except RecordError as error:
        return str(error)


def receipt_in(data: bytes) -> Receipt | None:
    """In the child: the receipt, None for none."""
    return parse_receipt(data)
