"""Series of checkpoints that a training left: one file for each epoch, with the epoch and a metric in its name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: `weights.05-0.32`, `improvement-10-0.87`, `ep012-loss3.5-val_loss4.1`, `model_epoch_7`: a base, an epoch, metrics.
_EPOCH = re.compile(
    r"(?P<base>.*?)(?:^|[._-])(?P<word>ep(?:och)?[._-]?)?(?P<epoch>[0-9]{1,6})"
    r"(?P<metrics>(?:[._-](?:[A-Za-z_]+[=:_-]?)?-?[0-9]+\.[0-9]+)*)"
)
_METRIC = re.compile(r"(?P<name>[A-Za-z_]*)[=:_-]?(?P<value>[0-9]+\.[0-9]+)")


@dataclass(frozen=True)
class Epoch:
    """A file of a series.

    Attributes:
        base: the name of the series, "" if the file is called by the epoch alone.
        epoch: as in the name.
        metric: the last number in the name, None for none.
    """

    base: str
    epoch: int
    metric: float | None


def read_epoch(stem: str) -> Epoch | None:
    """The epoch in a file's stem, None if there is none, or if the number may be something else.

    A number counts as an epoch if the word is beside it, or a metric follows.
    """
    match = _EPOCH.fullmatch(stem)
    if match is None or not (match["word"] or match["metrics"]):
        return None
    metrics = _METRIC.findall(match["metrics"])
    return Epoch(match["base"], int(match["epoch"]), float(metrics[-1][1]) if metrics else None)


def epoch_stem(path: Path) -> str:
    """The stem of a file, without its epoch and metrics."""
    epoch = read_epoch(path.stem)
    return path.stem if epoch is None else epoch.base


def series(stems: Iterable[tuple[str, ...]]) -> Mapping[tuple[str, ...], tuple[Epoch, str]]:
    """The files that belong to a series of two or more in one folder -> their epoch, and what distinguishes the file.

    Args:
        stems: the parts of each path, the last without its suffix.

    Returns:
        No file of a series in which two have one epoch: it may be several trainings.
    """
    groups: dict[tuple[tuple[str, ...], str], list[tuple[tuple[str, ...], Epoch]]] = defaultdict(list)
    for parts in stems:
        if (epoch := read_epoch(parts[-1])) is not None:
            groups[parts[:-1], epoch.base].append((parts, epoch))
    found: dict[tuple[str, ...], tuple[Epoch, str]] = {}
    for members in groups.values():
        epochs = [epoch.epoch for _, epoch in members]
        if len(members) > 1 and len(set(epochs)) == len(members) and min(epochs) > 0:
            metrics = [epoch.metric for _, epoch in members if epoch.metric is not None]
            for parts, epoch in members:
                marks = ["the last"] if epoch.epoch == max(epochs) else []
                if len(metrics) == len(members) and epoch.metric in (min(metrics), max(metrics)):
                    marks.append(
                        f"the {'lowest' if epoch.metric == min(metrics) else 'highest'} metric, {epoch.metric}"
                    )
                found[parts] = epoch, " and ".join(marks)
    return found
