"""Reports of any length whose rows are drawn from every status, with the texts that a hostile registry would hold."""

import json
import math
import random
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.manifest.row import ManifestRow
from pipeline.publication.outcome_columns import OutcomeColumns
from pipeline.report.row import ReportRow, report_schema
from transforms.errors import FAILURES, Reason
from transforms.records.rewrites import REWRITES

HOSTILE = (
    "<script>window.stolen = 1</script>",
    "</script><script>window.stolen = 2</script>",
    "<img src=x onerror='window.stolen = 3'>",
    "&lt;b&gt; &amp; <b onclick=window.stolen=4>",
    "\u202egnp.exe\u2066 \u2028 \u0000 \x1b[31m",
    "'; window.stolen = 5; //",
    "{{ 7 * 7 }} ${window.stolen = 6} `",
)
_DIALECTS = [
    ("1.2.2", "theano"),
    ("2.2.4", "tensorflow"),
    ("2.3.1", "tensorflow"),
    ("2.8.0", "tensorflow"),
    ("3.4.1", ""),
]
_EVIDENCE = ("golden", "golden", "reference", "reference", "reference", "rebuilt")
_START = datetime(2026, 1, 31, 14, 25, tzinfo=UTC)
_STATUSES = ["migrated"] * 80 + ["unchanged"] * 10 + ["refused"] * 7 + ["failed"] * 2 + ["mismatch"]


def many_rows(length: int, seed: int = 7) -> list[ReportRow]:
    """Rows that differ as those of a registry do; the same for the same seed."""
    draw = random.Random(seed)
    return [_row(draw, line) for line in range(2, length + 2)]


def hostile_rows() -> list[ReportRow]:
    """A row for each hostile text, which stands wherever a text may."""
    return [
        row_of(
            model=text, version=1, source=text, status=status, reason=text if status != "migrated" else "",
            message=text, evidence=text, keras_version=text, backend=text, source_sha256=text, output=text,
            output_sha256=text, rewrites=(text, f"{text}: class_renamed ({text})"), warnings=(text,), architecture=text,
            run_id=text, h5ferry_version=text, tensorflow_version=text, line=line,
            manifest_row=json.dumps({"model": text}), finished_at=_START, seconds=1.0,
            max_abs_error=1e-7, max_rel_error=1e-7, tolerance_used=1e-2,
        )
        for line, (text, status) in enumerate(
            ((text, status) for text in HOSTILE for status in ("migrated", "refused")), start=2
        )
    ]  # fmt: skip


def row_of(**columns: Any) -> ReportRow:
    """A row from its columns by name."""
    outcome = {field.name: columns.pop(field.name) for field in fields(OutcomeColumns) if field.name in columns}
    return ReportRow(**columns, outcome=OutcomeColumns(**outcome))


def frame_of(rows: list[ReportRow]) -> pd.DataFrame:
    return pa.Table.from_pylist([row.as_record() for row in rows], schema=report_schema()).to_pandas()


def _row(draw: random.Random, line: int) -> ReportRow:
    status = draw.choice(_STATUSES)
    model = f"team_{draw.randrange(12):02}/{draw.choice(('churn', 'fraud', 'ocr', 'speech', 'rank'))}_{line:05}"
    keras_version, backend = draw.choice(_DIALECTS)
    digest = f"{draw.getrandbits(256):064x}"
    done = status in ("migrated", "unchanged")
    compared = done or status == "mismatch"
    absolute = 10 ** draw.uniform(-3, -1) if status == "mismatch" else draw.choice((0.0, 10 ** draw.uniform(-9, -5.5)))
    choices = [reason for reason in Reason if (reason in FAILURES) == (status == "failed")]
    reason = draw.choice(choices).value if status in ("refused", "failed") else ""
    rules = draw.sample(list(REWRITES), draw.randrange(4)) if done else []
    entry = ManifestRow(line, model, f"/registry/{model}.h5", sha256=digest)
    return row_of(
        model=model,
        version=1,
        source=entry.source,
        status=status,
        reason=reason,
        message="" if done else f"Layer dense_{draw.randrange(40)} is not as it should be. Correct it, and run again.",
        evidence=draw.choice(_EVIDENCE) if compared else "",
        max_abs_error=absolute if compared else math.nan,
        max_rel_error=absolute * draw.uniform(1, 8) if compared else math.nan,
        tolerance_used=absolute / 1e-5 * 0.5 if compared else math.nan,
        samples=draw.randrange(1, 64) if compared else 0,
        keras_version=keras_version if compared else "",
        backend=backend if compared else "",
        source_sha256=digest,
        source_bytes=int(10 ** draw.uniform(3.5, 8.5)),
        output=f"/models/{model}/1" if done else "",
        output_bytes=int(10 ** draw.uniform(4, 8.5)) if done else 0,
        output_sha256=f"{draw.getrandbits(256):064x}" if done else "",
        parameters=int(10 ** draw.uniform(2, 7)),
        rewrites=tuple(f"block_{draw.randrange(9)}/layer_{draw.randrange(9)}: {rule} (detail)" for rule in rules),
        warnings=("The file records no backend.",) if draw.random() < 0.1 else (),
        architecture=f"{draw.getrandbits(256):064x}" if compared else "",
        seconds=10 ** draw.uniform(-2, 1.5) if status != "unchanged" else 0.0,
        run_id="20260131T142501-3f9a",
        finished_at=_START + timedelta(seconds=line),
        tensorflow_version="2.21.0",
        line=line,
        manifest_row=entry.as_entry(),
    )
