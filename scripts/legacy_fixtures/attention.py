"""MultiHeadAttention: projections of several sizes, masks of every origin, several axes, scores."""

import numpy as np

from .catalogue import fixture
from .feeds import Feed, padded, real


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "multiheadattention scores cross self", real(5, 4), real(6, 3))
def multi_head(k):
    x, y = k.Input((5, 4), name="x"), k.Input((6, 3), name="y")
    crossed, scores = k.MultiHeadAttention(2, 3, value_dim=5, output_shape=7, dropout=0.1)(
        x, y, return_attention_scores=True
    )
    own = k.MultiHeadAttention(3, 2, use_bias=False)(x, x, attention_mask=np.tril(np.ones((1, 5, 5), bool)))
    joint = k.LayerNormalization()(k.layers.Add()([own, x]))
    return k.Model([x, y], [crossed, scores, joint])


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "multiheadattention attention_axes", real(4, 5, 2))
def multi_head_axes(k):
    x = k.Input((4, 5, 2))
    both = k.MultiHeadAttention(2, 3)(x, x)
    one = k.MultiHeadAttention(2, 3, attention_axes=(2,))(both, x)
    swapped = k.MultiHeadAttention(2, 3, attention_axes=(2, 1), value_dim=1)(x, one)
    return k.Model(x, [one, swapped])


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "multiheadattention mask causal", padded(6, 4, "mixed"), padded(7, 4, "right"), Feed((6, 7), 2))
def multi_head_masked(k):
    """Masks from Masking are applied since 2.10; an explicit mask always was."""
    x, y = k.Input((6, 4), name="x"), k.Input((7, 4), name="y")
    seen = k.Input((6, 7), name="z_seen", dtype="int32")
    a, b = k.Masking()(x), k.Masking()(y)
    causal = {"use_causal_mask": True} if k.version >= (2, 10) else {}
    own = k.MultiHeadAttention(2, 3)(a, a, **causal)
    crossed = k.MultiHeadAttention(2, 3)(own, b)
    given = k.MultiHeadAttention(2, 2)(x, y, attention_mask=seen)
    return k.Model([x, y, seen], [k.LSTM(3)(crossed), k.GlobalAveragePooling1D()(own), given])
