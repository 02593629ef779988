"""Every function that a fault is planted in is there: the long forms of these tests run seldom."""

import functools
import importlib
import re
from pathlib import Path

import pytest

POINTS = sorted(
    {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r'"(pipeline\.[\w.]+:[\w.]+)"', path.read_text("utf-8"))
    }
)


@pytest.mark.parametrize("name", POINTS)
def test_a_fault_point_exists(name):
    module, _, path = name.partition(":")
    assert callable(functools.reduce(getattr, path.split("."), importlib.import_module(module)))


def test_there_are_fault_points():
    assert len(POINTS) > 20
