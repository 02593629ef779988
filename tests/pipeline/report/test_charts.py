import math

import pytest

from pipeline.report.charts import count_charts, distribution_charts, fragment, size_rules
from pipeline.report.page_rows import derived
from tests.pipeline.many_rows import frame_of, many_rows


def charts(frame):
    table = derived(frame)
    return {chart.name: chart for chart in (*count_charts(table), *distribution_charts(table))}


def numbers(chart):
    return {bar.label: bar.number for bar in chart.bars if bar.number}


def with_values(**columns):
    length = len(next(iter(columns.values())))
    return frame_of(many_rows(length)).assign(**columns)


def test_every_row_is_counted_in_each_chart():
    frame = frame_of(many_rows(500))
    found = charts(frame)
    assert list(found) == ["status", "evidence", "dialect", "reason", "error", "seconds", "bytes"]
    for name in ("status", "evidence", "dialect"):
        assert sum(bar.number for bar in found[name].bars) == 500
    assert sum(bar.number for bar in found["error"].bars) == frame["max_abs_error"].notna().sum()
    assert sum(bar.number for bar in found["seconds"].bars) == (frame["seconds"] > 0).sum()
    assert sum(bar.number for bar in found["bytes"].bars) == 500


def test_bars_have_the_length_of_their_number():
    frame = with_values(status=["migrated"] * 600 + ["refused"] * 300 + ["failed"])
    bars = {bar.label: (bar.size, bar.tone, bar.link) for bar in charts(frame)["status"].bars}
    assert bars == {
        "migrated": (1000, "migrated", "#status=migrated"),
        "refused": (500, "refused", "#status=refused"),
        "failed": (4, "failed", "#status=failed"),
    }


def test_many_reasons_end_in_others():
    reasons = [f"reason_{i:02}" for i in range(30) for _ in range(30 - i)]
    bars = charts(with_values(reason=reasons))["reason"].bars
    assert [bar.label for bar in bars[:2]] == ["reason_00", "reason_01"] and len(bars) == 12
    assert (bars[-1].label, bars[-1].link) == ("19 others", "") and sum(bar.number for bar in bars) == len(reasons)
    assert max(bar.size for bar in bars) == 1000


def test_errors_fall_on_their_side_of_the_tolerance():
    used = [0.0, 1e-7, 5e-3, 1.0, 2.0, 1e5, math.inf]
    status = ["migrated"] * 4 + ["mismatch"] * 3
    chart = charts(with_values(status=status, tolerance_used=used))["error"]
    assert numbers(chart) == {
        "exactly equal": 1,
        "up to 0.0001 % of the tolerance": 1,
        "0.32 % to 1 % of the tolerance": 1,
        "32 % to 100 % of the tolerance": 1,
        "100 % to 316 % of the tolerance": 1,
        "over 1e+04 % of the tolerance": 2,
    }
    limit = [bar.tick for bar in chart.bars].index("1")
    assert [bar.tone for bar in chart.bars[:limit]] == ["within"] * limit
    assert {bar.tone for bar in chart.bars[limit:]} == {"mismatch"}


def test_sizes_on_a_logarithmic_axis():
    frame = with_values(source_bytes=[0, 999, 1000, 99_999, 3_000_000, 10**12])
    assert numbers(charts(frame)["bytes"]) == {
        "under 1 kB": 1,
        "1 kB to 10 kB": 1,
        "10 kB to 100 kB": 1,
        "1 MB to 10 MB": 1,
        "10 GB and more": 1,
    }


def test_nothing_to_draw():
    assert charts(frame_of(many_rows(1))[:0]) == {}


@pytest.mark.parametrize(
    "filters, address",
    [({"status": "a"}, "#status=a"), ({"dialect": "Keras 1, <x>&"}, "#dialect=Keras+1%2C+%3Cx%3E%26")],
)
def test_fragment(filters, address):
    assert fragment(**filters) == address


def test_size_rules_are_those_in_use():
    frame = derived(with_values(status=["migrated"] * 3 + ["failed"]))
    rules = size_rules(count_charts(frame)[:1])
    assert rules == ".s333{--size:0.333}.s1000{--size:1}"
