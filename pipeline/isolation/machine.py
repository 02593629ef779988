"""The CPUs and memory available to this process, and the number of workers they suffice for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from pipeline.isolation.cgroups import cpu_quota, memory_quota
from transforms.limits import GIB, MIB
from transforms.platform.system_calls import physical_memory, usable_cpus

#: Resident bytes of a run without its workers, and of one worker's three children while they convert small models
#: (measured in a memory cgroup: 727 MiB with one worker, 1225 MiB with two; below 600 MiB a worker was killed).
_RUN_BYTES, _WORKER_BYTES = 300 * MIB, 600 * MIB
#: Address space of a child with TensorFlow; most of it is never resident.
_LEAST_ADDRESS_SPACE = 4 * GIB


@dataclass(frozen=True)
class Machine:
    """Available CPUs and memory, and the source of each figure.

    Attributes:
        cpus: at least 1.
        cpus_from: "affinity mask", or the file of a control group.
        memory_bytes: four fifths of a machine's memory, which others also use; all of a control group's.
        memory_from: "memory of the machine", or the file of a control group.
    """

    cpus: int
    cpus_from: str
    memory_bytes: int
    memory_from: str

    @property
    def workers(self) -> int:
        """One per CPU, or fewer if the memory does not suffice."""
        return self.served(self.cpus)

    def served(self, workers: int) -> int:
        """As many of these workers as the memory suffices for, at least one."""
        return max(1, min(workers, (self.memory_bytes - _RUN_BYTES) // _WORKER_BYTES))

    def shortage(self, workers: int) -> str:
        """A message if the memory does not suffice for so many workers, else ""."""
        served = self.served(workers)
        if served == workers:
            return ""
        needed, given = (_RUN_BYTES + workers * _WORKER_BYTES) / GIB, self.memory_bytes / GIB
        return (
            f"{served} of {workers} workers run: together they need about {needed:.1f} GiB of memory, and there are"
            f" {given:.1f} GiB ({self.memory_from})."
        )


@cache
def this_machine() -> Machine:
    """The quotas of this process's control groups, else the machine's own figures."""
    cpus, cpus_from = usable_cpus()
    quota = cpu_quota()
    if quota is not None and quota.amount < cpus:
        cpus, cpus_from = max(1, math.ceil(quota.amount)), quota.file
    memory, memory_from = physical_memory() * 4 // 5, "memory of the machine"
    limit = memory_quota()
    if limit is not None and limit.amount < memory:
        memory, memory_from = int(limit.amount), limit.file
    return Machine(cpus, cpus_from, memory, memory_from)


def threads_of(workers: int) -> int:
    """Threads for each of so many concurrent children."""
    return max(1, this_machine().cpus // max(1, workers))


def address_space_of(workers: int) -> int:
    """Bytes of address space for each of so many children, if the operator sets no limit."""
    return max(_LEAST_ADDRESS_SPACE, this_machine().memory_bytes // max(1, workers))
