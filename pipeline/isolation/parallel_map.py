"""A parallel map over a few child processes, for commands that read many files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from typing import TypeVar

from pipeline.isolation.machine import this_machine
from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess

_MOST_CHILDREN = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_children(
    work: Callable[[ConfinedProcess, Item], Result], items: Iterable[Item], isolation: Isolation
) -> Iterator[Result]:
    """Calls `work(child, item)` for each item; yields the results in the items' order.

    Children start when first needed, at most one per CPU and four in all. Items are consumed while earlier ones are
    being processed. An error that `work` raises ends the iteration and is raised here.
    """
    count = min(_MOST_CHILDREN, this_machine().cpus)
    idle: SimpleQueue[ConfinedProcess] = SimpleQueue()
    children = [ConfinedProcess(replace(isolation, workers=count)) for _ in range(count)]
    for child in children:
        idle.put(child)

    def run(item: Item) -> Result:
        child = idle.get()
        try:
            return work(child, item)
        finally:
            idle.put(child)

    pool = ThreadPoolExecutor(count)
    try:
        for future in [pool.submit(run, item) for item in items]:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
        for child in children:
            child.close()
