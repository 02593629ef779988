"""Kernels widened block by block give the product of the whole; layers are read once while they are needed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.architecture.graph import LayerPath
from transforms.reference import layer_weights
from transforms.reference.layer_call import Array
from transforms.reference.layer_weights import LayerWeights, OriginalWeights, narrow, product, rows

_LAYER: LayerPath = ("layer",)


@given(
    depth=st.integers(1, 40),
    units=st.integers(1, 40),
    leading=st.lists(st.integers(0, 4), min_size=1, max_size=2),
    block=st.integers(1, 200),
    dtype=st.sampled_from(["<f2", "<f4", ">f4", "<f8"]),
    seed=st.integers(0, 99),
)
def test_a_product_in_blocks_is_the_product(
    depth: int, units: int, leading: list[int], block: int, dtype: str, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(*leading, depth))
    kernel = generator.normal(size=(depth, units)).astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer_weights, "_SMALL", 0)
        patch.setattr(layer_weights, "_BLOCK", block)
        found = product(x, LayerWeights({"kernel": kernel}), "kernel")
    np.testing.assert_allclose(found, x @ kernel.astype(np.float64), rtol=1e-12, atol=1e-12)
    assert found.dtype == np.float64


def test_a_large_kernel_is_never_widened_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = np.ones((300, 200), np.float32)
    monkeypatch.setattr(layer_weights, "_SMALL", kernel.size - 1)
    monkeypatch.setattr(LayerWeights, "__getitem__", lambda *_: pytest.fail("widened"))
    np.testing.assert_array_equal(product(np.ones((2, 300)), LayerWeights({"kernel": kernel}), "kernel"), 300.0)


def test_a_kernel_that_does_not_fit_is_an_error_as_without_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_weights, "_SMALL", 0)
    with pytest.raises(ValueError, match="mismatch"):
        product(np.ones((2, 3)), LayerWeights({"kernel": np.ones((4, 5), np.float32)}), "kernel")


def test_rows_are_widened_after_they_are_taken() -> None:
    table = np.arange(12, dtype=np.float32).reshape(4, 3) / 3
    found = rows(LayerWeights({"table": table}), "table", np.array([[3, 0], [1, 1]]))
    np.testing.assert_array_equal(found, table.astype(np.float64)[[[3, 0], [1, 1]]])
    assert found.dtype == np.float64


def test_a_role_is_float64_when_looked_up_and_stays_as_stored_beside_it() -> None:
    weights = LayerWeights({"bias": np.ones(3, np.float16)})
    assert weights["bias"].dtype == np.float64
    assert weights["bias"] is weights["bias"]
    assert narrow(weights, "bias").dtype == np.float16
    assert narrow({"bias": weights["bias"]}, "bias").dtype == np.float64
    assert (dict(weights).keys(), len(weights), "kernel" in weights) == ({"bias"}, 1, False)


@pytest.mark.parametrize(("scalars", "read"), [(1, 1), (layer_weights._KEPT_BYTES, 2)], ids=["small", "large"])
def test_small_layers_are_kept_and_large_ones_read_again(scalars: int, read: int) -> None:
    asked: list[LayerPath] = []

    def weights_of(path: LayerPath) -> Mapping[str, Array]:
        asked.append(path)
        return {"kernel": np.zeros(scalars, np.float32)}

    original = OriginalWeights(weights_of)
    assert original.of(_LAYER) is original.of(_LAYER)
    original.settle()
    original.of(_LAYER)
    assert asked == [_LAYER] * read
