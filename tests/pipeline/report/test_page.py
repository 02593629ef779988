import base64
import hashlib
import re
from pathlib import Path

import pipeline
from pipeline.report.page import content_policy, groups, headline, render_page
from pipeline.report.page_rows import derived
from tests.pipeline.many_rows import HOSTILE, frame_of, hostile_rows, many_rows

ASSETS = Path(pipeline.__file__).parent / "report/assets"


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_admits_the_pages_own_script_and_style_alone():
    page = render_page(frame_of(many_rows(5)))
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert len(styles) == 1 and len(scripts) == 2
    assert policy == content_policy(styles[0], scripts)
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert all(digest(text) in policy for text in (*styles, *scripts))
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert " style=" not in page.replace("".join(scripts), "").split("</style>")[1].split("<script")[0]


def test_hostile_texts_are_escaped():
    page = render_page(frame_of(hostile_rows()))
    own = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    for text in HOSTILE[:4]:
        assert text not in own
    assert "&lt;script&gt;window.stolen = 1&lt;/script&gt;" in own and "{{ 7 * 7 }}" in own
    assert not {"\u202e", "\u2066", "\u2028", "\0", "\x1b"} & set(page)


def test_headline():
    frame = derived(frame_of(many_rows(400)))
    found = headline(frame)
    assert found["total"] == 400
    assert found["published"] + sum(found["stopped"].values()) == 400
    assert found["weak"] == found["evidence"]["rebuilt"]
    published = frame[frame["status"].isin(["migrated", "unchanged"])]
    assert found["worst"]["tolerance_used"] == published["tolerance_used"].max()
    assert list(found["stopped"]) == ["mismatch", "failed", "refused"]


def test_groups_begin_with_the_gravest_and_bound_what_they_show():
    rows = frame_of(many_rows(120)).assign(status="refused", reason="timeout")
    rows.loc[:2, ["status", "reason"]] = ["mismatch", ""]
    found = groups(derived(rows))
    assert [(group.status, group.reason, group.total) for group in found] == [
        ("mismatch", "", 3),
        ("refused", "timeout", 117),
    ]
    assert len(found[1].rows) == 50 and found[1].link == "#status=refused&reason=timeout"
    assert found[0].link == "#status=mismatch&reason=-" and "differ" in found[0].meaning


def test_the_same_report_gives_the_same_page():
    frame = frame_of(many_rows(30))
    assert render_page(frame) == render_page(frame)


def test_libraries_are_those_on_record():
    recorded = re.findall(r"\| `([\w.]+)` \|.*`([0-9a-f]{64})`", (ASSETS / "vendor/README.md").read_text())
    assert len(recorded) == 2
    for name, sha256 in recorded:
        assert hashlib.sha256((ASSETS / "vendor" / name).read_bytes()).hexdigest() == sha256
    assert len(list((ASSETS / "vendor").glob("*.LICENSE.txt"))) == 2
