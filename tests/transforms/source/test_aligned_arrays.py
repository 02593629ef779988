import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.source.aligned_arrays import aligned, aligned_empty


@given(st.lists(st.integers(0, 5), max_size=4), st.sampled_from(["f2", "f4", "f8", "i8", "?"]))
def test_an_empty_array_begins_at_a_multiple_of_64_bytes(shape: list[int], dtype: str) -> None:
    array = aligned_empty(shape, dtype)
    assert (array.shape, array.dtype, array.flags.c_contiguous) == (tuple(shape), np.dtype(dtype), True)
    assert array.ctypes.data % 64 == 0 or not array.size


def test_an_aligned_array_is_not_copied() -> None:
    array = aligned_empty((3, 2), np.float32)
    assert aligned(array) is array


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


_NUMBERS = np.arange(6, dtype=np.float32)


@pytest.mark.parametrize(
    "unfit",
    [
        aligned_empty((7,), np.float32)[1:],
        np.asfortranarray(_NUMBERS.reshape(2, 3)),
        _NUMBERS.astype(">f4"),
        _read_only(aligned(_NUMBERS.copy())),
        np.array(2.0),
    ],
    ids=["unaligned", "columns first", "big-endian", "read-only", "scalar"],
)
def test_any_other_is_copied_with_its_values(unfit: np.ndarray) -> None:
    found = aligned(unfit)
    np.testing.assert_array_equal(found, unfit)
    assert found.flags.writeable
    assert found.flags.c_contiguous
    assert found.dtype.isnative
    assert found.ctypes.data % 64 == 0
