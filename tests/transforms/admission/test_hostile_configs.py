"""Configs that hide code or lie: each is refused with its reason, before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.transforms.hostile_models import (
    FOREIGN,
    LAMBDA,
    NEW_LAMBDA,
    bytecode,
    called,
    dense,
    dumped,
    functional,
    layer,
    read,
    refusal,
    sequential,
    twice_as_deep,
    write_model,
)
from transforms.errors import Reason
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import MigrationRequest

CONFIGS: dict[str, tuple[Any, Reason]] = {
    **{
        f"units {value!r}": (sequential(dense(units=value)), Reason.INVALID_CONFIG)
        for value in (0, -4, True, 4.0, "4", [4], {}, 10**15 * 10)
        if value != 10**16
    },
    "units beyond the weights": (sequential(dense(units=10**9)), Reason.WEIGHTS_MISMATCH),
    "a flag as text": (sequential(dense(use_bias="False")), Reason.INVALID_CONFIG),
    "no activation function": (sequential(dense(activation=[1])), Reason.CUSTOM_OBJECTS_NEEDED),
    "an activation with bytecode": (sequential(dense(activation=LAMBDA)), Reason.CUSTOM_OBJECTS_NEEDED),
    "an activation of another module": (
        sequential(dense(activation={"module": "os", "class_name": "function", "config": "relu"})),
        Reason.CUSTOM_OBJECTS_NEEDED,
    ),
    "a dtype nobody has": (sequential(dense(dtype="object")), Reason.INVALID_CONFIG),
    "an initializer with bytecode": (sequential(dense(kernel_initializer=LAMBDA)), Reason.UNSAFE_LAMBDA),
    "a constraint with bytecode, deep": (
        sequential(dense(kernel_constraint={"class_name": "MaxNorm", "config": {"f": [{"g": NEW_LAMBDA}]}})),
        Reason.UNSAFE_LAMBDA,
    ),
    "an option of another module": (sequential(dense(arguments=FOREIGN)), Reason.CUSTOM_OBJECTS_NEEDED),
    "a class of another module": (
        sequential({**dense(), "module": "os", "registered_name": None}),
        Reason.CUSTOM_OBJECTS_NEEDED,
    ),
    "a class registered under another package": (
        sequential({**dense(), "module": "keras.layers", "registered_name": "evil>Dense"}),
        Reason.CUSTOM_OBJECTS_NEEDED,
    ),
    "a module that begins like Keras": (
        sequential({**dense(), "module": "keras_evil.layers"}),
        Reason.CUSTOM_OBJECTS_NEEDED,
    ),
    "bytecode": (sequential(dense(), LAMBDA), Reason.UNSAFE_LAMBDA),
    "bytecode in TimeDistributed": (sequential(layer("TimeDistributed", layer=LAMBDA)), Reason.UNSAFE_LAMBDA),
    "bytecode in Bidirectional": (sequential(layer("Bidirectional", layer=LAMBDA)), Reason.UNSAFE_LAMBDA),
    "bytecode in a backward layer": (
        sequential(layer("Bidirectional", layer=dense(), backward_layer=LAMBDA)),
        Reason.CUSTOM_OBJECTS_NEEDED,
    ),
    "bytecode in a cell": (sequential(layer("RNN", cell=LAMBDA)), Reason.UNSAFE_LAMBDA),
    "bytecode in stacked cells": (
        sequential(layer("RNN", cell=layer("StackedRNNCells", cells=[LAMBDA]))),
        Reason.UNSAFE_LAMBDA,
    ),
    "bytecode in a nested model": (sequential(sequential(LAMBDA) | {"name": "n"}), Reason.UNSAFE_LAMBDA),
    "bytecode as output shape": (
        sequential(layer("Lambda", function=dumped(lambda x: x), function_type="lambda", output_shape=bytecode())),
        Reason.UNSAFE_LAMBDA,
    ),
    "a function called by name": (
        sequential(layer("Lambda", function="system", function_type="function", module="os")),
        Reason.CUSTOM_OBJECTS_NEEDED,
    ),
    "a TensorFlow function called by name": (
        sequential(layer("TFOpLambda", function="io.read_file")),
        Reason.UNSAFE_OP,
    ),
    "a function called on a stored value": (
        functional(
            layer("TFOpLambda", name="w", function="io.write_file")
            | {"name": "w", "inbound_nodes": [["_CONSTANT_VALUE", -1, "/tmp/x", {"contents": ["x", 0, 0]}]]},
            outputs=[["w", 0, 0]],
        ),
        Reason.UNSAFE_OP,
    ),
    "another SavedModel": (sequential(layer("TFSMLayer", filepath="/x")), Reason.UNSAFE_STORAGE),
    "pickled code": (sequential(layer("TorchModuleWrapper", module={})), Reason.UNSAFE_STORAGE),
    "a vocabulary file": (sequential(layer("StringLookup", vocabulary="/etc/passwd")), Reason.UNSAFE_STORAGE),
    "an unknown class": (sequential(layer("Secret")), Reason.CUSTOM_OBJECTS_NEEDED),
    "an unknown class, wrapped": (sequential(layer("TimeDistributed", layer=layer("A"))), Reason.CUSTOM_OBJECTS_NEEDED),
    "a root that is no model": ({"module": "os", "class_name": "system", "config": "id"}, Reason.CUSTOM_OBJECTS_NEEDED),
    "strides of zero": (sequential(layer("MaxPooling1D", strides=0)), Reason.INVALID_CONFIG),
    "a dilation of zero": (sequential(layer("Conv1D", filters=1, dilation_rate=[0])), Reason.INVALID_CONFIG),
    "a dilation beyond measure": (sequential(layer("Conv1D", filters=1, dilation_rate=[10**9])), Reason.OVER_BUDGET),
    "copies beyond measure": (sequential(layer("RepeatVector", n=10**9)), Reason.OVER_BUDGET),
    "copies of copies": (
        sequential(*(layer("UpSampling1D", name=f"u{index}", size=60_000) for index in range(3))),
        Reason.OVER_BUDGET,
    ),
    "copies of copies, nested": (
        sequential(
            *(sequential(layer("UpSampling1D", size=60_000)) | {"name": f"n{index}"} for index in range(3)),
        ),
        Reason.OVER_BUDGET,
    ),
    "transposed strides beyond measure": (
        sequential(*(layer("Conv2DTranspose", name=f"t{i}", filters=1, strides=[60_000, 60_000]) for i in range(2))),
        Reason.OVER_BUDGET,
    ),
    "an input beyond measure": (
        sequential(dense(batch_input_shape=[None, 10**6, 10**6, 3])),
        Reason.OVER_BUDGET,
    ),
    "a batch beyond measure": (sequential(dense(batch_input_shape=[10**12, 3])), Reason.OVER_BUDGET),
    "padding below zero": (sequential(layer("ZeroPadding1D", padding=[-1, 2])), Reason.INVALID_CONFIG),
    "a list bomb": (sequential(layer("ZeroPadding1D", padding=[[[[[[1]]]]]])), Reason.INVALID_CONFIG),
    "shared models, doubling": (twice_as_deep(25), Reason.OVER_BUDGET),
    "models within models": (twice_as_deep(40), Reason.OVER_BUDGET),
    "a circle": (
        functional(called(dense("a"), "b"), called(dense("b"), "a"), outputs=[["b", 0, 0]]),
        Reason.INVALID_CONFIG,
    ),
    "an input that is no input": (
        functional(layer("InputLayer", name="y") | {"name": "y"}, called(dense(), "y"), outputs=[["d1", 0, 0]]),
        Reason.INVALID_CONFIG,
    ),
    "a layer called on nothing": (
        functional(dense() | {"name": "d1", "inbound_nodes": [[]]}, outputs=[["d1", 0, 0]]),
        Reason.INVALID_CONFIG,
    ),
    "no outputs": (functional(called(dense(), "x"), outputs=[]), Reason.INVALID_CONFIG),
    "a connection to nowhere": (functional(called(dense(), "ghost"), outputs=[["d1", 0, 0]]), Reason.INVALID_CONFIG),
    "a call that is not there": (functional(called(dense(), "x"), outputs=[["d1", 7, 0]]), Reason.INVALID_CONFIG),
    "a call below zero": (functional(called(dense(), "x"), outputs=[["d1", -1, 0]]), Reason.INVALID_CONFIG),
    "two layers of one name": (sequential(dense(), dense()), Reason.INVALID_CONFIG),
    "a name that is a number": (sequential(dense(name=7)), Reason.INVALID_CONFIG),
    "layers as an object": ({"class_name": "Sequential", "config": {"layers": {}}}, Reason.INVALID_CONFIG),
    "no layers": ({"class_name": "Sequential", "config": {"layers": []}}, Reason.INVALID_CONFIG),
    "null": ("null", Reason.INVALID_CONFIG),
    "NaN": ('{"class_name": NaN}', Reason.INVALID_CONFIG),
    "a number beyond floats": ('{"class_name": 1e999}', Reason.INVALID_CONFIG),
    "half a character": ('{"class_name": "\\ud800"}', Reason.INVALID_CONFIG),
    "a byte-order mark": (b"\xef\xbb\xbf{}", Reason.INVALID_CONFIG),
    "no UTF-8": (b'{"class_name": "\xff"}', Reason.INVALID_CONFIG),
    "brackets": ("[" * 60_000, Reason.OVER_BUDGET),
}


@pytest.mark.parametrize("what", CONFIGS)
def test_configs_are_refused(what: str, tmp_path: Path) -> None:
    config, reason = CONFIGS[what]
    assert refusal(write_model(tmp_path / "m.h5", config)).reason is reason


@pytest.mark.parametrize("name", ["<lambda>", "my_init"])
def test_a_function_that_somebody_wrote_as_initializer_is_left_out(name: str, tmp_path: Path) -> None:
    assert read(write_model(tmp_path / "m.h5", sequential(dense(kernel_initializer=name))))


def test_a_config_alone_allocates_nothing(tmp_path: Path) -> None:
    """The input's channels decide the shape of the kernel that Keras makes: here, 1.6 GB of it."""
    channels = 10**8
    path = write_model(tmp_path / "m.h5", sequential(dense(batch_input_shape=[None, channels])))
    (tmp_path / "staged").mkdir()
    outcome = migrate_model(MigrationRequest("m", path, tmp_path / "staged"))
    assert outcome.reason is Reason.WEIGHTS_MISMATCH
    assert f"{4 * channels:,}" in outcome.message
