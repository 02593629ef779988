"""The target ratios, and whether the results reach them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Sections = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One target figure.

    Attributes:
        name: what is compared.
        goal: the bound; `at_most` says of which kind.
        figure: from the sections, or KeyError, TypeError, ZeroDivisionError where something was not measured.
        unit: behind the figure.
    """

    name: str
    goal: float
    figure: Callable[[Sections], float]
    at_most: bool = False
    unit: str = "x"

    def reached(self, figure: float) -> bool:
        """Whether a figure reaches the target."""
        return figure <= self.goal if self.at_most else figure >= self.goal


def load_and_save(sections: Sections) -> float:
    """Seconds of the peer for one model."""
    peers = sections["peers"]
    return float(peers["load"] + peers["save"])


def load_and_export(sections: Sections) -> float:
    """Seconds of the peer for one model."""
    peers = sections["peers"]
    return float(peers["load"] + peers["export"])


def whole_run(sections: Sections, models: int) -> float:
    """Seconds of the peer for a registry of one architecture, its import included: extrapolated."""
    return float(sections["peers"]["import"] + models * load_and_save(sections))


def _run_of_100(sections: Sections) -> float:
    (run,) = [run for run in sections["same"]["runs"] if run["models"] == 100] or [None]
    return whole_run(sections, 100) / run["seconds"]


def _largest(sections: Sections) -> float:
    (size,) = [size for size in sections["sizes"]["sizes"] if size["megabytes"] == 2000] or [None]
    return float(size["seconds"] / size["copy_seconds"])


TARGETS = (
    Target(
        "one more model of a known architecture, against load + save",
        300,
        lambda found: load_and_save(found) / found["same"]["marginal"],
    ),
    Target(
        "the same, against load + export",
        60,
        lambda found: load_and_export(found) / found["same"]["marginal"],
    ),
    Target("whole run of 100 models of one architecture, start-up included, against load + save", 60, _run_of_100),
    Target(
        "different architectures, per model and core, validation included, against load + save",
        8,
        lambda found: found["peer_architectures"]["each"] / found["architectures"]["each"],
    ),
    Target("two workers against one", 1.7, lambda found: found["workers"]["ratio"]),
    Target(
        "peak memory growth after the first 50 models",
        50,
        lambda found: found["same"]["memory"]["growth"] / 1e6,
        at_most=True,
        unit="MB",
    ),
    Target("2 GB model against cp + sha256sum", 2, _largest, at_most=True),
)


def measured(target: Target, sections: Sections) -> float | None:
    """The figure, None if its inputs were not measured."""
    try:
        return target.figure(sections)
    except (KeyError, TypeError, ZeroDivisionError):
        return None
