"""Hashes of TensorFlow's kernels: published test vectors, and TensorFlow itself as the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.reference.layers.hashes import fingerprint64, fingerprint_cat64, siphash64

_BUCKETS = 2**63 - 1


def test_siphash_of_the_paper() -> None:
    """Appendix A of Aumasson and Bernstein: key 00 01 ... 0f, message 00 01 ... 0e."""
    key = int.from_bytes(bytes(range(8)), "little"), int.from_bytes(bytes(range(8, 16)), "little")
    assert siphash64(bytes(range(15)), key) == 0xA129CA6149BE45E5


@pytest.mark.parametrize("size", [0, 1, 3, 4, 7, 8, 16, 17, 32, 33, 64, 65, 127, 128, 129, 400])
def test_every_length_that_is_hashed_in_a_way_of_its_own(size: int) -> None:
    _check(bytes((7 * index + size) % 256 for index in range(size)))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_any_text(text: bytes) -> None:
    _check(text)


def _check(text: bytes) -> None:
    import tensorflow as tf

    fast = int(tf.strings.to_hash_bucket_fast([text], _BUCKETS)[0])
    strong = int(tf.strings.to_hash_bucket_strong([text], _BUCKETS, key=[3, 2**40 + 1])[0])
    assert fast == fingerprint64(text) % _BUCKETS
    assert strong == siphash64(text, (3, 2**40 + 1)) % _BUCKETS


def test_a_crossing_of_a_number_and_a_word() -> None:
    import tensorflow as tf

    columns = [tf.constant([[-5]], tf.int64), tf.constant([["caf\u00e9"]])]
    crossed = tf.sparse.to_dense(tf.sparse.cross_hashed(columns, _BUCKETS))
    joined = fingerprint_cat64(fingerprint_cat64(0xDECAFCAFFE, -5 % 2**64), fingerprint64("caf\u00e9".encode()))
    assert int(crossed[0, 0]) == joined % _BUCKETS
