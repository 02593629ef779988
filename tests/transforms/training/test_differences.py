"""What is trained otherwise is said, layer by layer."""

from dataclasses import replace

from tests.fixture_files import fixture_file, training_files
from transforms.legacy.model import open_legacy_model
from transforms.training.differences import differences

REGULARIZED = next(each for each in training_files() if each.name == "keras-2.3.1/training_regularized")


def test_regularizers_and_constraints_that_are_not_kept() -> None:
    with open_legacy_model(REGULARIZED.source) as legacy:
        options = {(("conv1d_1",), "kernel_regularizer"), (("conv1d_1",), "bias_regularizer")}
        first, *_ = differences(legacy, set())
        assert first == "conv1d_1 trains without its bias_regularizer, kernel_regularizer."
        assert not any(line.startswith("conv1d_1") for line in differences(legacy, options))
        *others, last = legacy.graph.layers
        bound = replace(last, config={**last.config, "kernel_constraint": {"class_name": "NonNeg", "config": {}}})
        constrained = replace(legacy, graph=replace(legacy.graph, layers=(*others, bound)))
        *_, final = differences(constrained, set())
        assert final == f"{last.name} trains without its kernel_constraint, kernel_regularizer."


def test_the_moving_variance_of_standalone_keras() -> None:
    with open_legacy_model(fixture_file("keras-2.2.4/batch_norm").source) as standalone:
        assert sum("n / (n - 1)" in line for line in differences(standalone, set())) == 3
    with open_legacy_model(fixture_file("tfkeras-1.13.1/batch_norm").source) as of_tensorflow:
        assert list(differences(of_tensorflow, set())) == []
