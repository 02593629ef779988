"""The result of a conversion as stored in the receipt and shown in the report: one record whose fields are columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pipeline.storage.canonical_json import number_of
from transforms.records.outcome import NOTHING_KNOWN, MigrationOutcome, Rewrite, SourceFacts


@dataclass(frozen=True)
class OutcomeColumns:
    """The report columns that a conversion fills.

    Empty values are "" for texts, 0 for numbers, and nan for errors if nothing was compared.
    """

    evidence: str = ""
    max_abs_error: float = float("nan")
    max_rel_error: float = float("nan")
    tolerance_used: float = float("nan")
    reference_max_abs_error: float = float("nan")
    samples: int = 0
    keras_version: str = ""
    backend: str = ""
    source_sha256: str = ""
    source_bytes: int = 0
    parameters: int = 0
    rewrites: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    architecture: str = ""
    tensorflow_version: str = ""
    tensorflow_min: str = ""
    assumptions: tuple[str, ...] = ()

    @classmethod
    def of(cls, outcome: MigrationOutcome, known: SourceFacts = NOTHING_KNOWN) -> OutcomeColumns:
        """The columns of an outcome; if the source was not read, with the facts known before."""
        return cls(
            evidence=outcome.evidence.value,
            max_abs_error=outcome.max_abs_error,
            max_rel_error=outcome.max_rel_error,
            tolerance_used=outcome.tolerance_used,
            reference_max_abs_error=outcome.reference_max_abs_error,
            samples=outcome.samples,
            rewrites=tuple(map(describe_rewrite, outcome.rewrites)),
            warnings=outcome.warnings,
            architecture=outcome.architecture,
            tensorflow_version=outcome.tensorflow_version,
            tensorflow_min=outcome.tensorflow_min,
            assumptions=tuple(map(str, outcome.assumptions)),
            **asdict(known if outcome.source is None else outcome.source),
        )

    @classmethod
    def of_source(cls, known: SourceFacts) -> OutcomeColumns:
        """The columns of a model whose source was only inspected."""
        return cls(**asdict(known))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> OutcomeColumns:
        """The columns that a receipt stored. Missing ones have their default; unknown ones are ignored.

        Raises:
            TypeError, ValueError: a value is not of its column's type.
        """
        return cls(**{each.name: _READ[str(each.type)](stored[each.name]) for each in _FIELDS if each.name in stored})


NO_OUTCOME = OutcomeColumns()
_FIELDS = fields(OutcomeColumns)


def describe_rewrite(rewrite: Rewrite) -> str:
    """Formats a rewrite for the report: "layer: rule (detail)"."""
    detail = f" ({rewrite.detail})" if rewrite.detail else ""
    return f"{rewrite.layer}: {rewrite.rule}{detail}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(map(_text, value))


def _count(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return value


#: Readers of JSON values, by type.
_READ: Mapping[str, Callable[[object], Any]] = {
    "str": _text,
    "int": _count,
    "float": number_of,
    "tuple[str, ...]": _texts,
}
