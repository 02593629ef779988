"""What may be built, and what is said of the rest."""

from typing import Any

import pytest

from transforms.admission.classes import admit
from transforms.architecture.config_values import activation_name
from transforms.architecture.parsing import parse_architecture
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.records.runtime import Runtime, runtime_of

KERAS = runtime_of("2.2.4", "tensorflow")
TF_KERAS = runtime_of("2.8.0", "tensorflow")


def chain(*layers: tuple[str, dict[str, Any]]) -> Any:
    stored = [{"class_name": kind, "config": {"name": f"l{i}", **config}} for i, (kind, config) in enumerate(layers)]
    return parse_architecture({"class_name": "Sequential", "config": {"name": "m", "layers": stored}})


@pytest.mark.parametrize(
    ("layer", "runtime", "reason"),
    [
        (("Lambda", {"function": "scale", "function_type": "function"}), KERAS, Reason.CUSTOM_OBJECTS_NEEDED),
        (("TFOpLambda", {"function": "io.write_file"}), TF_KERAS, Reason.UNSAFE_OP),
        (("TFSMLayer", {"filepath": "/x"}), TF_KERAS, Reason.UNSAFE_STORAGE),
        (("Popen", {"module": "subprocess"}), TF_KERAS, Reason.CUSTOM_OBJECTS_NEEDED),
        (("Dense", {"units": 2, "module": "subprocess"}), TF_KERAS, Reason.CUSTOM_OBJECTS_NEEDED),
        (("Dense", {"units": 2, "activation": "my_swish"}), KERAS, Reason.CUSTOM_OBJECTS_NEEDED),
        (("Attention", {}), KERAS, Reason.CUSTOM_OBJECTS_NEEDED),
        (("TextVectorization", {}), runtime_of("2.3.0-tf", "tensorflow"), Reason.UNSUPPORTED_LAYER),
        (("RepeatVector", {"n": 10**10}), KERAS, Reason.OVER_BUDGET),
        (("ZeroPadding2D", {"padding": [[0, 10**9], [0, 0]]}), KERAS, Reason.OVER_BUDGET),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_refusals(layer: tuple[str, dict[str, Any]], runtime: Runtime, reason: Reason) -> None:
    with pytest.raises(MigrationError) as refusal:
        admit(chain(layer), runtime)
    assert refusal.value.reason is reason


def test_every_missing_name_is_listed_with_its_layer() -> None:
    graph = chain(("CRF", {"units": 2}), ("Dense", {"units": 2, "activation": "mish2"}))
    with pytest.raises(MigrationError, match=r"CRF \(layer l0\), mish2 \(layer l1\)"):
        admit(graph, KERAS)


def test_shared_sub_models_are_counted_expanded() -> None:
    def model(name: str, inner: Any) -> Any:
        entry = {"class_name": "InputLayer", "name": "i", "config": {"name": "i", "batch_input_shape": [None, 2]}}
        calls = [[["i", 0, 0, {}]], [[inner["config"]["name"], 1, 0, {}]]]
        layers = [entry, {**inner, "name": inner["config"]["name"], "inbound_nodes": calls}]
        outputs = [[inner["config"]["name"], 2, 0]]
        config = {"name": name, "layers": layers, "input_layers": [["i", 0, 0]], "output_layers": outputs}
        return {"class_name": "Model", "config": config}

    activation = {"name": "a", "activation": "tanh", "batch_input_shape": [None, 2]}
    layers = [{"class_name": "Activation", "config": activation}]
    bomb: Any = {"class_name": "Sequential", "config": {"name": "m0", "layers": layers}}
    for level in range(1, 25):
        bomb = model(f"m{level}", bomb)
    with pytest.raises(MigrationError, match="expanded_calls") as refusal:
        admit(parse_architecture(bomb), KERAS, Limits(expanded_calls=1000))
    assert refusal.value.reason is Reason.OVER_BUDGET


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("relu", "relu"),
        ({"class_name": "LeakyReLU", "config": {"alpha": 0.1}}, "LeakyReLU"),
        ({"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}, "relu"),
        (None, ""),
    ],
)
def test_activation_name(stored: Any, name: str) -> None:
    assert activation_name(stored) == name
