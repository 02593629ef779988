"""A child that ended badly is named by its role, and no advice names an option that its command does not have."""

import signal

import pytest

from pipeline.isolation.failures import ChildErrors
from pipeline.isolation.messages import Failure
from pipeline.isolation.policy import Isolation, Role, option_advice
from transforms.errors import MigrationError, Reason

STARTED = MigrationError(Reason.CRASHED, "it died")
ENDS = [
    (lambda errors: errors.timed_out(), Reason.TIMEOUT, "took more than 5 seconds"),
    (lambda errors: errors.died(-signal.SIGSEGV, "bad"), Reason.CRASHED, "died (signal SIGSEGV), saying: bad"),
    (lambda errors: errors.died(7, ""), Reason.CRASHED, "died (exit status 7)"),
    (lambda errors: errors.died(-signal.SIGKILL, ""), Reason.OUT_OF_MEMORY, "was killed"),
    (lambda errors: errors.died(-signal.SIGABRT, "std::bad_alloc"), Reason.OUT_OF_MEMORY, "could not get the memory"),
    (lambda errors: errors.went_silent(), Reason.CRASHED, "closed the pipe"),
    (lambda errors: errors.unacceptable("odd"), Reason.INTERNAL_ERROR, "was not accepted: odd"),
    (lambda errors: errors.not_started(STARTED), Reason.CRASHED, "did not start: it died"),
    (lambda errors: errors.failed(Failure.OUT_OF_MEMORY, ""), Reason.OUT_OF_MEMORY, "MemoryError"),
    (lambda errors: errors.failed(Failure.FILE_ERROR, "x"), Reason.OUTPUT_ERROR, "could not read or write a file: x"),
    (lambda errors: errors.failed(Failure.UNEXPECTED, "x"), Reason.INTERNAL_ERROR, "unexpected error: x"),
]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("end, reason, says", ENDS)
def test_the_role_is_named_and_no_option(role, end, reason, says):
    error = end(ChildErrors(Isolation(timeout=5, role=role)))
    assert error.reason is reason and says in error.message and error.advice
    assert f"{role.value} process" in error.message and "--" not in str(error)


def test_options_are_named_as_the_command_calls_them():
    errors = ChildErrors(Isolation(advice=option_advice("--timeout", "--memory-limit")))
    assert "--timeout" in errors.timed_out().advice
    assert "--memory-limit" in errors.died(-signal.SIGKILL, "").advice
    assert "--memory-limit" in errors.not_started(STARTED).advice
