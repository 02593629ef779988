"""The settings of a run, as sent to each worker."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from pipeline.coordination.run_folder import NO_FOLDER, RunFolder
from pipeline.isolation.policy import Isolation, Role, option_advice
from pipeline.publication.layout import is_run_id
from pipeline.storage.paths import absolute_path
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.outcome import EVIDENCE_ORDER, Evidence


@dataclass(frozen=True)
class ChildFunctions:
    """The functions that the children run, by name; each name is resolved in the child.

    Attributes:
        inspector: "module:name" of the function for the inspecting child.
        converter: module with the functions `stage`, `expected_outputs` and `finish` for the converting child.
        verifier: module with the function `verify` for the verifying child.
        preload: modules that a converting child imports first.
    """

    inspector: str = "transforms.inspection.inspect:inspect_source"
    converter: str = "pipeline.isolation.entrypoints.conversion"
    verifier: str = "pipeline.isolation.entrypoints.verification"
    preload: tuple[str, ...] = ("tf_keras", "transforms.saved_model.templates")


CHILD_FUNCTIONS = ChildFunctions()


@dataclass(frozen=True)
class MigrateSettings:
    """The settings that workers need; each step carries them, because some runners do not ship options to workers.

    Attributes:
        output: absolute folder or URL.
        run_id: names the run in report and receipts.
        attempt: random for each run; distinguishes a retried bundle from a second run, and the children of concurrent
            runs in one process.
        trusted_keys: public keys (hex) whose signed records vouch for what lies in the output; none takes every record.
        require_evidence: the weakest evidence accepted for publication.
        isolation: limits of the converting children.
        threads: maximum number of process pairs of one worker process.
        allow_custom_code: whether a row's `custom_objects` may be used.
        keep_training: whether SavedModels are compiled, with the optimizer's state.
        tensorflow_min: the release of TensorFlow that must load the SavedModels; "" for any.
        limits: the budget of reading.
        full_reload_every: of artefacts whose graph is already loaded, one in so many is nevertheless loaded completely.
        recheck_every: one row in so many is converted twice, by fresh processes; 0 for none.
        children: functions that the children run.
        folder: for communication between the launcher and workers on this machine.
        folds_case: whether the output's file system ignores case in names.
    """

    output: str
    run_id: str
    attempt: str = field(default_factory=lambda: secrets.token_hex(8))
    trusted_keys: tuple[str, ...] = ()
    require_evidence: Evidence = Evidence.REBUILT
    isolation: Isolation = field(default_factory=Isolation)
    threads: int = 1
    allow_custom_code: bool = False
    keep_training: bool = False
    tensorflow_min: str = ""
    limits: Limits = DEFAULT_LIMITS
    full_reload_every: int = 50
    recheck_every: int = 0
    children: ChildFunctions = CHILD_FUNCTIONS
    folder: RunFolder = NO_FOLDER
    folds_case: bool = False

    @property
    def converting(self) -> Isolation:
        """The settings of the converting child: TensorFlow is imported before the first model's clock starts."""
        preload = (*self.children.preload, self.children.converter)
        return replace(self.isolation, preload=preload, role=Role.CONVERTING)

    @property
    def verifying(self) -> Isolation:
        """The settings of the verifying child."""
        return replace(self.isolation, preload=(self.children.verifier,), role=Role.VERIFYING)

    @property
    def inspecting(self) -> Isolation:
        """The settings of the inspecting child."""
        return replace(self.isolation, role=Role.INSPECTING)


class SettingsError(ValueError):
    """An option has an invalid value."""


class MigrateOptions(TypedDict, total=False):
    """Options of a migration besides source and output, with the defaults of the command line.

    Attributes:
        run_id: name in report and receipts; default: made from the time.
        require_evidence: the weakest evidence accepted for publication: `rebuilt`, `reference` or `golden`.
        timeout: wall-clock seconds for one model.
        memory_limit: bytes for one converting process; 0: its share of the machine.
        workers: processes or threads of the pipeline that share one machine; determines that share and thread counts.
        threads: models that one worker process may convert concurrently.
        allow_custom_code: execute the Python files named by rows.
        keep_training: compile each SavedModel as its file says and restore the optimizer.
        tensorflow_min: the release of TensorFlow, such as "2.4", that must load each SavedModel.
        full_reload_every: of artefacts whose graph is already loaded, one in so many is loaded completely again.
        recheck_every: one row in so many is converted a second time by fresh processes, which must give the same files;
            0 for none.
        limits: maximum sizes of what is read.
    """

    run_id: str
    require_evidence: Evidence | str
    timeout: float
    memory_limit: int
    workers: int
    threads: int
    allow_custom_code: bool
    keep_training: bool
    tensorflow_min: str
    full_reload_every: int
    recheck_every: int
    limits: Limits


def new_run_id() -> str:
    """A run id that sorts by time: "20260131T142501-3f9a"."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def migrate_settings(output: str, **options: Unpack[MigrateOptions]) -> MigrateSettings:
    """The settings of a migration.

    Args:
        output: folder or URL.
        options: see `MigrateOptions`.

    Raises:
        SettingsError: an option has an invalid value.
    """
    run_id, required = options.get("run_id", ""), options.get("require_evidence", Evidence.REBUILT)
    if run_id and not is_run_id(run_id):
        raise SettingsError(f"The run id {run_id!r} is not made of letters, digits, '.', '_' and '-'.")
    if required not in EVIDENCE_ORDER[1:]:
        choices = ", ".join(each.value for each in EVIDENCE_ORDER[1:])
        raise SettingsError(f"The required evidence {str(required)!r} is none of {choices}.")
    isolation = Isolation(
        timeout=options.get("timeout", Isolation.timeout),
        memory_bytes=options.get("memory_limit", Isolation.memory_bytes),
        workers=options.get("workers", Isolation.workers),
        advice=option_advice("timeout=", "memory_limit="),
    )
    return MigrateSettings(
        output=absolute_path(output),
        run_id=run_id or new_run_id(),
        require_evidence=Evidence(required),
        isolation=isolation,
        threads=options.get("threads", MigrateSettings.threads),
        allow_custom_code=options.get("allow_custom_code", False),
        keep_training=options.get("keep_training", False),
        tensorflow_min=_release(options.get("tensorflow_min", "")),
        full_reload_every=options.get("full_reload_every", MigrateSettings.full_reload_every),
        recheck_every=options.get("recheck_every", MigrateSettings.recheck_every),
        limits=options.get("limits", DEFAULT_LIMITS),
    )


def _release(text: str) -> str:
    """The minor release, "" for none. Raises SettingsError for what names no release that can be asked for."""
    from transforms.releases.tensorflow_operations import OLDEST_SERVED, parse_release, release_text

    if not text:
        return ""
    try:
        release = parse_release(text)
    except ValueError as error:
        raise SettingsError(f"tensorflow_min: {error}.") from None
    if release < OLDEST_SERVED:
        oldest = release_text(OLDEST_SERVED)
        raise SettingsError(f"tensorflow_min: SavedModels are written for TensorFlow {oldest} and later.")
    return release_text(release)
