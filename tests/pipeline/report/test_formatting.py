import math

import pandas as pd
import pytest

from pipeline.report.formatting import count, duration_text, figure, share_text, size_text


@pytest.mark.parametrize("value, text", [(math.nan, ""), (0.0, "0"), (1.23456e-7, "1.23e-07"), (12.345, "12.3")])
def test_figure(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    "size, text",
    [(0, "0 B"), (999, "999 B"), (999.6, "1 kB"), (17264, "17.3 kB"), (3.6e6, "3.6 MB"), (5e18, "5e+03 PB")],
)
def test_size(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    "seconds, text", [(0.03, "30 ms"), (0.1, "0.1 s"), (6.763, "6.76 s"), (720, "12 min"), (12_600, "3.5 h")]
)
def test_duration(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    "share, text",
    [(math.nan, ""), (0.0, "0 %"), (0.0238, "2.4 %"), (1.0, "100 %"), (31.4, "3.14e+03 %"), (math.inf, "∞")],
)
def test_share(share, text):
    assert share_text(share) == text


def test_count_leaves_out_the_empty_and_keeps_the_order():
    frame = pd.DataFrame({"status": ["b", "", "a", "c", "c"]})
    assert list(count(frame, "status", ["z", "a"]).items()) == [("a", 1), ("c", 2), ("b", 1)]
    assert count(frame, "absent", []) == {}
