"""The extent of the measurements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """The extents of one form of the benchmark.

    Attributes:
        models: sizes of the registries of one architecture, ascending.
        peer_models: files that the peers convert.
        architectures: different models.
        worker_models: models in the comparison of workers.
        megabytes: sizes of single models, ascending, in units of 10^6 bytes.
        large_repeats: of the runs with large models; medians are taken.
        scanned, inspected: files.
        repeats: of commands that end at once.
    """

    models: tuple[int, ...]
    peer_models: int
    architectures: int
    worker_models: int
    megabytes: tuple[int, ...]
    large_repeats: int
    scanned: int
    inspected: int
    repeats: int


SCALES = {
    "full": Scale((10, 100, 1000), 3, 30, 1000, (10, 100, 1000, 2000), 3, 10_000, 1000, 5),
    "quick": Scale((10, 60), 1, 4, 60, (10, 50), 1, 500, 50, 2),
    "tiny": Scale((1, 2), 1, 2, 2, (1,), 1, 20, 2, 1),
}
