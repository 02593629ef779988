"""Batches given and drawn."""

from pathlib import Path

import numpy as np
import pytest

from tests.fixture_files import fixture_file
from transforms.errors import MigrationError, Reason
from transforms.evidence.input_domains import input_domains
from transforms.evidence.samples import as_fed, draw_batch, read_samples
from transforms.legacy.model import open_legacy_model
from transforms.records.input_domain import InputDomain


@pytest.mark.parametrize("keys", [("x0", "x1", "y0"), ("left", "right", "out")], ids=["numbered", "named"])
def test_samples_by_number_or_by_name(keys: tuple[str, str, str], tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **{keys[0]: np.ones((2, 3)), keys[1]: np.zeros((2, 1)), keys[2]: np.ones((2, 4))})
    batch = read_samples(tmp_path / "s.npz", ["left", "right"], ["out"])
    assert [x.shape for x in batch.inputs] == [(2, 3), (2, 1)]
    assert batch.expected is not None
    assert batch.size == 2


@pytest.mark.parametrize(
    "arrays",
    [{"y0": np.ones(2)}, {"x0": np.array([1j, 2j])}, {"x0": np.array([{}, {}], dtype=object)}, {"x0": np.float32(1)}],
    ids=["no inputs", "complex numbers", "pickles", "no batch"],
)
def test_samples_that_cannot_be_used(arrays: dict[str, object], tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(MigrationError) as refusal:
        read_samples(tmp_path / "s.npz", ["x"], ["y"])
    assert refusal.value.reason is Reason.INVALID_SAMPLES


ONES = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x0": ONES[:0], "y0": ONES[:0]}, "holds nothing"),
        ({"x0": ONES[:, :0], "y0": ONES}, "holds nothing"),
        ({"x0": ONES, "y0": ONES[:0]}, "holds nothing"),
        ({"x0": ONES * np.nan, "y0": ONES}, "no finite number"),
        ({"x0": ONES, "y0": ONES * np.nan}, "no finite number"),
        ({"x0": ONES, "y0": ONES * np.inf}, "no finite number"),
        ({"x0": ONES, "Y0": ONES}, "'Y0'"),
        ({"x0": ONES, "y1": ONES}, "'y1'"),
        ({"x0": ONES, "x1": ONES, "y0": ONES}, "'x1'"),
        ({"x0": ONES, "Out": ONES}, "'Out'"),
        ({"x0": ONES, "in": ONES}, "'in'"),
        ({"x0": ONES, "y0": ONES, "out": ONES}, "'out'"),
    ],
)
def test_samples_of_which_less_would_be_compared_than_was_meant(
    arrays: dict[str, np.ndarray], says: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "s.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(MigrationError) as refusal:
        read_samples(tmp_path / "s.npz", ["in"], ["out"])
    assert refusal.value.reason is Reason.INVALID_SAMPLES
    assert says in refusal.value.message


def test_arrays_that_were_not_used_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", x0=ONES, y0=ONES, alt_x0=ONES)
    (warning,) = read_samples(tmp_path / "s.npz", ["in"], ["out"]).warnings
    assert "alt_x0" in warning


def test_a_file_that_is_no_npz(tmp_path: Path) -> None:
    (tmp_path / "s.npz").write_bytes(b"nothing")
    with pytest.raises(MigrationError) as refusal:
        read_samples(tmp_path / "s.npz", ["x"], ["y"])
    assert refusal.value.reason is Reason.INVALID_SAMPLES


def test_a_drawn_batch_keeps_to_the_domains_and_is_the_same_each_time() -> None:
    domains = [InputDomain(vocabulary=7, pads_with=0.0), InputDomain(pads_with=-1.0), InputDomain()]
    shapes = [(None, None), (None, 6, 3), (5, 2)]
    batch = draw_batch(shapes, ["float32", "float32", "int32"], domains, length=9, size=4, seed=3)
    ids, masked, fixed = batch.inputs
    assert ids.shape == (5, 9)  # the batch that one input fixes holds for all
    assert masked.shape == (5, 6, 3)
    assert fixed.shape == (5, 2)
    assert set(np.unique(ids)) <= set(range(7))
    padded = [np.flatnonzero(row == 0).tolist() for row in ids]
    assert padded == [[], [5, 6, 7, 8], [0, 1, 2, 3], [2, 3, 4, 5], []]
    assert (masked[2, :3] == -1).all()
    again = draw_batch(shapes, ["float32", "float32", "int32"], domains, length=9, size=4, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(batch.inputs, again.inputs, strict=True))


@pytest.mark.parametrize(
    ("name", "embedded"),
    [("keras-2.2.4/emb_cudnn_lstm", True), ("keras-2.2.4/cudnn_siamese", True), ("keras-2.2.4/batch_norm", False)],
)
def test_ids_are_found_where_an_embedding_takes_them(name: str, embedded: bool) -> None:
    with open_legacy_model(fixture_file(name).source) as model:
        domains = input_domains(model.graph)
    assert all((domain.vocabulary is not None) == embedded for domain in domains)


def test_text_is_read_as_bytes_and_fits_text_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", x0=np.array([["caf\u00e9"], ["a"]]), y0=np.ones(2))
    batch = read_samples(tmp_path / "s.npz", ["x"], ["y"])
    assert batch.inputs[0].tolist() == [["caf\u00e9".encode()], [b"a"]]
    assert as_fed(batch.inputs[0], "bytes") is batch.inputs[0]
    with pytest.raises(MigrationError, match="where the model takes float32"):
        as_fed(batch.inputs[0], "float32")


@pytest.mark.parametrize(
    ("domain", "dtype", "admitted"),
    [
        (InputDomain(words=("a", "b"), words_only=True), "bytes", {b"a", b"b"}),
        (InputDomain(words=("7", "12"), words_only=True), "int64", {7, 12}),
        (InputDomain(words=("7", "12")), "int64", {7, 12, 13, 14, 15}),
    ],
)
def test_words_of_a_vocabulary_are_drawn(domain: InputDomain, dtype: str, admitted: set[object]) -> None:
    batch = draw_batch([(None, 40)], [dtype], [domain], 1, 4, 0)
    assert set(batch.inputs[0].reshape(-1).tolist()) == admitted


def test_text_without_a_vocabulary() -> None:
    drawn = draw_batch([(None, 3)], ["bytes"], [InputDomain()], 1, 4, 0).inputs[0]
    assert drawn.dtype.kind == "S"
    assert len(set(drawn.reshape(-1).tolist())) > 2
