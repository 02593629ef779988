"""Categorical layers: encodings, vocabularies, hashes, by the names and options of each release."""

import numpy as np

from .catalogue import fixture
from .feeds import ids, words


def _with_counts(k, model):
    """What `adapt` counted, which random weights have replaced."""
    for layer in model.layers:
        if hasattr(layer, "num_elements"):
            k.backend.set_value(layer.num_elements, 11)


@fixture("tfkeras-2.3.4", "categoryencoding max_tokens tf-idf hashing salt", ids(9, 5), prepare=_with_counts)
def encodings(k):
    home = k.layers.experimental.preprocessing
    tokens = k.Input((5,), dtype="int64")
    found = [home.CategoryEncoding(max_tokens=9, output_mode=mode)(tokens) for mode in ("binary", "count")]
    counted = home.CategoryEncoding(output_mode="count")
    counted.adapt(np.arange(11).reshape(1, 11))
    weighed = home.CategoryEncoding(max_tokens=9, output_mode="tf-idf")
    weighed.adapt(np.arange(27).reshape(9, 3) % 9)
    hashed = [home.Hashing(7, salt=133)(tokens), home.Hashing(5, salt=[133, 137])(tokens)]
    return k.Model(tokens, [k.layers.Concatenate()(found + [counted(tokens), weighed(tokens)]), k.layers.Concatenate()(hashed)])


INPUTS = ids(9, 5), ids(100, 1), ids(30, 1)


@fixture("tfkeras-2.3.4", "hashing golden_alone", ids(9, 5))
def hashing_without_salt(k):
    """2.3 stores a salt for it, as if it had one."""
    tokens = k.Input((5,), dtype="int64")
    return k.Model(tokens, k.layers.experimental.preprocessing.Hashing(7)(tokens))


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "hashing hashedcrossing integerlookup tf_idf pad_to_max_tokens", *INPUTS)
def hashes_and_lookups(k):
    tokens, x, y = (k.Input((size,), dtype="int64") for size in (5, 1, 1))
    hashed = [k.layers.Hashing(7, mask_value=3)(tokens), k.layers.Hashing(5, salt=[133, 137])(tokens)]
    home = k.layers if k.version >= (2, 11) else k.layers.experimental.preprocessing
    crossed = [home.HashedCrossing(11)([x, y]), home.HashedCrossing(1 << 40)([y, x, y])]
    words = [3, 1, 4, 8]
    found = [k.layers.Hashing(6, output_mode="count")(tokens), home.HashedCrossing(7, output_mode="one_hot")([y, x])]
    found.append(k.layers.IntegerLookup(vocabulary=words, output_mode="tf_idf", idf_weights=[0.5, 1.25, 2.0, 0.125])(tokens))
    found.append(k.layers.IntegerLookup(vocabulary=words, max_tokens=8, pad_to_max_tokens=True, output_mode="count")(tokens))
    return k.Model([tokens, x, y], [k.layers.Concatenate()(hashed + crossed), k.layers.Concatenate()(found)])


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "stringlookup text inputs outputs hashing", words(6), words(1))
def words_and_places(k):
    layers = k.layers
    sentence, word = k.Input((6,), dtype="string", name="sentence"), k.Input((1,), dtype="string", name="word")
    vocabulary = ["the", "caf\u00e9", "a", "of", "two words"]
    places = layers.StringLookup(vocabulary=vocabulary, mask_token="")(sentence)
    found = [layers.StringLookup(vocabulary=vocabulary, num_oov_indices=3, output_mode="multi_hot")(sentence)]
    found.append(layers.StringLookup(vocabulary=["[UNK]"] + vocabulary, output_mode="one_hot")(word))
    found.append(layers.Hashing(5, output_mode="one_hot")(word))
    back = layers.StringLookup(vocabulary=vocabulary, mask_token="", invert=True)(places)
    pooled = k.GlobalAveragePooling1D()(k.Embedding(7, 3, mask_zero=True)(places))
    return k.Model([sentence, word], [k.Dense(2)(pooled), layers.Concatenate()(found), back])
