"""Beam's own options: separated from h5ferry's, and completed for a local run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.isolation.machine import this_machine
from pipeline.run.request import RunRequest

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


def split_beam_options(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separates h5ferry's arguments from Beam's; unknown flags are reported and not discarded.

    Returns:
        (own, Beam's), each in order. Unknown flags are among h5ferry's own, whose parser refuses them.

    Raises:
        SystemExit: with status 2, an option of Beam's has no value or an invalid one.
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
    """Beam's arguments with FnApiRunner as runner and its workers as threads by default.

    The number of workers is the number of CPUs or that in the arguments, limited by the memory. "DirectRunner" would
    try to download another runner first. Threads suffice: the work is done in children.
    """
    if not runs_here(beam_arguments):
        return [*beam_arguments]
    chosen = ["--runner=FnApiRunner"]
    if not _names("--direct_running_mode", beam_arguments):
        chosen.append("--direct_running_mode=multi_threading")
    asked = _asked_workers(beam_arguments)
    served = this_machine().served(asked)
    if not _names("--direct_num_workers", beam_arguments) or served < asked:
        return [*chosen, *beam_arguments, f"--direct_num_workers={served}"]
    return [*chosen, *beam_arguments]


def memory_note(beam_arguments: Sequence[str]) -> str:
    """A message if the memory does not suffice for all workers, "" if it does or they are elsewhere."""
    return this_machine().shortage(_asked_workers(beam_arguments)) if runs_here(beam_arguments) else ""


def _asked_workers(beam_arguments: Sequence[str]) -> int:
    """Number of workers in the arguments, else one per CPU."""
    from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

    stated = int(PipelineOptions([*beam_arguments]).view_as(DirectOptions).direct_num_workers)
    return stated if stated and _names("--direct_num_workers", beam_arguments) else this_machine().cpus


def runs_here(beam_arguments: Sequence[str]) -> bool:
    """Whether all workers are on this machine: no other runner is named."""
    return not _names("--runner", beam_arguments)


def _names(option: str, arguments: Sequence[str]) -> bool:
    return any(argument == option or argument.startswith(f"{option}=") for argument in arguments)


def beam_parser() -> argparse.ArgumentParser:
    """The parser with every installed option of Beam's."""
    from apache_beam.options.pipeline_options import PipelineOptions

    parsers: list[argparse.ArgumentParser] = []
    PipelineOptions([]).get_all_options(add_extra_args_fn=parsers.append)
    return parsers[0]


def runs_in_this_process(run: RunRequest, options: PipelineOptions) -> bool:
    """Whether the workers are threads of this process."""
    from apache_beam.options.pipeline_options import DirectOptions

    mode = options.view_as(DirectOptions).direct_running_mode
    return runs_here(run.beam_arguments) and mode != "multi_processing"


def worker_count(options: PipelineOptions) -> int:
    """Number of workers that share this machine, from Beam's direct options."""
    from apache_beam.options.pipeline_options import DirectOptions

    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode == "in_memory":
        return 1
    return int(direct.direct_num_workers) or this_machine().workers


def thread_count(options: PipelineOptions) -> int:
    """Number of these workers that are threads of one process."""
    from apache_beam.options.pipeline_options import DirectOptions

    return worker_count(options) if options.view_as(DirectOptions).direct_running_mode == "multi_threading" else 1
