"""Custom code: what the operator's Python file may hold, what is made of it, and what is said when it does not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.fixture_files import FOLDER
from transforms.custom.code import failure
from transforms.errors import Reason
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import Evidence, MigrationOutcome, MigrationRequest, Status
from transforms.reference.layers.activations import sigmoid
from transforms.saved_model.loaded import LoadedArtefact

CUSTOM = FOLDER / "custom"
ROWS = [
    ("custom_activation", "my_swish.py"),
    ("custom_attention", "attention.py"),
    ("tfkeras_attention", "tfkeras_attention.py"),
]
RNG = np.random.default_rng(7)

REFERENCES = """
import numpy as np

def _reference(self, inputs, weights):
    W, b, u = weights
    assert weights["u"] is u
    scores = np.tanh(inputs @ W + b) @ u
    a = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (inputs * a / a.sum(axis=1, keepdims=True)).sum(axis=1)

Attention.reference = _reference
"""

Layers = Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]


def write_model(path: Path, layers: Layers, shape: Sequence[int | None], version: str = "2.2.4") -> Path:
    """A Sequential file of (class, config, arrays by stored name)."""
    items: list[dict[str, Any]] = [{"class_name": name, "config": dict(config)} for name, config, _ in layers]
    items[0]["config"]["batch_input_shape"] = [None, *shape]
    with h5py.File(path, "w") as file:
        file.attrs.update(keras_version=version, backend="tensorflow")
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": items}})
        write_weights(file.create_group("model_weights"), layers)
    return path


def write_weights(group: h5py.Group, layers: Layers) -> None:
    names = [config["name"] for _, config, _ in layers]
    group.attrs["layer_names"] = np.array(names, "S")
    for name, (_, _, arrays) in zip(names, layers, strict=True):
        held = group.create_group(name)
        held.attrs["weight_names"] = np.array([f"{name}/{key}:0" for key in arrays], "S")
        for key, value in arrays.items():
            held[f"{name}/{key}:0"] = value


def draw(*shape: int) -> Any:
    return RNG.normal(size=shape).astype("f4") * 0.5


def convert(tmp_path: Path, source: Path, code: str | Path, **options: Any) -> MigrationOutcome:
    file = code if isinstance(code, Path) else tmp_path / "code.py"
    if isinstance(code, str):
        file.write_text(code)
    staging = tmp_path / "staged"
    staging.mkdir()
    options = {"custom_objects": file, "allow_custom_code": True, **options}
    return migrate_model(MigrationRequest("m", source, staging, **options))


def answers(tmp_path: Path, outcome: MigrationOutcome, x: Any) -> Any:
    assert outcome.status is Status.MIGRATED, outcome.message
    (answer,) = LoadedArtefact(tmp_path / "staged").run({outcome.input_names[0]: x}).values()
    return answer


@pytest.mark.parametrize(("name", "code"), ROWS)
def test_models_of_genuine_runtimes_give_the_legacy_outputs(name: str, code: str, tmp_path: Path) -> None:
    outcome = convert(tmp_path, CUSTOM / f"{name}.h5", CUSTOM / code)
    assert outcome.evidence is Evidence.REBUILT
    with np.load(CUSTOM / f"{name}.npz") as held:
        for prefix in ("", "alt_") if "alt_x0" in held.files else ("",):
            got = answers(tmp_path, outcome, held[f"{prefix}x0"])
            np.testing.assert_allclose(got, held[f"{prefix}y0"], rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("name", "code"), ROWS)
def test_without_permission_nothing_is_executed(name: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("raise SystemExit('executed')")
    outcome = convert(tmp_path, CUSTOM / f"{name}.h5", tmp_path / "code.py", allow_custom_code=False)
    assert outcome.reason is Reason.CUSTOM_OBJECTS_NEEDED
    assert "--allow-custom-code" in outcome.message and "layer " in outcome.message


def test_golden_samples_are_evidence(tmp_path: Path) -> None:
    samples = CUSTOM / "custom_attention.npz"
    outcome = convert(tmp_path, CUSTOM / "custom_attention.h5", CUSTOM / "attention.py", samples=samples)
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.GOLDEN)


def test_a_reference_of_its_own_is_evidence(tmp_path: Path) -> None:
    code = (CUSTOM / "attention.py").read_text() + REFERENCES
    outcome = convert(tmp_path, CUSTOM / "custom_attention.h5", code)
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE), outcome.warnings


def test_a_reference_that_disagrees_is_a_mismatch(tmp_path: Path) -> None:
    code = (CUSTOM / "attention.py").read_text() + REFERENCES.replace("+ b", "- b")
    assert convert(tmp_path, CUSTOM / "custom_attention.h5", code).status is Status.MISMATCH


def test_a_reference_of_an_activation_is_evidence(tmp_path: Path) -> None:
    code = (CUSTOM / "my_swish.py").read_text() + (
        "import numpy as np\nmy_swish.reference = lambda x: x / (1 + np.exp(-1.5 * x))\n"
    )
    outcome = convert(tmp_path, CUSTOM / "custom_activation.h5", code)
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE), outcome.warnings


def test_the_artefact_runs_in_a_process_without_the_code(tmp_path: Path) -> None:
    outcome = convert(tmp_path, CUSTOM / "custom_attention.h5", CUSTOM / "attention.py")
    assert outcome.status is Status.MIGRATED
    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        "run = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "held = np.load(sys.argv[2])\n"
        "(y,) = run(**{list(run.structured_input_signature[1])[0]: tf.constant(held['x0'])}).values()\n"
        "np.testing.assert_allclose(y, held['y0'], rtol=2e-4, atol=2e-5)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "staged"), str(CUSTOM / "custom_attention.npz")]
    run = subprocess.run(arguments, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]


def test_code_of_keras_1_runs_unchanged(tmp_path: Path) -> None:
    code = """
from keras import backend as K, initializations
from keras.engine.topology import Layer, InputSpec

class Scale(Layer):
    def __init__(self, power, weights=None, **kwargs):
        self.power = power
        self.init = initializations.get('one')
        super(Scale, self).__init__(**kwargs)

    def build(self, input_shape):
        assert isinstance(input_shape, tuple)
        self.input_spec = [InputSpec(shape=input_shape)]
        shape = (int(input_shape[-1]),)
        self.fixed = K.variable(2.0)
        self.gamma = self.init(shape, name='{}_gamma'.format(self.name))
        self.beta = self.add_weight(shape, 'zero', name='{}_beta'.format(self.name))
        self.trainable_weights = [self.gamma, self.beta]
        self.built = True

    def call(self, x, mask=None):
        return K.pow(self.gamma * x + self.beta, self.power) * self.fixed

    def get_output_shape_for(self, input_shape):
        return input_shape
"""
    gamma, beta, x = draw(4), draw(4), draw(3, 4)
    layers = [("Scale", {"name": "scale_1", "power": 3}, {"scale_1_gamma": gamma, "scale_1_beta": beta})]
    outcome = convert(tmp_path, write_model(tmp_path / "m.h5", layers, [4], "1.2.2"), code)
    np.testing.assert_allclose(answers(tmp_path, outcome, x), 2 * (gamma * x + beta) ** 3, rtol=1e-4, atol=1e-5)


def test_a_mask_reaches_the_custom_layer(tmp_path: Path) -> None:
    code = """
from keras import backend as K
from keras import initializers, regularizers, constraints
from keras.layers import *

class AttentionWithContext(Layer):
    def __init__(self, W_regularizer=None, bias=True, **kwargs):
        self.supports_masking = True
        self.init = initializers.get('glorot_uniform')
        self.W_regularizer = regularizers.get(W_regularizer)
        self.bias = bias
        super(AttentionWithContext, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight((input_shape[-1], input_shape[-1],), initializer=self.init,
                                 name='{}_W'.format(self.name), regularizer=self.W_regularizer)
        self.u = self.add_weight((input_shape[-1],), initializer=self.init, name='{}_u'.format(self.name))
        super(AttentionWithContext, self).build(input_shape)

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        ait = K.squeeze(K.dot(K.tanh(K.dot(x, self.W)), K.expand_dims(self.u)), axis=-1)
        a = K.exp(ait)
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        return K.sum(x * K.expand_dims(a), axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])
"""
    table, w, u = draw(7, 3), draw(3, 3), draw(3)
    embedding = {"name": "embedding_1", "input_dim": 7, "output_dim": 3, "mask_zero": True}
    layers = [
        ("Embedding", embedding, {"embeddings": table}),
        ("AttentionWithContext", {"name": "att_1", "trainable": False}, {"att_1_W": w, "att_1_u": u}),
    ]
    outcome = convert(tmp_path, write_model(tmp_path / "m.h5", layers, [None]), code)
    ids = np.array([[1, 2, 3, 0], [4, 0, 0, 0], [0, 0, 5, 6]], "f4")
    x = table[ids.astype(int)]
    a = np.exp(np.tanh(x @ w) @ u) * (ids != 0)
    wanted = (x * (a / (a.sum(axis=1, keepdims=True) + 1e-7))[..., None]).sum(axis=1)
    np.testing.assert_allclose(answers(tmp_path, outcome, ids), wanted, rtol=1e-4, atol=1e-5)


def test_a_class_that_keras_has_too_is_reported(tmp_path: Path) -> None:
    code = "from keras.layers import Layer\nclass Flatten(Layer):\n  def call(self, x): return x + 1.0"
    source = write_model(tmp_path / "m.h5", [("Flatten", {"name": "f"}, {})], [4])
    outcome = convert(tmp_path, source, code)
    x = draw(2, 4)
    np.testing.assert_allclose(answers(tmp_path, outcome, x), x + 1, rtol=1e-6)
    assert outcome.warnings[0] == "f: Flatten is the class of the custom file, not Keras's own."


def lstm(x: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    h = c = np.zeros((len(x), recurrent.shape[0]))
    for step in x.swapaxes(0, 1):
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def test_cudnn_layers_inside_a_custom_layer_take_the_cudnn_layout(tmp_path: Path) -> None:
    code = """
from tensorflow.python.keras.layers import CuDNNLSTM, Layer

class Summary(Layer):
    def __init__(self, units, **kwargs):
        super(Summary, self).__init__(**kwargs)
        self.inner = CuDNNLSTM(units, name="inner")

    def call(self, inputs):
        return self.inner(inputs)
"""
    kernel, recurrent, bias, x = draw(2, 12), draw(3, 12), draw(24), draw(4, 5, 2)
    arrays = {"inner/kernel": kernel, "inner/recurrent_kernel": recurrent, "inner/bias": bias}
    source = write_model(tmp_path / "m.h5", [("Summary", {"name": "s", "units": 3}, arrays)], [None, 2], "2.2.4-tf")
    outcome = convert(tmp_path, source, code)
    w = np.hstack([block.reshape(3, 2).T for block in np.split(kernel, 4, axis=1)])
    u = np.hstack([block.T for block in np.split(recurrent, 4, axis=1)])
    wanted = lstm(x, w, u, bias[:12] + bias[12:])
    np.testing.assert_allclose(answers(tmp_path, outcome, x), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "kind"), [("scaled", "function"), (["4wEAAAABAAAAAgAAAEMAAABzCAAAAHwAZAE=", None, None], "lambda")]
)
def test_lambdas_take_the_function_of_their_name(function: Any, kind: str, tmp_path: Path) -> None:
    config = {"name": "by_layer", "function": function, "function_type": kind, "arguments": {"factor": 3.0}}
    source = write_model(tmp_path / "m.h5", [("Lambda", config, {})], [4])
    code = """
def scaled(x, factor=1.0):
    return factor * x

scaled.reference = scaled
by_layer = scaled
"""
    outcome = convert(tmp_path, source, code)
    x = draw(2, 4)
    np.testing.assert_allclose(answers(tmp_path, outcome, x), 3.0 * x, rtol=1e-6)
    assert outcome.evidence is Evidence.REFERENCE


def test_stored_bytecode_stays_refused(tmp_path: Path) -> None:
    config = {"name": "a", "function": ["4wEA", None, None], "function_type": "lambda"}
    outcome = convert(tmp_path, write_model(tmp_path / "m.h5", [("Lambda", config, {})], [4]), "def other(x): return x")
    assert outcome.reason is Reason.UNSAFE_LAMBDA


def test_custom_layers_in_wrappers_and_nested_models(tmp_path: Path) -> None:
    code = (CUSTOM / "attention.py").read_text() + REFERENCES
    arrays = {"W": draw(2, 3), "b": draw(3), "u": draw(3, 1)}
    config = {"name": "t", "layer": {"class_name": "Attention", "config": {"name": "inner", "hidden": 3}}}
    source = write_model(tmp_path / "m.h5", [("TimeDistributed", config, arrays)], [3, 4, 2])
    assert convert(tmp_path, source, code).status is Status.MIGRATED


BROKEN = {
    "a syntax error": ("def (", "SyntaxError"),
    "a missing module": ("import no_such_module", "no_such_module"),
    "a missing class": ("x = 1", "Twice (layer twice_1)"),
    "an argument that the constructor does not take": (
        "from keras.layers import Layer\nclass Twice(Layer):\n  def __init__(self, name): super().__init__(name=name)",
        "does not take 'factor'",
    ),
    "an argument that the config lacks": (
        "from keras.layers import Layer\nclass Twice(Layer):\n  def __init__(self, factor, scale, **kwargs): pass",
        "needs the argument 'scale'",
    ),
    "an argument that nobody takes": (
        "from keras.layers import Layer\nclass Twice(Layer): pass",
        "factor",
    ),
    "an error when called": (
        "from keras.layers import Layer\nclass Twice(Layer):\n  def __init__(self, factor, **kw):\n"
        "    super().__init__(**kw)\n  def call(self, x): return x.no_such",
        "no_such",
    ),
    "Python inside the graph": (
        "import tensorflow as tf\nfrom keras.layers import Layer\nclass Twice(Layer):\n"
        "  def __init__(self, factor, **kw):\n    super().__init__(**kw)\n"
        "  def call(self, x): return tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), x.shape)",
        "PyFunc",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_code_that_does_not_fit_is_refused_with_the_reason(what: str, tmp_path: Path) -> None:
    code, says = BROKEN[what]
    source = write_model(tmp_path / "m.h5", [("Twice", {"name": "twice_1", "factor": 2}, {})], [4])
    outcome = convert(tmp_path, source, code)
    assert outcome.status is Status.REFUSED
    assert outcome.reason in (Reason.CUSTOM_OBJECTS_NEEDED, Reason.UNSAFE_OP)
    assert says in outcome.message


@pytest.mark.parametrize(("stored", "says"), [(["b", "W", "v"], "'W'"), (["W", "b"], "makes 3")])
def test_arrays_that_do_not_fit_the_code_are_refused(stored: Sequence[str], says: str, tmp_path: Path) -> None:
    shapes = {"W": (2, 2), "b": (2,), "v": (2, 1)}
    arrays = {name: draw(*shapes[name]) for name in stored}
    source = write_model(tmp_path / "m.h5", [("Attention", {"name": "attn", "hidden": 2}, arrays)], [None, 2])
    outcome = convert(tmp_path, source, CUSTOM / "attention.py")
    assert outcome.reason is Reason.WEIGHTS_MISMATCH
    assert says in outcome.message


BUILD = """
from keras.layers import Dense, Input, LSTM
from keras.models import Model

def build_model():
    x = Input((None, 2))
    return Model(x, Dense(2)(LSTM(3)(x)))
"""


def test_a_python_architecture_has_the_defaults_of_its_time(tmp_path: Path) -> None:
    kernel, recurrent, bias, w, b = draw(2, 12), draw(3, 12), draw(12), draw(3, 2), draw(2)
    layers = [
        ("LSTM", {"name": "lstm_7"}, {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}),
        ("Dense", {"name": "dense_9"}, {"kernel": w, "bias": b}),
    ]
    source = tmp_path / "w.h5"
    with h5py.File(source, "w") as file:
        file.attrs.update(keras_version="2.2.4", backend="tensorflow")
        write_weights(file, layers)
    (tmp_path / "arch.py").write_text(BUILD)
    outcome = convert(tmp_path, source, "", architecture=tmp_path / "arch.py", custom_objects=None)
    x = draw(3, 4, 2)
    h = c = np.zeros((3, 3))
    for step in x.swapaxes(0, 1):
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
    np.testing.assert_allclose(answers(tmp_path, outcome, x), h @ w + b, rtol=1e-4, atol=1e-5)
    assert outcome.evidence is Evidence.REFERENCE


def test_a_python_architecture_needs_permission(tmp_path: Path) -> None:
    (tmp_path / "arch.py").write_text(BUILD)
    options = {"architecture": tmp_path / "arch.py", "allow_custom_code": False}
    outcome = convert(tmp_path, CUSTOM / "custom_activation.h5", "", **options)
    assert outcome.reason is Reason.CUSTOM_OBJECTS_NEEDED


def test_nothing_of_old_keras_stays_behind(tmp_path: Path) -> None:
    import tensorflow as tf
    import tf_keras

    keras_before, registered = vars(tf).get("keras"), dict(tf_keras.utils.get_custom_objects())
    code = (
        CUSTOM / "attention.py"
    ).read_text() + "K.set_floatx('float64')\nK.set_floatx('float32')\nimport keras.utils\n"
    convert(tmp_path, CUSTOM / "custom_attention.h5", code)
    assert vars(tf).get("keras") is keras_before
    assert tf_keras.utils.get_custom_objects() == registered
    assert not any(type(module).__name__ == "_OldModule" for module in sys.modules.values())
    assert "h5ferry_custom_code" not in sys.modules


@pytest.mark.parametrize(
    "layer", [("custom:Lambda", {"name": "f"}, {}), ("Activation", {"name": "f", "activation": "custom:x"}, {})]
)
def test_a_file_cannot_claim_to_be_custom(layer: Any, tmp_path: Path) -> None:
    outcome = convert(tmp_path, write_model(tmp_path / "m.h5", [layer], [4]), "def x(y): return y")
    assert outcome.reason is Reason.INVALID_CONFIG


AROUND = """Exception encountered when calling layer 'crf' (type CRF).

in user code:

    File "/somewhere/crf.py", line 12, in call  *
        energy = K.slice(x, [0, 0], [-1, 1])

    AttributeError: there is no slice


Call arguments received by layer 'crf' (type CRF):
  • inputs=tf.Tensor(shape=(None, 5), dtype=float32)"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (AROUND, "AttributeError: there is no slice"),
        ("plain", "plain"),
        ("", ""),
        ("x" * 1000 + " the end", "x the end"),
    ],
)
def test_the_cause_of_an_error_is_told(text: str, told: str) -> None:
    message = failure("The code", ValueError(text)).message
    assert message.endswith(f"ValueError: {told}") or (len(text) > 400 and message.endswith(told))
    assert "encountered" not in message


PURE = """
from keras import backend as K
from keras.layers import Layer

class Pure(Layer):
    def call(self, x):
        assert K.get_variable_shape(x)[-1] == 4 and K.normalize_data_format(None) == "channels_last"
        first = K.identity(K.slice(x, [0, 1], [-1, 2]))
        return K.concatenate([first, K.logsumexp(x, axis=-1, keepdims=True)])
"""


def test_functions_of_the_old_backend_are_there(tmp_path: Path) -> None:
    code = tmp_path / "pure.py"
    code.write_text(PURE)
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    np.savez(tmp_path / "s.npz", x0=x, y0=np.hstack([x[:, 1:3], np.log(np.exp(x).sum(1, keepdims=True))]))
    source = write_model(tmp_path / "m.h5", [("Pure", {"name": "pure", "trainable": True}, {})], [4])
    outcome = migrate_model(
        MigrationRequest(
            "pure", source, tmp_path / "out", samples=tmp_path / "s.npz", custom_objects=code, allow_custom_code=True
        )
    )
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.GOLDEN), outcome.message
