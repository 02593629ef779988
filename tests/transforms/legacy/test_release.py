"""Which release wrote a file, from its version and the signs in its configs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transforms.reference.models import Json, functional, layer, node, parse, placeholder, sequential
from transforms.legacy.release import UndecidedRelease, writer_of
from transforms.records.runtime import runtime_of

_1_X = [(1, 13), (1, 14), (1, 15)]
_OLD = {"class_name": "GlorotUniform", "config": {"seed": None, "dtype": "float32"}}
_NEW = {"class_name": "GlorotUniform", "config": {"seed": None}}


def _dense(**config: Any) -> Json:
    return sequential(layer("Dense", units=2, batch_input_shape=[None, 2], **config))


def _bidirectional(**wrapped: Any) -> Json:
    return sequential(layer("Bidirectional", layer=layer("LSTM", units=2, **wrapped)))


@pytest.mark.parametrize(
    ("version", "model", "releases"),
    [
        ("2.2.4-tf", _dense(), [*_1_X, (2, 0), (2, 1)]),
        ("2.2.4-tf", _dense(kernel_initializer=_OLD), _1_X),
        ("2.2.4-tf", _dense(kernel_initializer=_NEW), [(2, 0), (2, 1)]),
        ("2.2.4-tf", sequential(layer("BatchNormalizationV1")), [(1, 13)]),
        ("2.2.4-tf", functional([placeholder("x"), node("Activation", "a", ["x"])], ["a"]), [(1, 13), (1, 14), (2, 0)]),
        ("2.2.4-tf", functional([placeholder("x", ragged=False)], ["x"]), [(1, 15), (2, 1)]),
        ("2.2.4-tf", sequential(layer("UpSampling2D")), [(1, 13), (1, 14)]),
        ("2.2.4-tf", _bidirectional(zero_output_for_mask=True), [(1, 13)]),
        ("2.2.4-tf", _bidirectional(), [(1, 14), (1, 15), (2, 0), (2, 1)]),
        ("2.2.4-tf", _bidirectional(zero_output_for_mask=True, return_sequences=True), [*_1_X, (2, 0), (2, 1)]),
        # A sign that cannot be: the model was loaded and saved again.
        ("2.5.0", sequential(layer("BatchNormalizationV1")), [(2, 5)]),
        ("2.3.0-tf", _dense(), [(2, 1), (2, 2)]),
        ("2.4.0", _dense(), [(2, 3), (2, 4)]),
        ("2.15.0", _dense(), [(2, 15)]),
    ],
)
def test_releases(version: str, model: Json, releases: list[tuple[int, ...]]) -> None:
    writer = writer_of(parse(model), runtime_of(version, "tensorflow"))
    assert sorted(writer.releases) == releases
    assert writer.standalone is None


def test_standalone_keras_is_known_exactly() -> None:
    writer = writer_of(parse(_dense()), runtime_of("2.1.6", "theano"))
    assert (writer.standalone, writer.releases, writer.backend) == ((2, 1, 6), frozenset(), "theano")


def test_a_question_is_answered_only_where_all_agree() -> None:
    writer = writer_of(parse(_dense(kernel_initializer=_OLD)), runtime_of("2.2.4-tf", "tensorflow"))
    assert writer.agree_on(lambda release: release < (2, 0), "what", ())
    assert not writer.agree_on(lambda release: release >= (2, 0), "what", ())
    with pytest.raises(UndecidedRelease, match=r"masks differs among the TensorFlow releases \(1\.13, 1\.14, 1\.15\)"):
        writer.agree_on(lambda release: release == (1, 13), "masks", ("layer",))
    assert [each.agree_on(lambda release: release == (1, 13), "masks", ()) for each in writer.candidates()] == [
        True,
        False,
        False,
    ]
