import numpy as np
import pytest
import tensorflow as tf

from transforms.rebuild.eager_tensors import eager_tensor
from transforms.source.aligned_arrays import aligned_empty


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (0, 2)], ids=str)
def test_values_shape_and_dtype(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    tensor = eager_tensor(array, tf.as_dtype(dtype))
    assert (tensor.dtype, tuple(tensor.shape)) == (tf.as_dtype(dtype), shape)
    np.testing.assert_array_equal(tensor.numpy(), array)


def test_the_dtype_is_the_one_asked_for() -> None:
    tensor = eager_tensor(np.array([1 / 3, 2 / 3]), tf.float32)
    np.testing.assert_array_equal(tensor.numpy(), np.array([1 / 3, 2 / 3], np.float32))


def test_an_aligned_array_lies_where_it_lay() -> None:
    array = aligned_empty((4, 4), np.float32)
    array[:] = 1
    tensor = eager_tensor(array, tf.float32)
    array[0, 0] = 7  # which nobody may do, and which shows that there is one buffer
    assert tensor[0, 0] == 7


@pytest.mark.parametrize("array", [np.ones(65, np.float32)[1:], np.ones((2, 9), np.float32).T])
def test_tensorflow_runs_on_what_was_unaligned(array: np.ndarray) -> None:
    np.testing.assert_array_equal(tf.reduce_sum(eager_tensor(array, tf.float32), axis=0), array.sum(axis=0))


def test_an_assigned_variable_keeps_its_values_when_the_array_is_gone() -> None:
    variable = tf.Variable(tf.zeros((1 << 18,)))
    array = np.random.default_rng(1).random(1 << 18, np.float32)
    expected = array.copy()
    variable.assign(eager_tensor(array, tf.float32))
    del array
    np.testing.assert_array_equal(variable.numpy(), expected)
