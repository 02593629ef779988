"""The audit page: one HTML file made from a report's table alone; it fetches nothing and escapes every text."""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.report.charts import NONE, count_charts, distribution_charts, fragment, size_rules
from pipeline.report.formatting import count, duration_text, figure, share_text, size_text
from pipeline.report.page_rows import DIALECT, SHARE, derived, pack, shown
from transforms.errors import MEANINGS
from transforms.records.outcome import EVIDENCE_ORDER, NOT_PUBLISHED, PUBLISHED, Evidence, Status

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Template

_ASSETS = Path(__file__).parent / "assets"
_TEMPLATE = "report.html.jinja"
_STYLES = ("vendor/charts.min.css", "report.css")
_SCRIPTS = ("vendor/dataTables.min.js", "report.js")
#: Rows shown in full for each reason, above the table, which has all.
_ROWS_PER_REASON = 50

STATUS_MEANINGS = {
    Status.MIGRATED: "converted, checked against the evidence named, and published in this run",
    Status.UNCHANGED: "published by an earlier run from the same source with the same options; nothing was changed",
    Status.MISMATCH: "converted, but its outputs differ from the evidence by more than the tolerance; not published",
    Status.REFUSED: "the input is unsafe, unsupported or incomplete; nothing was published",
    Status.FAILED: "the machine or the program failed, independently of the model; nothing was published",
}
EVIDENCE_MEANINGS = {
    Evidence.GOLDEN: "the outputs of the reloaded SavedModel were compared with outputs that came with the row",
    Evidence.REFERENCE: "the outputs of the reloaded SavedModel were compared with an independent forward pass over"
    " the original arrays, which shares no code with the rewrites",
    Evidence.ASSUMED: "the same forward pass, based on something that the file does not record and that would change"
    " the outputs: column assumptions names it, and the alternative",
    Evidence.REBUILT: "the outputs of the reloaded SavedModel were compared with the rebuilt Keras model only: an"
    " error in a rewrite would not be detected",
    Evidence.NONE: "nothing was compared",
}


@dataclass(frozen=True)
class Group:
    """Rows with one reason: the first of them, and their number."""

    status: str
    reason: str
    meaning: str
    total: int
    rows: tuple[dict[str, Any], ...]
    link: str


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(_ASSETS)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"figure": figure, "share": share_text, "size": size_text, "duration": duration_text}
    return environment.get_template(_TEMPLATE)


def render_page(frame: pd.DataFrame) -> str:
    """Renders the page of a report table. Every value is escaped: names come from untrusted files."""
    from markupsafe import Markup

    frame = derived(frame)
    counts, distributions = count_charts(frame), distribution_charts(frame)
    style = "\n".join((*(_asset(name) for name in _STYLES), size_rules((*counts, *distributions))))
    scripts = [_asset(name) for name in _SCRIPTS]
    return _template().render(
        policy=content_policy(style, scripts),
        style=Markup(style),
        scripts=[Markup(script) for script in scripts],
        rows=pack(frame.drop(columns="manifest_row"), _meanings()),
        run=_run(frame),
        headline=headline(frame),
        counts=counts,
        distributions=distributions,
        totals=_totals(frame),
        groups=groups(frame),
        filters=_filters(frame),
        statuses={status.value: text for status, text in STATUS_MEANINGS.items()},
        evidence={kind.value: text for kind, text in EVIDENCE_MEANINGS.items() if kind},
        fragment=fragment,
    )


def content_policy(style: str, scripts: list[str]) -> str:
    """A Content-Security-Policy that allows the page's own style and scripts and forbids all fetching."""
    sources = " ".join(map(_digest, scripts))
    return f"default-src 'none'; script-src {sources}; style-src {_digest(style)}; base-uri 'none'; form-action 'none'"


def headline(frame: pd.DataFrame) -> dict[str, Any]:
    """The page's summary: counts, evidence, the largest error, and the rows that need a person."""
    published = frame[frame["status"].isin(PUBLISHED)]
    compared = published.dropna(subset=[SHARE, "max_abs_error"])
    worst = compared.nlargest(1, [SHARE, "max_abs_error"]).to_dict("records")
    evidence = count(published, "evidence", [kind.value for kind in reversed(EVIDENCE_ORDER)])
    return {
        "total": len(frame),
        "published": len(published),
        "unchanged": int((frame["status"] == Status.UNCHANGED).sum()),
        "stopped": count(frame[frame["status"].isin(NOT_PUBLISHED)], "status", list(NOT_PUBLISHED)),
        "evidence": {shown(kind): number for kind, number in evidence.items()},
        "assumed": evidence.get(Evidence.ASSUMED, 0),
        "weak": evidence.get(Evidence.REBUILT, 0) + len(published) - sum(evidence.values()),
        "worst": _row(worst[0]) if worst else None,
    }


def groups(frame: pd.DataFrame) -> list[Group]:
    """Rows that need a person, by status and reason; the gravest status first, then the commonest reason."""
    found = []
    for status in NOT_PUBLISHED:
        stopped = frame[frame["status"] == status]
        for reason in stopped["reason"].value_counts().index:
            rows = stopped[stopped["reason"] == reason]
            found.append(
                Group(
                    status,
                    shown(str(reason)),
                    dict(MEANINGS).get(reason, STATUS_MEANINGS[Status(status)] if not reason else ""),
                    len(rows),
                    tuple(_row(row) for row in rows.head(_ROWS_PER_REASON).to_dict("records")),
                    fragment(status=status, reason=shown(str(reason)) or NONE),
                )
            )
    return found


def _meanings() -> dict[str, dict[str, str]]:
    from transforms.records.rewrites import REWRITES

    return {
        "status": {status.value: text for status, text in STATUS_MEANINGS.items()},
        "reason": {reason.value: text for reason, text in MEANINGS.items()},
        "evidence": {kind.value: text for kind, text in EVIDENCE_MEANINGS.items()},
        "rewrites": dict(REWRITES),
    }


def _filters(frame: pd.DataFrame) -> dict[str, dict[str, int]]:
    """The choices of each filter with their numbers, including the absent value if there is one."""
    orders = {
        "status": [status.value for status in Status],
        "reason": [],
        "evidence": [kind.value for kind in reversed(EVIDENCE_ORDER)],
        DIALECT: [],
    }
    choices = {}
    for column, order in orders.items():
        counts = {shown(value): number for value, number in count(frame, column, order).items()}
        absent = len(frame) - sum(counts.values())
        choices[column] = counts | ({NONE: absent} if absent else {})
    return choices


def _totals(frame: pd.DataFrame) -> dict[str, str]:
    seconds = frame["seconds"][frame["seconds"] > 0]
    figures = {"Rows": f"{len(frame):,}"}
    if len(seconds):
        figures |= {
            "Time of all conversions": duration_text(float(seconds.sum())),
            "Median per model": duration_text(float(seconds.median())),
            "95 of 100 took at most": duration_text(float(seconds.quantile(0.95))),
            "Slowest model": duration_text(float(seconds.max())),
        }
    return figures | {
        "Sources": size_text(float(frame["source_bytes"].sum())),
        "Published": size_text(float(frame["output_bytes"].sum())),
        "Parameters": f"{int(frame['parameters'].sum()):,}",
    }


def _run(frame: pd.DataFrame) -> dict[str, str]:
    finished = str(frame["finished_at"].max())[:19] if "finished_at" in frame and len(frame) else ""
    named = {name: shown(str(frame[name].iloc[0])) if len(frame) else "" for name in ("run_id", "h5ferry_version")}
    return {**named, "finished": finished}


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): shown(value) if isinstance(value, str) else value for name, value in row.items()}


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
