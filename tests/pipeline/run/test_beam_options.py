import pytest
import typer
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

from pipeline.cli.app import app
from pipeline.cli.limit_options import OptionError, parse_size
from pipeline.isolation.machine import Machine
from pipeline.run import beam_options
from pipeline.run.beam_options import (
    beam_parser,
    memory_note,
    runs_in_this_process,
    split_beam_options,
    thread_count,
    with_local_runner,
    worker_count,
)


@pytest.mark.parametrize(
    "text, size",
    [("1", 1), ("2k", 2048), ("1.5MiB", 3 << 19), ("8GiB", 8 << 30), (" 3 GB ", 3 << 30), ("1T", 1 << 40)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1X", "GiB", "1 2", "inf"])
def test_no_sizes(text):
    with pytest.raises(OptionError):
        parse_size(text)


@pytest.mark.parametrize(
    "arguments, own, beam",
    [
        ("migrate m.csv --output o", "migrate m.csv --output o", ""),
        ("migrate m.csv --runner=X --output o", "migrate m.csv --output o", "--runner=X"),
        ("migrate --direct_num_workers 2 m.csv --output 2", "migrate m.csv --output 2", "--direct_num_workers 2"),
        ("migrate --streaming m.csv --output=o -q", "migrate m.csv --output=o -q", "--streaming"),
        ("migrate m.csv --timout 5", "migrate m.csv --timout 5", ""),
        ("migrate m.csv --output --runner", "migrate m.csv --output --runner", None),
    ],
)
def test_beam_options_are_told_apart(arguments, own, beam):
    if beam is None:
        with pytest.raises(SystemExit) as caught:
            split_beam_options(arguments.split())
        assert caught.value.code == 2
    else:
        assert split_beam_options(arguments.split()) == (own.split(), beam.split())


def test_no_option_of_ours_is_beams():
    command = typer.main.get_command(app).commands["migrate"]
    ours = {name for parameter in command.params for name in parameter.opts if name.startswith("-")}
    beams = {name for action in beam_parser()._actions for name in action.option_strings}
    assert ours & beams == set()


def test_local_runner_is_pinned_unless_named():
    here = ["--direct_running_mode=in_memory", "--direct_num_workers=1"]
    for given in (["--streaming"], ["--direct_running_mode=multi_threading"], ["--direct_num_workers", "3"]):
        assert with_local_runner(given) == ["--runner=FnApiRunner", *given, *here]
    for named in (["--runner=X"], ["--runner", "X"]):
        assert with_local_runner(named) == named


@pytest.mark.parametrize(
    ("arguments", "workers", "threads", "here"),
    [
        ([], 2, 2, True),
        (["--direct_running_mode=multi_threading"], 2, 2, True),
        (["--direct_num_workers=1"], 1, 1, True),
        (["--direct_num_workers", "1", "--direct_running_mode=in_memory"], 1, 1, True),
        (["--direct_running_mode=multi_processing", "--direct_num_workers=2"], 2, 1, False),
        (["--runner=X", "--direct_num_workers=5"], 1, 1, False),
    ],
)
def test_workers_and_threads(monkeypatch, arguments, workers, threads, here):
    monkeypatch.setattr(beam_options, "this_machine", lambda: Machine(2, "affinity mask", 64 << 30, "memory.max"))
    assert (worker_count(arguments), thread_count(arguments), runs_in_this_process(arguments)) == (
        workers,
        threads,
        here,
    )


def test_processes_are_left_to_beam():
    stated = ["--direct_running_mode=multi_processing", "--direct_num_workers=1"]
    options = PipelineOptions(with_local_runner(stated)).view_as(DirectOptions)
    assert (options.direct_running_mode, options.direct_num_workers) == ("multi_processing", 1)


@pytest.mark.parametrize(
    "arguments, workers, says",
    [
        ([], 2, "2 of 16 workers"),
        (["--direct_num_workers=2"], 2, ""),
        (["--direct_num_workers", "5"], 2, "2 of 5 workers"),
        (["--direct_num_workers=0"], 2, "2 of 16 workers"),
        (["--runner=X", "--direct_num_workers=5"], 1, ""),
    ],
)
def test_no_more_workers_than_the_memory_serves(monkeypatch, arguments, workers, says):
    small = Machine(16, "affinity mask", 1536 << 20, "memory.max")
    monkeypatch.setattr(beam_options, "this_machine", lambda: small)
    assert worker_count(arguments) == workers
    assert memory_note(arguments).startswith(says) and bool(memory_note(arguments)) == bool(says)
