"""Layers that turn numbers and words into categories: encodings, vocabularies, hashes.

Sources: keras/layers/preprocessing/ (2.8, 2.15), tensorflow/python/keras/layers/preprocessing/ (2.3). Words are bytes
here, as they are in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from transforms.reference.functions.operands import clear_of_ties
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.hashes import fingerprint64, fingerprint_cat64, siphash64

#: An id, or a word.
Token: TypeAlias = int | bytes

#: The initial hash of `tf.sparse.cross_hashed` (`_DEFAULT_HASH_KEY` in tensorflow/python/ops/sparse_ops.py).
_CROSSING_KEY = 0xDECAFCAFFE

#: `_DEFAULT_SALT_KEY` of TensorFlow 2.3: not a salt when the model was made, but one when it was loaded from a file.
_DEFAULT_SALT = [0xDECAFCAFFE, 0xDECAFCAFFE]

#: Names of output modes before TensorFlow 2.6.
_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


def _encoded(call: LayerCall, ids: Array, depth: int, idf: Array | None = None) -> Array:
    """Ids unchanged, or as counts over the last axis, at most 1 except for `count` (`encode_categorical_inputs`).

    `tf_idf` multiplies the counts by a weight for each id. Ids outside 0 to `depth` are not counted.
    """
    mode = _OLD_MODES.get(mode := call.option("output_mode", "int"), mode)
    if mode == "int":
        return ids
    if mode not in ("one_hot", "multi_hot", "count", "tf_idf"):
        raise NotCovered(f"the output mode {mode}", call.path)
    if ids.ndim < 2 or (mode == "one_hot" and ids.shape[-1] != 1):
        ids = ids[..., np.newaxis]
    if ids.ndim != 2:
        raise NotCovered(f"categories of shape {ids.shape} in one {mode}", call.path)
    counts = (ids[..., np.newaxis] == np.arange(depth)).sum(axis=1).astype(np.float64)
    if mode == "tf_idf":
        if idf is None:
            raise NotCovered("tf_idf without weights", call.path)
        return np.asarray(counts * idf)
    return np.asarray(counts if mode == "count" else np.minimum(counts, 1.0))


def _category_encoding(call: LayerCall) -> Array:
    """The number of categories is `num_tokens`; before TensorFlow 2.6 `max_tokens`, or, after `adapt`, an array."""
    depth = call.config.get("num_tokens", call.config.get("max_tokens"))
    if depth is None:
        depth = call.weights["num_elements"].item()
    ids = np.asarray(call.x).astype(np.int64)
    if ids.size and (ids.min() < 0 or ids.max() >= depth):
        raise NotCovered(f"categories beyond {depth:.0f}", call.path)
    mode = {"output_mode": call.option("output_mode", "multi_hot")}
    stated = LayerCall(**{**vars(call), "config": {**call.config, **mode}})
    return _encoded(stated, ids, int(depth), call.weights.get("idf"))


def _discretization(call: LayerCall) -> Array:
    """The number of boundaries that are at most x."""
    bounds = np.asarray(call.config["bin_boundaries"], dtype=np.float32).astype(np.float64)
    x = np.asarray(call.x, dtype=np.float64)
    clear_of_ties(x[..., np.newaxis], bounds)
    return _encoded(call, np.searchsorted(bounds, x, side="right"), len(bounds) + 1)


def tokens_of(values: Array) -> list[Token]:
    """The entries of an array: words as bytes, anything else as integers."""
    if values.dtype.kind in "SU":
        return [word if isinstance(word, bytes) else str(word).encode() for word in values.reshape(-1).tolist()]
    return [int(value) for value in values.reshape(-1)]


def _stored_token(value: Any) -> Token:
    return value.encode() if isinstance(value, str) else int(value)


def _lookup(call: LayerCall) -> Array:
    """The position of a token in [mask token] + out of vocabulary + vocabulary; with `invert`, the token at a position.

    Only the mode `int` has a position for the mask token; others do not count it. Of several positions for
    out-of-vocabulary tokens, the id modulo their number is used, or the fingerprint of a word. A stored vocabulary may
    begin with the special tokens (keras/layers/preprocessing/index_lookup.py, `set_vocabulary` and `_lookup_dense`).
    """
    words = call.class_name == "StringLookup"
    mask, others = call.config.get("mask_token"), call.option("num_oov_indices", 1)
    masking = mask is not None and call.option("output_mode", "int") == "int"
    oov = _stored_token(call.option("oov_token", "[UNK]" if words else -1))
    special = [*([_stored_token(mask)] if masking else []), *[oov] * others]
    tokens = [_stored_token(token) for token in call.config["vocabulary"]]
    has_special = bool(special) and tokens[: len(special)] == special
    tokens = tokens[len(special) :] if has_special else tokens
    if call.option("invert", False):
        return _inverted(np.asarray(call.x).astype(np.int64), [*special, *tokens], oov)
    places: dict[Token, int] = {token: len(special) + index for index, token in enumerate(tokens)}
    if mask is not None:
        places[_stored_token(mask)] = 0 if masking else -1

    def place(token: Token) -> int:
        if token not in places and not others:
            raise NotCovered("ids out of vocabulary", call.path)
        rest = fingerprint64(token) if isinstance(token, bytes) else token
        return places[token] if token in places else len(special) - others + rest % others

    found = np.array([place(token) for token in tokens_of(call.x)], dtype=np.int64).reshape(call.x.shape)
    depth = call.config["max_tokens"] if call.option("pad_to_max_tokens", False) else len(special) + len(tokens)
    return _encoded(call, found, depth, _idf_weights(call, 0 if has_special else len(special), depth))


def _inverted(places: Array, tokens: Sequence[Token], oov: Token) -> Array:
    found = [tokens[place] if 0 <= place < len(tokens) else oov for place in places.reshape(-1).tolist()]
    return np.array(found, dtype=np.bytes_ if isinstance(oov, bytes) else np.int64).reshape(places.shape)


def _idf_weights(call: LayerCall, front: int, depth: int) -> Array | None:
    """The weights of a variable, with which loading replaces the config's (`finalize_state`), else the config's.

    Those of the config are float32, preceded by their average for special tokens without weights, and followed by
    zeros.
    """
    stored = call.config.get("idf_weights")
    if stored is None:
        return None
    weights = np.asarray(stored, dtype=np.float64)
    padded = np.concatenate([np.full(front, weights.mean()), weights])
    padded = np.concatenate([padded, np.zeros(depth - len(padded))]).astype(np.float32).astype(np.float64)
    return np.asarray(call.weights.get("Variable", padded))


def _hashing(call: LayerCall) -> Array:
    """A hash modulo the number of bins: farmhash, or SipHash under a `salt`. Numbers are hashed as decimal text.

    With a `mask_value`, that value has bin 0 and all others have the rest (`_hash_values_to_bins`).
    """
    if len(call.inputs) > 1:
        raise NotCovered("Hashing of several inputs", call.path)
    if call.config.get("salt") == _DEFAULT_SALT:
        raise NotCovered("a salt that TensorFlow 2.3 stored for layers without one", call.path)
    bins, mask, salt = call.config["num_bins"], call.config.get("mask_value"), call.config.get("salt")
    masking = mask is not None and bins > 1
    key = (salt, salt) if isinstance(salt, int) else None if salt is None else (salt[0], salt[1])
    found = []
    for token in tokens_of(call.x):
        text = token if isinstance(token, bytes) else str(token).encode()
        place = (fingerprint64(text) if key is None else siphash64(text, key)) % (bins - masking)
        found.append(place if not masking else 0 if token == _stored_token(mask) else place + 1)
    return _encoded(call, np.array(found, dtype=np.int64).reshape(call.x.shape), bins)


def _hashed_crossing(call: LayerCall) -> Array:
    """The hashes of all columns joined, modulo the number of bins; numbers are their own hash (`HashCrosser`).

    Source: tensorflow/core/kernels/sparse_cross_op.cc.
    """
    columns = [
        [fingerprint64(token) if isinstance(token, bytes) else token % (1 << 64) for token in tokens_of(x)]
        for x in call.inputs
    ]
    bins = call.config["num_bins"]
    found = [reduce(fingerprint_cat64, row, _CROSSING_KEY) % bins for row in zip(*columns, strict=True)]
    return _encoded(call, np.array(found, dtype=np.int64).reshape(call.x.shape), bins)


CATEGORIES: Mapping[str, StatelessLayer] = {
    "CategoryEncoding": _category_encoding,
    "Discretization": _discretization,
    "IntegerLookup": _lookup,
    "StringLookup": _lookup,
    "Hashing": _hashing,
    "HashedCrossing": _hashed_crossing,
}
