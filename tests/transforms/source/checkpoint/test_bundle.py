"""What a checkpoint says is checked before it is used: no damage passes, none gets further than a typed refusal."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from tests.fixture_files import FOLDER
from tests.transforms.source.checkpoint.table_writing import write_checkpoint
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.source.checkpoint.bundle import Bundle, open_bundle
from transforms.source.checkpoint.files import combined_digest, shards_among
from transforms.weights.checkpoint_object_graph import object_graph

GENUINE = FOLDER / "tfkeras-2.3.4/emb_cudnn_lstm.object"
A, B = np.arange(6.0).reshape(2, 3), np.arange(4.0)


def read_all(prefix: Path, limits: Limits = DEFAULT_LIMITS) -> dict[str, bytes]:
    with open_bundle(prefix, limits) as bundle:
        object_graph(bundle, limits)
        return {key: _content(bundle, key) for key in bundle.tensors}


def _content(bundle: Bundle, key: str) -> bytes:
    tensor = bundle.tensors[key]
    return (
        bundle.text(tensor, 1 << 20) if tensor.dtype is None else bytes(bundle.content(tensor)) + str(tensor).encode()
    )


def reason_of(prefix: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[Reason, str]:
    with pytest.raises(MigrationError) as refusal:
        read_all(prefix, limits)
    return refusal.value.reason, str(refusal.value)


def copied(folder: Path) -> Path:
    for file in GENUINE.parent.glob(f"{GENUINE.name}.*"):
        shutil.copy(file, folder)
    return folder / GENUINE.name


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
        arrays_of.arrays("<f4", arrays_of.array_shapes(min_dims=0, max_side=4), elements=st.floats(-1, 1, width=32)),
        min_size=1,
    )
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, np.ndarray]) -> None:
    prefix = write_checkpoint(tmp_path_factory.mktemp("c") / "ckpt", arrays)
    with open_bundle(prefix) as bundle:
        assert set(bundle.tensors) == set(arrays)
        for name, array in arrays.items():
            found = bundle.array(bundle.tensors[name], name, DEFAULT_LIMITS)
            assert found.shape == array.shape
            np.testing.assert_array_equal(found.read(), array)


def test_a_bit_flipped_anywhere_is_refused_or_without_effect(tmp_path: Path) -> None:
    prefix = copied(tmp_path)
    whole = read_all(prefix)
    for suffix in (".index", ".data-00000-of-00001"):
        path = Path(f"{prefix}{suffix}")
        data = path.read_bytes()
        for position in range(0, len(data), 3):
            path.write_bytes(data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :])
            try:
                assert read_all(prefix) == whole, position  # padding of the footer
            except MigrationError as error:
                assert error.reason in (Reason.CORRUPT_CHECKPOINT, Reason.UNSAFE_STORAGE), position
        path.write_bytes(data)


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    prefix = copied(tmp_path)
    for suffix in (".index", ".data-00000-of-00001"):
        path = Path(f"{prefix}{suffix}")
        data = path.read_bytes()
        for length in [*range(0, len(data), 7), len(data) - 1]:
            path.write_bytes(data[:length])
            assert reason_of(prefix)[0] is Reason.CORRUPT_CHECKPOINT, length
        path.write_bytes(data)


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        ({"b": {"offset": 8}}, Reason.UNSAFE_STORAGE, "share bytes"),
        ({"b": {"offset": 32}}, Reason.CORRUPT_CHECKPOINT, "beyond the end"),
        ({"b": {"offset": -4}}, Reason.CORRUPT_CHECKPOINT, "beyond the end"),
        ({"b": {"size": 12}}, Reason.CORRUPT_CHECKPOINT, "has 12 bytes"),
        ({"b": {"shape": (2**40, 2**40)}}, Reason.CORRUPT_CHECKPOINT, "has 16 bytes"),
        ({"b": {"shape": (-4,)}}, Reason.CORRUPT_CHECKPOINT, "negative"),
        ({"b": {"shape": (-2, -2)}}, Reason.CORRUPT_CHECKPOINT, "negative"),
        ({"b": {"shape": (1,) * 70}}, Reason.CORRUPT_CHECKPOINT, "no shape"),
        ({"b": {"shard_id": 1}}, Reason.CORRUPT_CHECKPOINT, "shard 1 of 1"),
        ({"b": {"dtype": 21}}, Reason.UNSAFE_STORAGE, "type 21"),
        ({"b": {"slices": 1}}, Reason.UNSAFE_STORAGE, "slices"),
        ({"b": {"crc32c": 7}}, Reason.CORRUPT_CHECKPOINT, "checksum"),
    ],
)
def test_entries_that_lie(tmp_path: Path, changes: dict[str, dict[str, object]], reason: Reason, says: str) -> None:
    found, message = reason_of(write_checkpoint(tmp_path / "ckpt", {"a": A, "b": B}, changes))
    assert found is reason and says in message


@pytest.mark.parametrize(
    ("options", "reason", "says"),
    [
        ({"kind": 1}, Reason.UNSAFE_STORAGE, "compressed"),
        ({"endianness": 1}, Reason.UNSAFE_STORAGE, "big-endian"),
        ({"shards": 2}, Reason.CORRUPT_CHECKPOINT, "names 2 shards"),
    ],
)
def test_forms_that_no_saver_writes(tmp_path: Path, options: dict[str, int], reason: Reason, says: str) -> None:
    found, message = reason_of(write_checkpoint(tmp_path / "ckpt", {"a": A}, **options))
    assert found is reason and says in message


def test_names_are_no_paths(tmp_path: Path) -> None:
    """A key is a name alone: the only files that are opened are those beside the index, under its own name."""
    prefix = write_checkpoint(tmp_path / "ckpt", {"../../etc/passwd": A, "/etc/passwd": B})
    assert set(read_all(prefix)) == {"../../etc/passwd", "/etc/passwd"}


def test_budgets(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "ckpt", {"a": A, "b": B})
    for limits in (Limits(file_bytes=10), Limits(index_bytes=10), Limits(entries=1)):
        assert reason_of(prefix, limits)[0] is Reason.OVER_BUDGET
    with open_bundle(prefix) as bundle, pytest.raises(MigrationError) as refusal:
        bundle.array(bundle.tensors["a"], "a", Limits(array_bytes=10))
    assert refusal.value.reason is Reason.OVER_BUDGET


def test_a_checkpoint_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "ckpt", {"a": A})
    with pytest.raises(MigrationError, match="changed") as refusal, open_bundle(prefix):
        Path(f"{prefix}.data-00000-of-00001").write_bytes(A.astype("<f4").tobytes() + b"more")
    assert refusal.value.reason is Reason.SOURCE_MISSING


def test_the_digest_is_over_all_files_in_order(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "ckpt", {"a": A})
    with open_bundle(prefix) as bundle:
        digest = bundle.digest
    assert digest.sha256 == combined_digest(
        [_sha256(tmp_path / f"ckpt{suffix}") for suffix in (".index", ".data-00000-of-00001")]
    )
    assert digest.size == sum(file.stat().st_size for file in tmp_path.iterdir())
    with pytest.raises(MigrationError) as refusal, open_bundle(prefix, sha256="0" * 64):
        pass
    assert refusal.value.reason is Reason.DIGEST_MISMATCH


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["m.data-00000-of-00002"],
        ["m.data-00001-of-00001"],
        ["m.data-00000-of-00001", "m.data-00000-of-00002", "m.data-00001-of-00002"],
    ],
)
def test_shards_that_are_no_whole_set(names: list[str]) -> None:
    with pytest.raises(MigrationError) as refusal:
        shards_among("m", [*names, "m2.data-00000-of-00001", "m.index", "m.data-00000-of-00001.tmp"])
    assert refusal.value.reason is Reason.CORRUPT_CHECKPOINT


def test_shards_come_in_order() -> None:
    names = [f"m.data-{number:05}-of-00003" for number in (2, 0, 1)]
    assert shards_among("m", names) == sorted(names)
