"""Typed errors of a failed child; they name the child's role and advise what to do."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from pipeline.isolation.messages import Failure
from pipeline.isolation.policy import Isolation
from transforms.errors import MigrationError, Reason
from transforms.limits import GIB

_SAID_CHARACTERS = 200
_REPORT = "Please report it."


@dataclass(frozen=True)
class ChildErrors:
    """The errors of one child."""

    isolation: Isolation

    @property
    def _name(self) -> str:
        return f"The {self.isolation.role.value} process"

    def timed_out(self) -> MigrationError:
        """The child did not answer in time and was killed."""
        message = f"{self._name} took more than {self.isolation.timeout:g} seconds for the model and was ended"
        return MigrationError(Reason.TIMEOUT, message, advice=self.isolation.advice.timeout)

    def died(self, code: int, last_words: str) -> MigrationError:
        """The child ended by itself. `code` is its exit status, negative for a signal; `last_words` its last line."""
        if code == -signal.SIGKILL:
            return self._out_of_memory(f"{self._name} was killed, as the system does when memory runs out")
        if "bad_alloc" in last_words or "MemoryError" in last_words:
            return self._out_of_memory(f"{self._name} could not get the memory it needed")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        said = f", saying: {last_words[-_SAID_CHARACTERS:]}" if last_words else ""
        return MigrationError(Reason.CRASHED, f"{self._name} died ({how}){said}", advice=self.isolation.advice.crash)

    def went_silent(self) -> MigrationError:
        """The child closed its end of the pipe without exiting, and was killed."""
        return MigrationError(
            Reason.CRASHED, f"{self._name} closed the pipe to its parent and was ended", advice=_REPORT
        )

    def unacceptable(self, why: object) -> MigrationError:
        """The child's answer is not a message, or has a value of another type."""
        message = f"The answer of the {self.isolation.role.value} process was not accepted: {why}"
        return MigrationError(Reason.INTERNAL_ERROR, message, advice=_REPORT)

    def not_started(self, error: MigrationError) -> MigrationError:
        """The child ended, or sent something else, before it was ready."""
        advice = self.isolation.advice.start
        return MigrationError(error.reason, f"{self._name} did not start: {error.message}", advice=advice)

    def held_too_much(self, held: int) -> MigrationError:
        """The child used more memory (bytes) than allowed, and was killed."""
        return self._out_of_memory(f"{self._name} held {held / GIB:.1f} GiB of memory, more than it may")

    def failed(self, failure: Failure, text: str) -> MigrationError:
        """The child's function raised an unexpected exception with this text."""
        if failure is Failure.OUT_OF_MEMORY:
            needs = f"{self._name} needs more memory for the model than it may use ({text or 'MemoryError'})"
            return self._out_of_memory(needs)
        if failure is Failure.FILE_ERROR:
            message = f"{self._name} could not read or write a file: {text}"
            return MigrationError(Reason.OUTPUT_ERROR, message, advice="Check the disk, then run again.")
        return MigrationError(Reason.INTERNAL_ERROR, f"{self._name} met an unexpected error: {text}", advice=_REPORT)

    def _out_of_memory(self, message: str) -> MigrationError:
        return MigrationError(Reason.OUT_OF_MEMORY, message, advice=self.isolation.advice.memory)
