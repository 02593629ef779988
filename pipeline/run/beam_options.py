"""Beam's own options: separated from h5ferry's, and completed for a local run."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.isolation.machine import this_machine

if TYPE_CHECKING:
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner


_WORKER_COMMAND = "trap '' INT TERM; exec {} -m apache_beam.runners.worker.sdk_worker_main"


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
    """Beam's arguments with FnApiRunner as runner by default, which would otherwise try to download another one.

    Its worker is this process, which converts in threads of its own (`thread_count`) instead of Beam's; only
    `multi_processing` is left as it was asked for, with no more workers than the memory serves.
    """
    if not runs_here(beam_arguments):
        return [*beam_arguments]
    chosen = ["--runner=FnApiRunner", *beam_arguments]
    if _mode(beam_arguments) == "multi_processing":
        return [*chosen, f"--direct_num_workers={worker_count(beam_arguments)}"]
    return [*chosen, "--direct_running_mode=in_memory", "--direct_num_workers=1"]


def local_runner(beam_arguments: Sequence[str]) -> FnApiRunner | None:
    """The runner of `multi_processing`; None leaves it to Beam's arguments."""
    if not runs_here(beam_arguments) or _mode(beam_arguments) != "multi_processing":
        return None
    from apache_beam.portability import python_urns
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    class WorkerProcesses(FnApiRunner):  # type: ignore[misc]  # Beam's classes are untyped
        """Its workers ignore the signals that stop a run from their first moment on.

        Terminals and service managers signal all processes of a program. Beam waits without end for a worker that dies
        before its rows end.
        """

        def run_via_runner_api(self, pipeline_proto: Any, options: Any) -> Any:
            for environment in pipeline_proto.components.environments.values():
                if environment.urn == python_urns.SUBPROCESS_SDK:
                    environment.payload = _WORKER_COMMAND.format(shlex.quote(sys.executable)).encode()
            return super().run_via_runner_api(pipeline_proto, options)

    return WorkerProcesses()


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


def runs_in_this_process(beam_arguments: Sequence[str]) -> bool:
    """Whether this process is the worker."""
    return runs_here(beam_arguments) and _mode(beam_arguments) != "multi_processing"


def worker_count(beam_arguments: Sequence[str]) -> int:
    """Number of workers that share this machine, limited by its memory: threads or processes."""
    if not runs_here(beam_arguments) or _mode(beam_arguments) == "in_memory":
        return 1
    return this_machine().served(_asked_workers(beam_arguments))


def thread_count(beam_arguments: Sequence[str]) -> int:
    """Number of these workers that are threads of one process."""
    return worker_count(beam_arguments) if runs_in_this_process(beam_arguments) else 1


def _mode(beam_arguments: Sequence[str]) -> str:
    """Beam's running mode if the arguments name one; "multi_threading" means the same as none."""
    from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

    if not _names("--direct_running_mode", beam_arguments):
        return ""
    return str(PipelineOptions([*beam_arguments]).view_as(DirectOptions).direct_running_mode)
