"""Layers come in the order in which the runtime lists them, however the config does."""

import json

import h5py
import pytest

from tests.fixture_files import FixtureFile, fixture_files
from tests.transforms.weights.stored_models import functional
from transforms.architecture.loader_order import loader_order, with_loader_order
from transforms.architecture.parsing import parse_architecture
from transforms.limits import DEFAULT_LIMITS
from transforms.source.hdf5.objects import list_attribute


@pytest.mark.parametrize(
    ("links", "outputs", "order"),
    [
        ({"x": [], "a": ["x"], "b": ["a"]}, ["b"], "x a b"),
        # By depth below the outputs: a branch of one layer stands beside the last of the longer branch.
        ({"x": [], "a": ["x"], "b": ["a"], "c": ["x"]}, ["b", "c"], "x a b c"),
        ({"x": [], "a": ["x"], "b": ["a"], "c": ["x"]}, ["c", "b"], "x a c b"),
        # Called twice: as deep as its deepest call.
        ({"x": [], "a": ["x", "b"], "b": ["a"]}, ["a"], "x a b"),
        # What no output depends on stands at the end.
        ({"x": [], "lost": ["x"], "a": ["x"]}, ["a"], "x a lost"),
    ],
)
def test_layers_stand_by_depth(links: dict[str, list[str]], outputs: list[str], order: str) -> None:
    assert " ".join(loader_order(functional(links, outputs))) == order
    backwards = " ".join(reversed(links))
    kept = {name for name in order.split() if name != "lost"}
    again = loader_order(functional(links, outputs, backwards))
    assert [name for name in again if name in kept] == [name for name in order.split() if name in kept]


def test_nested_models_are_ordered_too() -> None:
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [
        {"class_name": "Dense", "config": {"name": "d", "units": 4}}]}}  # fmt: skip
    outer = {"class_name": "Sequential", "config": {"name": "outer", "layers": [
        {"class_name": "TimeDistributed", "config": {"name": "t", "layer": inner}}]}}  # fmt: skip
    graph = with_loader_order(parse_architecture(outer))
    assert graph.listed == ("t_input", "t")
    assert graph.layer("t").slots["layer"].graph.listed == ("d_input", "d")


@pytest.mark.parametrize("fixture", fixture_files(), ids=lambda fixture: fixture.name)
def test_genuine_files_list_their_groups_so(fixture: FixtureFile) -> None:
    with h5py.File(fixture.source) as file:
        graph = parse_architecture(json.loads(file.attrs["model_config"]))
        listed = list_attribute(file["model_weights"], "layer_names", DEFAULT_LIMITS)
    assert [name for name in loader_order(graph) if name in listed] == listed
