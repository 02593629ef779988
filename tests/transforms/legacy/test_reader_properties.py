"""Drawn configs and weights: the reader answers with the exact values or with a typed refusal, nothing else."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.fixture_files import fixture_file
from tests.transforms.hostile_models import FOREIGN, KERNEL, LAMBDA, replaced, sequential, write_model
from transforms.architecture.config_json import parse_config
from transforms.canonical import canonicalise
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import open_legacy_model

QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.sampled_from([0, 1, -1, 10**9]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["Dense", "Lambda", "Model", "linear", "same", "channels_first", "os", ".."]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["class_name", "config", "name", "x"]), inner)
    ),
    max_leaves=8,
)
FIXTURES = ("keras-2.2.4/multi_io", "keras-2.2.4/masked_stacked_cells", "keras-1.2.2/theano_bidirectional")


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30))
@QUIET
def test_what_json_says_is_what_is_read(value: Any) -> None:
    try:
        assert parse_config(json.dumps(value), "config") == value
    except MigrationError as error:
        assert error.reason is Reason.INVALID_CONFIG  # an integer of 64 bits and a sign, half a character


@given(st.text(max_size=200) | st.text(alphabet='[]{}",:\\0u.e-', max_size=200))
@QUIET
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_config(text, "config")
    except MigrationError:
        return
    assert found == json.loads(text)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from places(inner, (*path, key))


def stored_config(name: str) -> Any:
    with h5py.File(fixture_file(name).source) as file:
        return json.loads(file.attrs["model_config"])


CONFIGS = {name: stored_config(name) for name in FIXTURES}


@pytest.mark.parametrize("name", FIXTURES)
@given(data=st.data())
@QUIET
def test_a_config_with_values_exchanged_is_read_or_refused(name: str, data: st.DataObject) -> None:
    config = copy.deepcopy(CONFIGS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from(list(places(config))))
        holder = config
        for key in path:
            holder = holder[key]
        holder[last] = data.draw(VALUES)
    try:
        with open_legacy_model(fixture_file(name).source, config) as model:
            canonicalise(model)
    except MigrationError as error:
        assert error.reason is not Reason.CORRUPT_H5


@given(
    values=arrays.arrays(
        st.sampled_from(["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]), st.tuples(st.integers(1, 4), st.integers(1, 5))
    ),
    storage=st.fixed_dictionaries(
        {}, optional={"compression": st.just("gzip"), "shuffle": st.booleans(), "fletcher32": st.booleans()}
    ),
    chunked=st.booleans(),
)
@QUIET
def test_weights_are_read_exactly_or_refused(values: Any, storage: Any, chunked: bool, tmp_path: Path) -> None:
    options = {**storage, "chunks": tuple(max(1, extent // 2) for extent in values.shape)} if chunked else {}
    config = sequential({"class_name": "Dense", "config": {"name": "d1", "units": values.shape[1], "use_bias": False}})
    path = write_model(tmp_path / "m.h5", config, replaced(KERNEL, data=values, **options))
    with h5py.File(path, "r+") as file:
        file["model_weights/d1"].attrs["weight_names"] = np.array([b"d1/kernel:0"])
    try:
        with open_legacy_model(path) as model:
            (read,) = [model.weights_of(held)["kernel"] for held in model.arrays]
    except MigrationError as error:
        assert error.reason is Reason.NONFINITE_WEIGHTS
        assert not all(map(math.isfinite, values.ravel()))
    else:
        np.testing.assert_array_equal(read, values)


EXCHANGED: tuple[Any, ...] = (
    None, True, False, -1, 0, 1.5, 10**9, 2**62, -(2**62), 1e300, "x", "", "4", [], [1], [-1], [[1]], ["a"], [None],
    [10**9, 10**9], {}, {"a": 1}, LAMBDA, FOREIGN,
)  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("name", FIXTURES)
def test_every_value_of_a_config_exchanged(name: str) -> None:
    for *path, last in places(CONFIGS[name]):
        for value in EXCHANGED:
            config = copy.deepcopy(CONFIGS[name])
            holder = config
            for key in path:
                holder = holder[key]
            holder[last] = value
            try:
                with open_legacy_model(fixture_file(name).source, config) as model:
                    canonicalise(model)
            except MigrationError as error:
                assert error.reason is not Reason.CORRUPT_H5, f"{path} {last}: {value!r}"
