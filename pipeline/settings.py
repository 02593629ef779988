"""What a run was asked for: h5ferry's own settings, and Beam's options told apart from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pipeline.isolation.process import Isolation
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.outcome import Evidence

CONVERTER = "pipeline.isolation.entrypoints.conversion"
VERIFIER = "pipeline.isolation.entrypoints.verification"
INSPECTOR = "transforms.inspection.inspect:inspect_source"


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
        converter: module with the functions `stage`, `expected_outputs` and `finish`, run in the converting child.
        verifier: module with the function `verify`, run in the verifying child.
        progress: local folder for progress marks, "" for none.
        folds_case: whether names that differ in case alone are one file at the output.
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
    folds_case: bool = False

    @property
    def converting(self) -> Isolation:
        """The converting child: TensorFlow is imported before the first model's clock starts."""
        preload = ("tf_keras", "transforms.saved_model.templates") if self.converter == CONVERTER else ()
        return replace(self.isolation, preload=(*preload, self.converter))

    @property
    def verifying(self) -> Isolation:
        """The verifying child."""
        return replace(self.isolation, preload=(self.verifier,))
