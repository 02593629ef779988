"""Draws the growth of cost per model, per architecture, per megabyte. Readable on light and dark backgrounds."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.figures import whole_run
from benchmarks.results import Results

_STYLE = {"svg.hashsalt": "h5ferry", "svg.fonttype": "none"}
_INK, _FAINT = "#7d8590", "#7d859055"
_OURS, _PEER = "#2f81f7", "#db8b16"


def draw(results: Results, path: Path) -> None:
    """Writes an SVG with a panel for each thing that was measured."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    sections = results["sections"]
    panels = zip(figure.subplots(1, 3), (_models, _architectures, _sizes), strict=True)
    for axes, panel in panels:
        panel(axes, sections)
        _quiet(axes)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _titled(axes: Any, title: str, counted: str, scale: str) -> None:
    """Seconds over what is counted, both axes on one scale."""
    axes.set_title(title)
    axes.set_xlabel(counted)
    axes.set_ylabel("seconds")
    axes.set_xscale(scale)
    axes.set_yscale(scale)


def _models(axes: Any, sections: Any) -> None:
    _titled(axes, "one architecture: whole run", "models", "log")
    runs = sections.get("same", {}).get("runs", ())
    counts = [run["models"] for run in runs]
    axes.plot(counts, [run["seconds"] for run in runs], "o-", color=_OURS, label="h5ferry")
    if sections.get("peers", {}).get("save"):
        seconds = [whole_run(sections, count) for count in counts]
        axes.plot(counts, seconds, "o--", color=_PEER, label="load + save, extrapolated")


def _architectures(axes: Any, sections: Any) -> None:
    _titled(axes, "different architectures", "models", "linear")
    ends = sections.get("architectures", {}).get("ends", ())
    axes.plot(range(1, len(ends) + 1), ends, "-", color=_OURS, label="h5ferry, one worker")
    peers = sections.get("peer_architectures")
    if peers:
        seconds = list(accumulate(peers["seconds"].values(), initial=peers["import"]))
        axes.plot(range(len(seconds)), seconds, "--", color=_PEER, label="load + save")


def _sizes(axes: Any, sections: Any) -> None:
    _titled(axes, "large models: a further one", "MB", "log")
    sizes = sections.get("sizes", {}).get("sizes", ())
    megabytes = [size["megabytes"] for size in sizes]
    axes.plot(megabytes, [size["seconds"] for size in sizes], "o-", color=_OURS, label="h5ferry")
    axes.plot(megabytes, [size["copy_seconds"] for size in sizes], "o--", color=_PEER, label="cp + sha256sum")


def _quiet(axes: Any) -> None:
    """A colour with contrast on white and on black."""
    axes.title.set_color(_INK)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    axes.tick_params(colors=_INK, which="both")
    axes.grid(color=_FAINT, linewidth=0.6)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_INK)
    axes.legend(frameon=False, labelcolor=_INK)
