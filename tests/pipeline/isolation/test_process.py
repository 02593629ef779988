import importlib
import os
import signal
import time

import pytest

from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import MigrationOutcome, Status

HERE = "tests.pipeline.isolation.test_process"


def number(value):
    return value


def pid():
    return os.getpid()


def die(sign):
    os.kill(os.getpid(), sign)


def leave():
    os._exit(7)


def sleep():
    time.sleep(600)


def allocate(count):
    return len(bytearray(count))


def write(path, count):
    with open(path, "wb") as stream:
        stream.write(bytes(count))


def raise_error(kind):
    raise {
        "refusal": MigrationError(Reason.UNSAFE_OP, "No", layer=("a",), advice="Stop."),
        "mistake": ValueError("wrong"),
    }[kind]


def unknown_value():
    return object()


def outcome():
    return MigrationOutcome(Status.MIGRATED, reason=Reason.TIMEOUT)


@pytest.fixture(scope="module")
def child():
    child = ConfinedProcess(Isolation(timeout=20))
    yield child
    child.close()


def refused(child, function, *arguments):
    with pytest.raises(MigrationError) as caught:
        child.call(f"{HERE}:{function}", *arguments)
    return caught.value


def test_result_and_one_process_for_many(child):
    assert child.call(f"{HERE}:number", 5) == 5
    first = child.call(f"{HERE}:pid")
    assert first == child.call(f"{HERE}:pid") != os.getpid()
    assert child.call(f"{HERE}:outcome", returns=MigrationOutcome).reason is Reason.TIMEOUT


def test_typed_refusal_arrives_whole(child):
    error = refused(child, "raise_error", "refusal")
    assert (error.reason, error.layer, error.advice) == (Reason.UNSAFE_OP, ("a",), "Stop.")


def test_mistake_is_internal_error(child):
    error = refused(child, "raise_error", "mistake")
    assert error.reason is Reason.INTERNAL_ERROR and "ValueError: wrong" in str(error)


@pytest.mark.parametrize(
    "function, argument, reason, says",
    [
        ("die", [signal.SIGSEGV], Reason.CRASHED, "SIGSEGV"),
        ("die", [signal.SIGABRT], Reason.CRASHED, "SIGABRT"),
        ("die", [signal.SIGKILL], Reason.OUT_OF_MEMORY, "killed"),
        ("leave", [], Reason.CRASHED, "exit status 7"),
        ("unknown_value", [], Reason.INTERNAL_ERROR, "a object does not cross processes"),
    ],
)
def test_death_costs_one_call(child, function, argument, reason, says):
    error = refused(child, function, *argument)
    assert error.reason is reason and says in str(error)
    assert child.call(f"{HERE}:number", 1) == 1


def test_hanging_child_is_killed():
    child = ConfinedProcess(Isolation(timeout=1.5))
    before = child.call(f"{HERE}:pid")
    start = time.monotonic()
    assert refused(child, "sleep").reason is Reason.TIMEOUT
    assert time.monotonic() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    child.close()


def test_limits(tmp_path):
    child = ConfinedProcess(Isolation(timeout=20, memory_bytes=1 << 30, file_bytes=1 << 20))
    assert refused(child, "allocate", 2 << 30).reason is Reason.OUT_OF_MEMORY
    assert refused(child, "write", str(tmp_path / "big"), 2 << 20).reason is Reason.OUTPUT_ERROR
    assert child.call(f"{HERE}:allocate", 1 << 20) == 1 << 20
    child.close()


def test_recycled_after_so_many_models():
    child = ConfinedProcess(Isolation(timeout=20, models_per_child=2))
    pids = [child.call(f"{HERE}:pid") for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]
    child.close()


def test_child_that_cannot_start_says_so():
    child = ConfinedProcess(Isolation(timeout=20, preload=("no_such_module",)))
    error = refused(child, "pid")
    assert error.reason is Reason.CRASHED and "did not start" in str(error) and "no_such_module" in str(error)


def ask_and_wait(ask):
    return [ask(question).result() for question in (1, 2)]


def ask_and_go_on(ask):
    first, second = ask(1), ask(2)
    return [second.result(), first.result(), first.result()]


def ask_and_forget(ask):
    ask(1)
    return "done"


def ask_in_vain(ask):
    try:
        return ask("refused").result()
    except MigrationError as error:
        return str(error.reason)


def answer_of(question):
    if question == "refused":
        raise MigrationError(Reason.WEAK_EVIDENCE, "No")
    return question * 10


@pytest.mark.parametrize(
    "function, result",
    [
        ("ask_and_wait", [10, 20]),
        ("ask_and_go_on", [20, 10, 10]),
        ("ask_and_forget", "done"),
        ("ask_in_vain", "weak_evidence"),
    ],
)
def test_questions_are_answered_whenever_the_child_waits_for_it(child, function, result):
    for _ in range(2):
        assert child.call(f"{HERE}:{function}", answering=answer_of) == result
        assert child.call(f"{HERE}:number", 1) == 1


def imports_pandas():
    return importlib.import_module("pandas").__name__


def test_a_preloaded_module_finds_no_pandas_and_a_later_one_does():
    child = ConfinedProcess(Isolation(timeout=60, preload=("tests.pipeline.wants_pandas",)))
    assert child.call("tests.pipeline.wants_pandas:found") is False
    assert child.call(f"{HERE}:imports_pandas") == "pandas"
    child.close()
