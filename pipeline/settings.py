"""What a run was asked for: h5ferry's own settings, and Beam's options told apart from them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.isolation.process import Isolation
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.outcome import Evidence

CONVERTER = "pipeline.isolation.entrypoints.conversion"
VERIFIER = "pipeline.isolation.entrypoints.verification"
INSPECTOR = "transforms.inspection.inspect:inspect_source"
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)


class OptionError(Exception):
    """The command line is unusable."""


@dataclass(frozen=True)
class MigrateSettings:
    """All that a worker needs to know; each step carries it, since some runners hand their workers no options.

    Attributes:
        output: absolute folder or URL.
        run_id: names the run in report and receipts.
        attempt: drawn anew for each start of the program, to tell a retried bundle from a second run.
        require_evidence: the weakest evidence that may be published.
        isolation: how the converting children are kept.
        threads: process pairs that one worker process may keep busy.
        allow_custom_code: whether a row's `custom_objects` may be used.
        keep_training: whether SavedModels are compiled, with the optimizer as it was.
        limits: the budget of reading.
        full_reload_every: of artefacts whose graph is loaded already, one in so many is loaded as a whole all the same.
        inspector: "module:name" of the function run in the reading child.
        converter: module with the functions `stage`, `testify` and `finish`, run in the converting child.
        verifier: module with the function `verify`, run in the verifying child.
        progress: local folder for progress marks, "" for none.
    """

    output: str
    run_id: str
    attempt: str = ""
    require_evidence: Evidence = Evidence.REBUILT
    isolation: Isolation = field(default_factory=Isolation)
    threads: int = 1
    allow_custom_code: bool = False
    keep_training: bool = False
    limits: Limits = DEFAULT_LIMITS
    full_reload_every: int = 50
    inspector: str = INSPECTOR
    converter: str = CONVERTER
    verifier: str = VERIFIER
    progress: str = ""

    @property
    def converting(self) -> Isolation:
        """The converting child: TensorFlow is imported before the first model's clock starts."""
        preload = ("tf_keras", "transforms.saved_model.templates") if self.converter == CONVERTER else ()
        return replace(self.isolation, preload=(*preload, self.converter))

    @property
    def verifying(self) -> Isolation:
        """The verifying child."""
        return replace(self.isolation, preload=(self.verifier,))


def parse_size(text: str) -> int:
    """Bytes meant by "800M", "2GiB" or "123456"; units are powers of 1024.

    Raises:
        OptionError: it is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match or float(match[1]) <= 0:
        raise OptionError(f"{text!r} is not a size such as 800M or 2GiB.")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def split_beam_options(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Parts h5ferry's own arguments from those that Beam knows, so that neither discards what nobody knows.

    Returns:
        (own, Beam's), each in order. Unknown flags are among h5ferry's own, which its parser refuses.

    Raises:
        SystemExit: with status 2, an option of Beam's lacks its value or has an unusable one.
    """
    _, own = beam_parser().parse_known_args(list(arguments))
    left, beam = list(own), []
    for argument in arguments:
        if left and argument == left[0]:
            left.pop(0)
        else:
            beam.append(argument)
    return own, beam


def with_local_runner(beam_arguments: Sequence[str]) -> list[str]:
    """Beam's arguments with FnApiRunner as runner and all cores as threads of this process, unless they say otherwise.

    "DirectRunner" itself would try to download another runner first. Threads are enough: the work is done in children.
    """
    if not runs_here(beam_arguments):
        return [*beam_arguments]
    chosen = ["--runner=FnApiRunner"]
    if not _names("--direct_running_mode", beam_arguments):
        chosen.append("--direct_running_mode=multi_threading")
    if not _names("--direct_num_workers", beam_arguments):
        chosen.append(f"--direct_num_workers={len(os.sched_getaffinity(0))}")
    return [*chosen, *beam_arguments]


def runs_here(beam_arguments: Sequence[str]) -> bool:
    """Whether no other runner was named, so that all workers are on this machine."""
    return not _names("--runner", beam_arguments)


def _names(option: str, arguments: Sequence[str]) -> bool:
    return any(argument == option or argument.startswith(f"{option}=") for argument in arguments)


def beam_parser() -> argparse.ArgumentParser:
    """The parser with every option of Beam's that is installed."""
    from apache_beam.options.pipeline_options import PipelineOptions

    parsers: list[argparse.ArgumentParser] = []
    PipelineOptions([]).get_all_options(add_extra_args_fn=parsers.append)
    return parsers[0]
