"""The command line. Each command imports what it needs when it runs; help needs neither TensorFlow nor Beam."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Never

import typer

from pipeline import __version__
from pipeline.cli.completion import Shell, completion_script, prepare_to_complete
from pipeline.cli.endings import unusable
from pipeline.cli.examples import example
from pipeline.cli.invocation import Invocation
from pipeline.cli.limit_options import with_limit_options
from pipeline.cli.migrate import EPILOG, migrate
from pipeline.cli.registry_commands import register, serving_config
from pipeline.run.exit_status import ExitStatus
from transforms.limits import Limits

if TYPE_CHECKING:
    from pipeline.settings import ChildFunctions

app = typer.Typer(
    name="h5ferry",
    help="Migrates legacy Keras HDF5 models to TensorFlow SavedModel, and proves that they give the same outputs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None, children: ChildFunctions | None = None) -> Never:
    """Runs the program and exits with 0, 3, 2 (invalid command line or manifest) or 1.

    Args:
        arguments: those of the command line; None: the process's own.
        children: functions that the children run in place of the real ones, for tests.
    """
    prepare_to_complete()
    own = list(sys.argv[1:] if arguments is None else arguments)
    beam: list[str] = []
    if own[:1] == ["migrate"] and not {"-h", "--help"} & set(own):
        _quiet_libraries()
        from pipeline.run.beam_options import split_beam_options

        own, beam = split_beam_options(own)
    invocation = Invocation(tuple(beam), children)
    sys.exit(typer.main.get_command(app).main(args=own, prog_name="h5ferry", obj=invocation, standalone_mode=True))


def _quiet_libraries() -> None:
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("apache_beam").setLevel(logging.ERROR)


def _exit_status(sound: bool) -> ExitStatus:
    return ExitStatus.ALL_PUBLISHED if sound else ExitStatus.SOME_NOT


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"h5ferry {__version__}")
        raise typer.Exit()


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Defines the options of the program as a whole."""


app.command(name="migrate", epilog=EPILOG)(migrate)


@app.command(epilog=example("inspect"))
@with_limit_options
def inspect(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...")],
    architecture: Annotated[Path | None, typer.Option(help="Architecture of a weights-only file.")] = None,
    backend: Annotated[str, typer.Option(help="theano, cntk or tensorflow, if the file does not record it.")] = "",
    custom_objects: Annotated[
        Path | None, typer.Option(help="Python file with custom layers and functions; with --allow-custom-code.")
    ] = None,
    allow_custom_code: Annotated[
        bool, typer.Option("--allow-custom-code", help="Execute that file, in a process of its own.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    *,
    limits: Limits,
) -> None:
    """Describe files: writer, layers, rewrites, and whether they would be refused. Exit status 3 if one would be."""
    from pipeline.inspection.describe import describe_models

    if custom_objects is not None and not allow_custom_code:
        unusable("--custom-objects is executed: it needs --allow-custom-code.")
    sound = describe_models(models, architecture, backend, limits, custom_objects=custom_objects, as_json=as_json)
    raise typer.Exit(_exit_status(sound))


@app.command(epilog=example("scan"))
def scan(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|mlflow:URI...",
            help="Files, folders, patterns such as 'a/**/*.h5'; or mlflow: and the URI of a registry.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The manifest, .csv or .jsonl. Default: CSV on standard output."),
    ] = None,
    downloads: Annotated[
        Path | None,
        typer.Option(
            help="Folder for what is downloaded from a registry, and for samples of its input examples. Default:"
            " mlflow, beside the manifest."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary.")] = False,
) -> None:
    """Find HDF5 models, and checkpoints beside their architecture, and write a manifest, with comments where unsure."""
    from pipeline.registries.scan import DOWNLOADS, propose
    from pipeline.scan.find import ScanError
    from pipeline.scan.propose import write_proposal

    try:
        summary = write_proposal(propose(paths, downloads or (output.parent if output else Path()) / DOWNLOADS), output)
    except (ScanError, OSError) as error:
        unusable(error)
    if not quiet:
        for line in summary:
            typer.echo(line, err=True)


@app.command(epilog=example("verify"))
def verify(
    target: Annotated[Path, typer.Argument(metavar="DIR|REPORT", exists=True, help="An output folder or a report.")],
    output: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Present folder of REPORT's output, if moved.")
    ] = None,
    run_samples: Annotated[bool, typer.Option(help="Run the samples stored with each model; needs TensorFlow.")] = True,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(help="Ed25519 public key in PEM. Every run record must be signed with one of the given keys."),
    ] = None,
    expect_run: Annotated[
        str, typer.Option(help="The newest record must be that of this run: its id, or the SHA-256 of its record.")
    ] = "",
    newer_than: Annotated[
        str,
        typer.Option(help="The newest record's run must have ended after this: a date, a time, or so long ago (26h)."),
    ] = "",
    registered: Annotated[
        str, typer.Option(metavar="mlflow:URI", help="Every model must be in this registry too, byte for byte.")
    ] = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print a line for each output, also where nothing differs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Hash published models again, check the run records, and run the samples. Exit status 3 if anything differs.

    Needs neither the sources nor the machine of the run.
    """
    from rich.console import Console

    from pipeline.audit import view
    from pipeline.audit.freshness import Freshness, parse_instant
    from pipeline.audit.verify import VerifyRequest
    from pipeline.audit.verify import verify as run_verification
    from pipeline.history.signing import SigningKeyError, load_public_key
    from pipeline.registries.register import RegistryError, check_target, published_models, registered_findings
    from pipeline.report.table import ReportError

    console = Console(highlight=False)
    try:
        fresh = Freshness(expect_run, parse_instant(newer_than, datetime.now(UTC)) if newer_than else None)
    except ValueError:
        unusable(
            f"--newer-than {newer_than!r} is no date or time (2026-01-31, 2026-01-31T14:25) and no span (26h, 7d)."
        )
    try:
        keys = tuple(load_public_key(key) for key in public_key or ())
        request = VerifyRequest(target, run_samples, keys, output, fresh)
        found = run_verification(
            request, (lambda state: None) if as_json else view.output_lines(console, verbose=verbose)
        )
        if registered:
            check_target(registered)
            more = registered_findings(published_models(output or target), registered)
            found = replace(found, findings=(*found.findings, *more))
    except (RegistryError, ReportError, SigningKeyError) as error:
        unusable(error)
    if as_json:
        typer.echo(view.as_json(found))
    else:
        view.print_verification(console, found)
    raise typer.Exit(_exit_status(found.sound))


@app.command(epilog=example("report"))
def report(
    source: Annotated[Path, typer.Argument(metavar="REPORT", exists=True, help="report.parquet, or its folder.")],
    output: Annotated[Path, typer.Option("--output", "-o")] = Path("report.html"),
) -> None:
    """Write the audit page of a report."""
    from pipeline.report.table import ReportError
    from pipeline.report.untrusted import audit_page, report_bytes

    try:
        output.write_text(audit_page(report_bytes(source)), encoding="utf-8")
    except ReportError as error:
        unusable(error)
    typer.echo(str(output))


@app.command(epilog=example("diff"))
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A report, or mlflow:URI for what was registered.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, to be judged.")],
    factor: Annotated[float, typer.Option(min=1, help="Factor by which an error must grow to count as worse.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Compare two reports, model by model. Exit status 3 if anything got worse."""
    from rich.console import Console

    from pipeline.registries.published import RegistryError
    from pipeline.registries.reported import bytes_of
    from pipeline.report import diff_view as view
    from pipeline.report.diff import Verdict
    from pipeline.report.table import ReportError
    from pipeline.report.untrusted import changes

    try:
        found = changes(bytes_of(old), bytes_of(new), factor)
    except (RegistryError, ReportError) as error:
        unusable(error)
    if as_json:
        typer.echo(view.as_json(found, old, new, factor))
    else:
        view.print_changes(Console(highlight=False), found)
    raise typer.Exit(_exit_status(all(change.verdict is not Verdict.WORSE for change in found)))


app.command(epilog=example("register"))(register)
app.command(name="serving-config", epilog=example("serving-config"))(serving_config)


@app.command(epilog=example("doctor"))
def doctor(
    places: Annotated[
        list[str] | None, typer.Argument(metavar="[PLACE]...", help="Folders, files or URLs that must be reachable.")
    ] = None,
    run_model: Annotated[bool, typer.Option(help="Migrate and verify a small model; needs TensorFlow.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what this machine offers and what a run would use. Exit status 1 if something prevents a run."""
    from pipeline.diagnosis import view
    from pipeline.diagnosis.examine import State, examine

    _quiet_libraries()
    facts = []
    for fact in examine(places or (), run_model=run_model):
        facts.append(fact)
        if not as_json:
            typer.echo(view.as_line(fact))
    if as_json:
        typer.echo(view.as_json(facts))
    sound = all(fact.state is not State.BAD for fact in facts)
    raise typer.Exit(ExitStatus.ALL_PUBLISHED if sound else ExitStatus.FAILED)


@app.command(epilog=example("completion"))
def completion(shell: Annotated[Shell, typer.Argument(help="The shell to complete in.")]) -> None:
    """Print a script that completes h5ferry's commands and options in a shell."""
    typer.echo(completion_script(shell))
