"""The results as Markdown: a short table for the README, all of them for docs/benchmark.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.figures import TARGETS, load_and_export, load_and_save, measured, whole_run
from benchmarks.results import Results


def target_table(results: Results) -> str:
    """One row for each figure that is aimed at."""
    rows = []
    for target in TARGETS:
        figure = measured(target, results["sections"])
        said = "not measured" if figure is None else f"{_number(figure)} {target.unit}"
        verdict = "" if figure is None else "reached" if target.reached(figure) else "not reached"
        goal = f"{'at most' if target.at_most else 'at least'} {target.goal:g} {target.unit}"
        rows.append((target.name, said, goal, verdict))
    return _table(("", "measured", "aim", ""), rows)


def machine_line(results: Results) -> str:
    """The machine in one sentence."""
    machine = results.get("machine")
    if machine is None:
        return "a machine that has measured nothing yet."
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 1e9:.0f} GB, "
        f"{machine['file_system']}, Linux {machine['kernel']}, Python {machine['python']}, {packages}."
    )


def readme_block(results: Results) -> str:
    """What the README shows: three figures, from `make bench`."""
    lines = []
    for target in TARGETS[:4]:
        name, figure = target.name.removesuffix(", against load + save"), measured(target, results["sections"])
        if "export" not in name:
            lines.append(f"- {name}: {'not measured' if figure is None else f'{_number(figure)} x'}.")
    peer = "How many times as fast as tf-keras `load_model` and `save` in one warm process, which checks nothing"
    return f"{peer} ([docs/benchmark.md](docs/benchmark.md)):\n\n" + "\n".join(lines)


def document(results: Results) -> str:
    """The whole of docs/benchmark.md."""
    sections = results["sections"]
    parts = [
        "# How fast",
        "`make bench` measures all of this in one run and writes this page, its drawing and `benchmark.json`. Nothing "
        "here is asserted by a test.",
        f"On {machine_line(results)}{_load(results)}",
        target_table(results),
        "![How cost grows: per model, per architecture, per megabyte](benchmark.svg)",
        *(part for name, show in _SECTIONS if name in sections for part in show(sections)),
    ]
    return "\n\n".join(parts) + "\n"


def _load(results: Results) -> str:
    load = results.get("machine", {}).get("load", 0.0)
    cores = results.get("machine", {}).get("cores", 1)
    busy = f" The machine was busy with other work (load {load:.1f}): the figures are rough." if load > cores else ""
    return busy


def _same(sections: Any) -> Iterable[str]:
    same = sections["same"]
    peers = "peers" in sections and not sections["peers"]["refused"]
    rows = [
        (
            f"{run['models']:,}",
            _seconds(run["seconds"]),
            _seconds(run["cpu_seconds"]),
            _seconds(whole_run(sections, run["models"])) if peers else "",
            f"{_number(whole_run(sections, run['models']) / run['seconds'])} x" if peers else "",
        )
        for run in same["runs"]
    ]
    yield "## Models of one architecture"
    yield (
        f"Retrained copies of `{same['model']}` ({same['source_bytes'] / 1e3:.0f} kB: two Bidirectional CuDNNGRU), "
        "migrated by `h5ferry migrate` with its defaults; start-up, tracing, validation and report included. The "
        "peer's whole run is its import and so many times its median: extrapolated."
    )
    yield _table(("models", "h5ferry", "CPU of all processes", "load + save", "ratio"), rows)
    if same["marginal"]:
        yield f"One more model costs {_seconds(same['marginal'])}."
    if same["memory"]:
        memory = same["memory"]
        yield (
            f"Resident memory of all processes: at most {_megabytes(memory['until'])} up to model 50, "
            f"{_megabytes(memory['after'])} after it. By process:"
        )
        by_process = [
            (process["role"], _megabytes(process["until"]), _megabytes(process["after"]))
            for process in memory["processes"]
        ]
        yield _table(("process", "up to model 50", "after it"), by_process)


def _peers(sections: Any) -> Iterable[str]:
    peers = sections["peers"]
    yield "## The peers on the same files"
    yield (
        "tf-keras in one warm process, nothing compiled, the session cleared after each model, CuDNNLSTM and CuDNNGRU "
        "mapped to LSTM and GRU by `custom_objects`. It checks nothing. The import is not among the times per model."
    )
    if peers["refused"]:
        yield f"It does not load them: {peers['refused'][0]}"
        return
    marginal = sections.get("same", {}).get("marginal")
    rows = [
        (name, _seconds(seconds), f"{_number(seconds / marginal)} x" if marginal else "")
        for name, seconds in (
            ("load + save (SavedModel)", load_and_save(sections)),
            ("load + export", load_and_export(sections)),
        )
    ]
    yield _table(("", f"median of {peers['models']}", "against one more model of h5ferry"), rows)
    error = peers["max_abs_error"]
    if error is not None:
        right = "right" if error < 1e-4 else "wrong"
        yield (
            f"Import {_seconds(peers['import'])}. With this mapping the peer's numbers are {right} on this model: "
            f"{error:.1e} from what the runtime that wrote it answered."
        )


def _architectures(sections: Any) -> Iterable[str]:
    ours, theirs = sections["architectures"], sections.get("peer_architectures")
    yield "## Different architectures"
    yield (
        f"{len(ours['models'])} fixtures of Keras 2 and tf.keras, each traced, written and validated, with one worker: "
        f"whole run {_seconds(ours['seconds'])} ({_seconds(ours['cpu_seconds'])} of CPU), "
        f"{_seconds(ours['each'])} from one model to the next."
    )
    if theirs is None:
        return
    if theirs["each"]:
        yield f"tf-keras load + save: {_seconds(theirs['each'])} a model, over the {len(theirs['seconds'])} it loads."
    if theirs["refused"]:
        rows = [(f"`{name}`", why.replace("|", "\\|")) for name, why in theirs["refused"].items()]
        yield "It does not load or save"
        yield _table(("model", "what it says"), rows)
    if theirs["wrong"]:
        rows = [(f"`{name}`", f"{error:.2g}") for name, error in theirs["wrong"].items()]
        yield "It answers otherwise than the runtime that wrote the file, and says nothing, for"
        yield _table(("model", "largest difference"), rows)


def _workers(sections: Any) -> Iterable[str]:
    found = sections["workers"]
    rows = [
        (str(run["workers"]), str(run["cores"] or "all"), _seconds(run["seconds"]), _seconds(run["cpu_seconds"]))
        for run in found["runs"]
    ]
    yield "## Workers"
    yield (
        f"{found['models']:,} models of one architecture. A worker is a converting and a verifying process, and the "
        "launching process hashes beside them: where cores are free, one worker already uses more than one. Two "
        f"workers on all cores against one on one core: {_number(found['ratio_to_one_core'])} x."
    )
    yield _table(("workers", "cores", "whole run", "CPU of all processes"), rows)


def _sizes(sections: Any) -> Iterable[str]:
    found = sections["sizes"]
    yield "## Large models"
    yield (
        "Embedding and Dense stacks in the format of Keras 2.2.4, the largest tensor an eighth, one worker. The time "
        "is that of a further model of the same architecture (the difference of two runs, the median of "
        f"{found['sizes'][0]['repeats']} such), hashing, validation and "
        "`fsync` included; tracing is in the first model's run. Sources are written back and put out of the page "
        "cache (`posix_fadvise`) before each run and before `cp`."
    )
    rows = [
        (
            f"{size['megabytes']:,} MB",
            _seconds(size["seconds"]),
            _seconds(size["copy_seconds"]),
            f"{_number(size['seconds'] / size['copy_seconds'])} x",
            _seconds(size["copy_synced_seconds"]),
            _seconds(size["first_seconds"]),
        )
        for size in found["sizes"]
    ]
    yield _table(("size", "h5ferry", "cp + sha256sum", "ratio", "the same, then sync", "first model's whole run"), rows)
    rows = [
        (
            f"{size['megabytes']:,} MB",
            _megabytes(size["peak_bytes"]),
            _megabytes(_memory_bound(size) + found["baseline_bytes"]),
            _megabytes(size["peak_total_bytes"]),
            _megabytes(_memory_bound(size) + found["baseline_total_bytes"]),
            _megabytes(size["disk_read_bytes"]),
            _megabytes(size["read_calls_bytes"]),
        )
        for size in found["sizes"]
    ]
    yield (
        "Peak of resident memory, of the converting process (traced first save included) and of all processes together;"
        " the bound is W + 2 x the largest tensor + the same with a model of 1 MB "
        f"({_megabytes(found['baseline_bytes'])} and {_megabytes(found['baseline_total_bytes'])}). Read: by all "
        "processes, for one further model."
    )
    heads = ("size", "converting", "bound", "all processes", "bound", "read from the disk", "read by system calls")
    yield _table(heads, rows)


def _memory_bound(size: Any) -> int:
    """Of the weights alone."""
    return int(size["source_bytes"] + 2 * size["largest_tensor_bytes"])


def _start_up(sections: Any) -> Iterable[str]:
    found = sections["start_up"]
    yield "## Small things"
    yield _table(("command", "median"), [(f"`{name}`", _seconds(time)) for name, time in found["seconds"].items()])
    scan, inspect = found["scan"], found["inspect"]
    rows = [
        ("`scan`", f"{scan['files']:,}", _seconds(scan["seconds"]), f"find and head: {_seconds(scan['against'])}"),
        (
            "`inspect`",
            f"{inspect['files']:,}",
            _seconds(inspect["seconds"]),
            f"sha256sum: {_seconds(inspect['against'])}",
        ),
    ]
    yield _table(("command", "files", "time", "beside it"), rows)


_SECTIONS = (
    ("same", _same),
    ("peers", _peers),
    ("architectures", _architectures),
    ("workers", _workers),
    ("sizes", _sizes),
    ("start_up", _start_up),
)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def _seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value:,.0f} s"


def _megabytes(value: float) -> str:
    return f"{value / 1e6:,.0f} MB"
