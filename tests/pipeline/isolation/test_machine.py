import pytest

from pipeline.isolation import machine
from pipeline.isolation.cgroups import Quota
from pipeline.isolation.machine import Machine, address_space_of, this_machine, threads_of
from transforms.limits import GIB, MIB


@pytest.mark.parametrize(
    "cpus, memory, workers",
    [
        (2, 4 * GIB, 2),
        (64, 4 * GIB, 6),
        (16, 1536 * MIB, 2),
        (16, 1000 * MIB, 1),
        (4, 256 * MIB, 1),
        (64, 96 * GIB, 64),
    ],
)
def test_workers(cpus: int, memory: int, workers: int) -> None:
    found = Machine(cpus, "", memory, "memory.max")
    assert found.workers == workers
    assert found.shortage(found.workers) == ""
    assert (found.shortage(cpus) == "") == (workers == cpus)


def test_a_shortage_is_told_with_what_says_so() -> None:
    said = Machine(16, "", 1536 * MIB, "/sys/fs/cgroup/memory.max").shortage(16)
    assert said == (
        "2 of 16 workers run: together they need about 9.7 GiB of memory, and there are 1.5 GiB"
        " (/sys/fs/cgroup/memory.max)."
    )


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch):
    """What this process may use of a machine with 8 CPUs and 10 GiB under quotas."""

    def under(cpus: float | None, memory: float | None) -> Machine:
        monkeypatch.setattr(machine, "usable_cpus", lambda: (8, "affinity mask"))
        monkeypatch.setattr(machine, "physical_memory", lambda: 10 * GIB)
        monkeypatch.setattr(machine, "cpu_quota", lambda: Quota(cpus, "c") if cpus else None)
        monkeypatch.setattr(machine, "memory_quota", lambda: Quota(memory, "m") if memory else None)
        this_machine.cache_clear()
        return this_machine()

    yield under
    this_machine.cache_clear()


@pytest.mark.parametrize(
    "quota, memory, expected",
    [
        (None, None, Machine(8, "affinity mask", 8 * GIB, "memory of the machine")),
        (2.0, None, Machine(2, "c", 8 * GIB, "memory of the machine")),
        (1.5, 2 * GIB, Machine(2, "c", 2 * GIB, "m")),
        (0.25, 9 * GIB, Machine(1, "c", 8 * GIB, "memory of the machine")),
        (64.0, None, Machine(8, "affinity mask", 8 * GIB, "memory of the machine")),
    ],
)
def test_the_least_counts(found, quota: float | None, memory: float | None, expected: Machine) -> None:
    assert found(quota, memory) == expected


def test_shares(found) -> None:
    found(None, None)
    assert [threads_of(workers) for workers in (0, 1, 3, 8, 9)] == [8, 8, 2, 1, 1]
    assert [address_space_of(workers) // GIB for workers in (0, 1, 2, 8)] == [8, 8, 4, 4]
