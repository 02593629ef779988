import threading
from dataclasses import replace

import pytest

from pipeline.isolation.policy import Isolation
from pipeline.settings import MigrateSettings
from pipeline.steps.converter_pool import ConverterPool, join_pool, leave_pool
from tests.pipeline.fakes import FAKE_CHILDREN

SETTINGS = MigrateSettings("out", "run", "attempt", isolation=Isolation(timeout=20), threads=2, children=FAKE_CHILDREN)


@pytest.fixture
def pool():
    pool = ConverterPool(SETTINGS)
    yield pool
    pool.close()


def started(pool):
    return len(pool._all)


def test_first_candidate_starts_the_first_pair(pool):
    assert started(pool) == 0
    pool.expect("lstm", 1000)
    assert started(pool) == 1


@pytest.mark.parametrize(
    ("models", "pairs"),
    [
        ([("lstm", 1000)] * 20, 1),
        ([("lstm", 1000)] * 1000, 2),
        ([(f"architecture {index}", 1000) for index in range(30)], 2),
        ([("lstm", 2 << 30)] * 2, 2),
        ([("", 1000)] * 30, 2),
    ],
    ids=["few", "many", "different", "big", "unknown"],
)
def test_a_further_pair_must_be_worth_its_start(pool, models, pairs):
    for architecture, size in models:
        pool.expect(architecture, size)
    assert started(pool) == pairs


def test_a_pair_serves_one_thread_at_a_time(pool):
    order = []

    def other():
        with pool.borrowed() as pair:
            order.append(("other", pair))

    with pool.borrowed() as mine:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        order.append(("mine", mine))
    thread.join()
    assert order == [("mine", mine), ("other", mine)]


def test_the_last_to_leave_ends_the_processes():
    settings = replace(SETTINGS, attempt="another")
    first, second = join_pool(settings), join_pool(settings)
    assert first is second
    with first.borrowed() as pair:
        pid = pair.converter.call("os:getpid")
    leave_pool(settings)
    with first.borrowed() as pair:
        assert pair.converter.call("os:getpid") == pid
    leave_pool(settings)
    assert started(first) == 0


def test_two_runs_of_one_process_share_nothing():
    """Each has settings of its own: the other's limits are not for its models."""
    one, other = (MigrateSettings("out", "run", children=FAKE_CHILDREN) for _ in range(2))
    assert join_pool(one) is not join_pool(other)
    leave_pool(one)
    leave_pool(other)
