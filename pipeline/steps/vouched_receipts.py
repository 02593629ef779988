"""Which receipts in an output may be taken for what a run published: not every one that fits itself.

Whoever may write in the output can seal a receipt over anything. With a key, a receipt counts that a signed record
vouches for, or that this very process wrote; without, one that no record contradicts.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping

from pipeline.history.chain import newest_run
from pipeline.history.inventory import RecordedOutput, inventory
from pipeline.publication.receipt import StoredReceipt
from pipeline.settings import MigrateSettings


class VouchedReceipts:
    """What is vouched for in one output, as its newest record had it when this run began to look.

    Args:
        output: folder or URL.
        keys: public keys (hex) whose signed records count; none takes every record, and what none contradicts.
        attempt: of this run.
    """

    def __init__(self, output: str, keys: tuple[str, ...], attempt: str) -> None:
        self._output = output
        self._keys = keys
        self._attempt = attempt
        self._written: set[tuple[str, str]] = set()
        self._recorded: Mapping[str, RecordedOutput] | None = None
        self._first = threading.Lock()

    def add(self, stored: StoredReceipt) -> None:
        """Remembers a receipt that this process published."""
        self._written.add(_identity(stored))

    def published_here(self, stored: StoredReceipt) -> bool:
        """Whether this run published it: the receipt's own word for that counts only where no key asks for more."""
        return _identity(stored) in self._written or (not self._keys and stored.receipt.attempt == self._attempt)

    def vouches_for(self, stored: StoredReceipt) -> bool:
        """Whether a receipt that lies at its place is one that a run published there.

        Raises:
            OSError: the records cannot be read.
        """
        if self.published_here(stored):
            return True
        recorded = self._records().get(_identity(stored)[0])
        if recorded is None:
            return not self._keys
        return recorded.receipt_sha256 == stored.text_sha256

    def _records(self) -> Mapping[str, RecordedOutput]:
        with self._first:
            if self._recorded is None:
                self._recorded = inventory(newest_run(self._output, self._keys))
            return self._recorded


@functools.lru_cache(maxsize=4)
def _of_run(output: str, keys: tuple[str, ...], attempt: str) -> VouchedReceipts:
    return VouchedReceipts(output, keys, attempt)


def vouched_receipts(settings: MigrateSettings) -> VouchedReceipts:
    """Those of a run, one for all threads of this process."""
    return _of_run(settings.output, settings.trusted_keys, settings.attempt)


def _identity(stored: StoredReceipt) -> tuple[str, str]:
    return f"{stored.receipt.model}/{stored.receipt.version}", stored.text_sha256
