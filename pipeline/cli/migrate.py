"""The options of `h5ferry migrate`, and the run that they describe."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.endings import cut_short, unusable
from pipeline.cli.examples import example
from pipeline.cli.given_models import manifest_of
from pipeline.cli.invocation import Invocation
from pipeline.cli.limit_options import OptionError, parse_size, with_limit_options
from pipeline.monitoring.event_log import LogFormat
from transforms.limits import Limits
from transforms.records.outcome import EVIDENCE_ORDER, Evidence

EPILOG = (
    "Beam's own pipeline options (--runner, --direct_num_workers, …) may follow. Exit status: 0 every"
    " row migrated or unchanged; 3 some were not; 2 unusable command line or manifest; 1 the program failed."
    + example("migrate")
)

if TYPE_CHECKING:
    RequiredEvidence = Evidence
else:  # The choices of --require-evidence, weakest first.
    RequiredEvidence = StrEnum("RequiredEvidence", [(each.name, each.value) for each in EVIDENCE_ORDER if each])


@with_limit_options
def migrate(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="MANIFEST|MODEL...",
            help="A manifest (CSV, JSON lines or Parquet); or model files, folders and patterns, or one registry"
            " (mlflow:URI), from which a manifest is made as by `scan`.",
        ),
    ],
    output: Annotated[str, typer.Option(help="Folder for <model>/<version>/, local or a Beam file system's URL.")],
    report: Annotated[str, typer.Option(help="Folder for the report. Default: OUTPUT/_h5ferry/runs/<run-id>.")] = "",
    require_evidence: Annotated[
        RequiredEvidence, typer.Option(help="Weakest evidence to accept for publication.")
    ] = RequiredEvidence.REBUILT,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one model.")] = 600.0,
    memory_limit: Annotated[
        str, typer.Option(help="Memory of one converting process, such as 8GiB. Default: its share of the machine.")
    ] = "",
    allow_custom_code: Annotated[
        bool,
        typer.Option(
            "--allow-custom-code",
            help="Execute the Python files of the columns custom_objects and architecture, in the converting process.",
        ),
    ] = False,
    keep_training: Annotated[
        bool,
        typer.Option(
            "--keep-training",
            help="Compile each SavedModel as its file says and restore the optimizer, to resume training.",
        ),
    ] = False,
    tensorflow_min: Annotated[
        str,
        typer.Option(
            metavar="RELEASE",
            help="The release of TensorFlow, such as 2.4, that must load each SavedModel; what needs more is refused.",
        ),
    ] = "",
    full_reload_every: Annotated[
        int,
        typer.Option(
            min=1, help="Load every Nth artefact completely from disk, even when its graph is already loaded."
        ),
    ] = 50,
    recheck_every: Annotated[
        int,
        typer.Option(
            min=0, help="Convert one row in N a second time by fresh processes, which must give the same files."
        ),
    ] = 0,
    run_id: Annotated[str, typer.Option(help="Name of the run. Default: from the time.")] = "",
    sign_key: Annotated[
        Path | None, typer.Option(help="Ed25519 private key in PEM, to sign the run record, run.json.")
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(help="With --sign-key: records signed with this key count besides one's own."),
    ] = None,
    sign_key_passphrase_file: Annotated[
        Path | None, typer.Option(help="File with the key's passphrase. Default: $H5FERRY_SIGN_KEY_PASSPHRASE.")
    ] = None,
    metrics_file: Annotated[
        Path | None, typer.Option(help="Text file for Prometheus, replaced at the end of the run.")
    ] = None,
    register: Annotated[
        str, typer.Option(metavar="mlflow:URI", help="Register what is published in this registry, as `register` does.")
    ] = "",
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for another run in the same output to end.")
    ] = 3600.0,
    lock: Annotated[bool, typer.Option(help="Lock the output against other runs while this one lasts.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print a line for each row that ends.")] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="json: one JSON object per event, on standard error; no summary.")
    ] = LogFormat.TEXT,
    *,
    limits: Limits,
) -> None:
    """Migrate every model of a manifest or folder, validate each against evidence, publish, and report."""
    from pipeline.history.signing import SigningKeyError, load_public_key, load_signer, read_passphrase
    from pipeline.isolation.policy import option_advice
    from pipeline.manifest.reader import ManifestError
    from pipeline.monitoring.event_log import json_log
    from pipeline.monitoring.notifier import EventNotifier, TextNotifier
    from pipeline.publication.locks import OutputInUseError
    from pipeline.registries.register import RegistryError, check_target
    from pipeline.run.migrate import run_registry
    from pipeline.run.report_folder import ReportFolderError
    from pipeline.run.request import RunRequest
    from pipeline.scan.find import ScanError
    from pipeline.settings import SettingsError, migrate_settings
    from pipeline.storage.paths import is_remote

    invocation: Invocation = context.obj or Invocation()
    if log_format is LogFormat.JSON:
        context.with_resource(json_log(sys.stderr, quiet=quiet))
    if quiet and verbose:
        unusable("--quiet and --verbose exclude each other.")
    try:
        settings = migrate_settings(
            output,
            run_id=run_id,
            require_evidence=require_evidence.value,
            timeout=timeout,
            memory_limit=parse_size(memory_limit) if memory_limit else 0,
            allow_custom_code=allow_custom_code,
            keep_training=keep_training,
            tensorflow_min=tensorflow_min,
            full_reload_every=full_reload_every,
            recheck_every=recheck_every,
            limits=limits,
        )
        settings = replace(
            settings,
            children=invocation.children or settings.children,
            isolation=replace(settings.isolation, advice=option_advice("--timeout", "--memory-limit")),
        )
        if metrics_file is not None and not metrics_file.parent.is_dir():
            unusable(f"--metrics-file {metrics_file}: there is no folder {metrics_file.parent}.")
        if register:
            if is_remote(output):
                unusable("--register needs a local output: copy it, then run `h5ferry register`.")
            try:
                check_target(register)
            except RegistryError as error:
                unusable(error)
        if public_key and sign_key is None:
            unusable("--public-key says which signed records count beside one's own: it needs --sign-key.")
        signer = load_signer(sign_key, read_passphrase(sign_key_passphrase_file)) if sign_key else None
        notifier = EventNotifier() if log_format is LogFormat.JSON else TextNotifier(quiet=quiet, verbose=verbose)
        run = RunRequest(
            manifest_of(sources, notifier),
            settings,
            report,
            invocation.beam_arguments,
            notifier,
            signer=signer,
            public_keys=tuple(map(load_public_key, public_key or ())),
            metrics_file=str(metrics_file or ""),
            wait=wait,
            lock=lock,
            register=register,
        )
        status = run_registry(run).exit_status
    except (
        ManifestError,
        OptionError,
        OutputInUseError,
        RegistryError,
        ReportFolderError,
        ScanError,
        SettingsError,
        SigningKeyError,
    ) as error:
        unusable(error)
    except OSError as error:
        cut_short(error)
    raise typer.Exit(status)
