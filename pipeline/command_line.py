"""The command line. Each command imports what it needs when it runs: help comes without TensorFlow or Beam."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Never

import typer

from pipeline import __version__

USAGE_ERROR, SOME_NOT = 2, 3
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

app = typer.Typer(
    name="h5ferry",
    help="Carries legacy Keras HDF5 models over to TensorFlow SavedModel, and proves that they answer as before.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class RequiredEvidence(StrEnum):
    """The choices of --require-evidence, weakest first."""

    REBUILT = "rebuilt"
    REFERENCE = "reference"
    GOLDEN = "golden"


def main(arguments: Sequence[str] | None = None) -> Never:
    """Runs the program and exits with the contract's status: 0, 3, 2 (unusable command line or manifest) or 1."""
    own = list(sys.argv[1:] if arguments is None else arguments)
    beam: list[str] = []
    if own[:1] == ["migrate"] and not {"-h", "--help"} & set(own):
        _quiet_libraries()
        from pipeline.options import split_beam_options

        own, beam = split_beam_options(own)
    sys.exit(typer.main.get_command(app).main(args=own, prog_name="h5ferry", obj=tuple(beam), standalone_mode=True))


def _quiet_libraries() -> None:
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("apache_beam").setLevel(logging.ERROR)


def _unusable(problem: object) -> Never:
    from pipeline.terminal import printable

    typer.echo(f"h5ferry: {printable(str(problem))}", err=True)
    raise typer.Exit(USAGE_ERROR)


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
    """Holds the options of the program as a whole."""


@app.command(
    epilog="Beam's own pipeline options (--runner, --direct_num_workers, …) may follow. Exit status: 0 every"
    " row migrated or unchanged; 3 some were not; 2 unusable command line or manifest; 1 the program failed."
)
def migrate(
    context: typer.Context,
    manifest: Annotated[str, typer.Argument(metavar="MANIFEST", help="CSV, JSON lines or Parquet.")],
    output: Annotated[str, typer.Option(help="Folder for <model>/<version>/, local or a Beam file system's URL.")],
    report: Annotated[str, typer.Option(help="Folder for the report. Default: OUTPUT/_h5ferry/runs/<run-id>.")] = "",
    require_evidence: Annotated[
        RequiredEvidence, typer.Option(help="The weakest evidence that may be published.")
    ] = RequiredEvidence.REBUILT,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one model.")] = 600.0,
    memory_limit: Annotated[
        str, typer.Option(help="Memory of one converting process, as 8GiB. Default: its share of the machine.")
    ] = "",
    max_file_size: Annotated[str, typer.Option(help="The largest source to read, as 2GiB.")] = "16GiB",
    allow_custom_code: Annotated[
        bool,
        typer.Option(
            "--allow-custom-code",
            help="Execute the Python files of the columns custom_objects and architecture, in the converting process.",
        ),
    ] = False,
    full_reload_every: Annotated[
        int,
        typer.Option(min=1, help="Of artefacts whose graph is loaded already, load one in so many as a whole."),
    ] = 50,
    run_id: Annotated[str, typer.Option(help="Name of the run. Default: from the time.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")] = False,
    converter: Annotated[str, typer.Option(hidden=True)] = "",
    verifier: Annotated[str, typer.Option(hidden=True)] = "",
    inspector: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Migrate every model of a manifest, validate each against evidence, publish, and report."""
    from pipeline import options
    from pipeline.isolation import Isolation
    from pipeline.manifest import ManifestError
    from pipeline.migrating import Run, new_run_id
    from pipeline.migrating import migrate as run_migration
    from transforms.outcome import Evidence

    if run_id and not _RUN_ID.fullmatch(run_id):
        _unusable(f"--run-id {run_id!r} is not made of letters, digits, '.', '_' and '-'.")
    try:
        settings = options.MigrateSettings(
            output=output,
            run_id=run_id or new_run_id(),
            require_evidence=Evidence(require_evidence.value),
            isolation=Isolation(timeout=timeout, memory_bytes=options.parse_size(memory_limit) if memory_limit else 0),
            max_file_bytes=options.parse_size(max_file_size),
            allow_custom_code=allow_custom_code,
            full_reload_every=full_reload_every,
            converter=converter or options.CONVERTER,
            verifier=verifier or options.VERIFIER,
            inspector=inspector or options.INSPECTOR,
        )
        status = run_migration(Run(manifest, settings, report, context.obj or (), quiet))
    except (ManifestError, options.OptionError) as error:
        _unusable(error)
    raise typer.Exit(status)


@app.command()
def inspect(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...")],
    architecture: Annotated[Path | None, typer.Option(help="Architecture of a weights-only file.")] = None,
    backend: Annotated[str, typer.Option(help="theano, cntk or tensorflow, where the file does not say.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say what a file is, which rewrites it needs, and whether it would be refused. Exit status 3 if one would."""
    from pipeline.describing import describe_models

    raise typer.Exit(0 if describe_models(models, architecture, backend, as_json=as_json) else SOME_NOT)


@app.command()
def scan(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", exists=True)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The manifest. Default: standard output.")
    ] = None,
) -> None:
    """Find HDF5 files by their signature, and write a manifest of them."""
    from pipeline.scanning import manifest_text, scan_paths

    text = manifest_text(scan_paths(paths), output.parent if output else Path.cwd())
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"{text.count(chr(10)) - 1} models in {output}", err=True)


@app.command()
def verify(
    target: Annotated[Path, typer.Argument(metavar="DIR|REPORT", exists=True, help="An output folder or a report.")],
    run_samples: Annotated[
        bool, typer.Option(help="Run the samples kept with each model, which needs TensorFlow.")
    ] = True,
) -> None:
    """Hash what was published again, and run the samples kept with it. Exit status 3 if anything differs."""
    from pipeline.report import ReportError
    from pipeline.verifying import verify_outputs

    try:
        sound = verify_outputs(target, run_samples=run_samples)
    except ReportError as error:
        _unusable(error)
    raise typer.Exit(0 if sound else SOME_NOT)


@app.command()
def report(
    source: Annotated[Path, typer.Argument(metavar="REPORT", exists=True, help="report.parquet, or its folder.")],
    output: Annotated[Path, typer.Option("--output", "-o")] = Path("report.html"),
) -> None:
    """Write the audit page of a report."""
    from pipeline.report import ReportError, read_report
    from pipeline.report_page import render_page

    try:
        output.write_text(render_page(read_report(str(source))), encoding="utf-8")
    except ReportError as error:
        _unusable(error)
    typer.echo(str(output))


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", exists=True)],
    new: Annotated[Path, typer.Argument(metavar="NEW", exists=True)],
) -> None:
    """Compare two reports, model by model. Exit status 3 if they differ."""
    from pipeline.comparing import compare_reports, print_differences
    from pipeline.report import ReportError, read_report

    try:
        differences = compare_reports(read_report(str(old)), read_report(str(new)))
    except ReportError as error:
        _unusable(error)
    print_differences(differences)
    raise typer.Exit(SOME_NOT if len(differences) else 0)
