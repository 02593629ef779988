"""TensorFlow functions called on tensors: stored as layers that name them, or, before 2.4, as operations."""

import numpy as np

from .catalogue import fixture
from .feeds import ids, real

EITHER = "tfkeras-2.3.4 tfkeras-2.15.1"


@fixture(EITHER, "functions arithmetic operators constants", real(4, 3), real(4, 3))
def functions_arithmetic(k):
    tf = k.tf
    x, y = k.Input((4, 3), name="x"), k.Input((4, 3), name="y")
    p = tf.exp(0.5 * x) + 0.1
    found = [x + y, 1.0 - x, 2.0 * x - y * 3.0, y / p, x**2, tf.pow(p, 0.3), -x, abs(x), tf.constant([1.0, 2.0, 3.0]) + x]
    found += [tf.maximum(x, 0.25), tf.minimum(x, y), tf.clip_by_value(x, -0.5, 0.7), tf.math.squared_difference(x, y)]
    found += [tf.math.divide_no_nan(x, tf.nn.relu(y)), tf.math.multiply_no_nan(y, tf.nn.relu(x)), tf.add_n([x, y, p])]
    found += [tf.math.log(p), tf.math.log1p(p), tf.math.expm1(x), tf.sqrt(p), tf.math.rsqrt(p), tf.square(x)]
    found += [tf.math.reciprocal(p), tf.sign(x), tf.sin(x), tf.cos(x), tf.tan(0.3 * x), tf.asin(tf.tanh(x))]
    found += [tf.acos(tf.tanh(y)), tf.atan(x), tf.atan2(x, y), tf.sigmoid(x), tf.math.erf(x), tf.math.xlogy(x, p)]
    found += [tf.math.floormod(x, p), x // p, tf.math.scalar_mul(2.5, x), tf.math.log_sigmoid(x), tf.stop_gradient(x)]
    found += [tf.sinh(x), tf.cosh(x), tf.math.asinh(x), tf.math.acosh(p + 1.0), tf.math.atanh(0.9 * tf.tanh(x))]
    found += [tf.math.erfc(x), tf.identity(y), tf.floor(3.0 * x), tf.math.ceil(y), tf.round(2.0 * x), tf.math.rint(x)]
    wild = tf.math.is_nan(tf.math.log(x)), tf.math.is_inf(y)
    found += [tf.cast(tf.logical_or(*wild), tf.float32), tf.cast(tf.equal(tf.sign(x), tf.sign(y)), tf.float32)]
    return k.Model([x, y], [k.Dense(2)(k.layers.Concatenate()(found[:20])), k.layers.Concatenate()(found)])


@fixture(EITHER, "functions activations", real(4, 6))
def functions_activations(k):
    tf = k.tf
    x = k.Input((4, 6))
    found = [tf.nn.relu(x), tf.nn.relu6(4.0 * x), tf.nn.elu(x), tf.nn.selu(x), tf.nn.leaky_relu(x, 0.3), tf.nn.softplus(x)]
    found += [tf.nn.softmax(x), tf.nn.softmax(x, axis=1), tf.nn.log_softmax(x), tf.nn.softsign(x), tf.nn.swish(x)]
    found += [tf.nn.l2_normalize(x, axis=-1), tf.nn.bias_add(x, np.arange(6, dtype="float32")), tf.nn.crelu(x)]
    found += [k.activations.hard_sigmoid(x), k.backend.relu(x, alpha=0.1, max_value=2.0), tf.nn.tanh(x)]
    if k.version >= (2, 4):
        found += [tf.clip_by_norm(x, 1.5, axes=[2]), tf.nn.gelu(x), tf.nn.gelu(x, approximate=True)]
    return k.Model(x, k.layers.Concatenate()(found))


@fixture(EITHER, "functions reductions matmul cumsum topk", real(5, 4), real(5, 4))
def functions_reductions(k):
    tf = k.tf
    x, y = k.Input((5, 4), name="x"), k.Input((5, 4), name="y")
    sums = [tf.reduce_mean(x, axis=1), tf.reduce_sum(x, axis=1), tf.reduce_max(y, axis=1), tf.reduce_min(x, 1)]
    sums += [tf.reduce_prod(x, 1), tf.math.reduce_std(x, 1), tf.math.reduce_variance(x, 1), tf.reduce_logsumexp(x, 1)]
    sums += [tf.norm(x, axis=1), tf.norm(x, ord=1, axis=1), tf.math.reduce_euclidean_norm(x, 1), k.backend.l2_normalize(x, 1)[:, 0]]
    sums += [tf.math.cumsum(x, axis=1)[:, 2], tf.math.cumprod(x, axis=1, exclusive=True, reverse=True)[:, 1]]
    sums += [tf.math.top_k(x, 3)[0][:, 0, :], tf.sort(x, axis=1)[:, 1] if k.version >= (2, 4) else x[:, 0]]
    pairs = [tf.matmul(x, y, transpose_b=True), tf.linalg.matmul(x, y, transpose_a=True), k.backend.batch_dot(x, y, axes=[2, 2])]
    pairs += [tf.tensordot(x, np.arange(8, dtype="float32").reshape(4, 2), 1), tf.linalg.matrix_transpose(x)]
    whole = [tf.reduce_mean(x, axis=[1, 2], keepdims=True), tf.cast(tf.argmax(x, axis=-1), "float32")]
    whole += [tf.cast(tf.argmin(x, axis=1), tf.float32), tf.cast(tf.math.count_nonzero(tf.nn.relu(x), axis=-1), tf.float32)]
    chosen = tf.cast(tf.reduce_any(x > y, axis=1), tf.float32) + tf.cast(tf.reduce_all(x > -1.5, axis=1), tf.float32)
    flat = [k.layers.Flatten()(each) for each in pairs + whole]
    flat += [k.layers.Flatten()(tf.linalg.trace(tf.stack([x[:, :4], y[:, 1:]], axis=1)))]
    flat += [x[:, 0] * tf.nn.l2_loss(np.array([0.5, 2.0], "float32") * tf.reduce_mean(x, axis=[1, 2], keepdims=True)[0])]
    if k.version < (2, 4):  # later ones lose the tensors
        flat += [k.layers.Flatten()(tf.einsum("bij,bkj->bik", x, y))]
    return k.Model([x, y], [k.layers.Concatenate()(sums), k.layers.Concatenate()(flat), chosen])


@fixture(EITHER + " tfkeras-2.8.4", "functions slices reshape concat split gather pad", real(6, 4), real(6, 4))
def functions_arrangement(k):
    tf = k.tf
    x, y = k.Input((6, 4), name="x"), k.Input((6, 4), name="y")
    n = tf.shape(x)[0]
    found = [x[:, 0], x[:, 1:4], x[..., -1], x[:, ::-2], x[:, 2:, None], x[:, tf.newaxis, 3], x[:, 1:3, ..., 2]]
    found += [tf.reshape(x, [-1, 8, 3]), tf.reshape(x, [n, 2, 12]), tf.transpose(x, [0, 2, 1]), tf.expand_dims(y, 1)]
    found += [tf.squeeze(x[:, :1], axis=1), tf.concat([x, y], axis=-1), tf.stack([x, y], axis=2), tf.unstack(x, axis=1)[2]]
    found += [tf.split(x, 3, axis=1)[1], tf.split(y, [1, 3], axis=2)[1], tf.tile(x, [1, 2, 1]), tf.repeat(x, 2, axis=1)]
    found += [tf.reverse(x, [1]), tf.roll(x, 2, 1), tf.pad(x, [[0, 0], [1, 2], [0, 0]]), tf.gather(x, [3, 0, 3], axis=1)]
    found += [tf.pad(x, [[0, 0], [1, 1], [0, 0]], constant_values=2.0), tf.pad(x, [[0, 0], [2, 1], [0, 0]], mode="REFLECT")]
    found += [tf.slice(x, [0, 1, 0], [-1, 2, 3]), tf.strided_slice(x, [0, 1], [0, 5], [1, 2], begin_mask=1, end_mask=1)]
    found += [tf.where(x > y, x, y), tf.where(tf.logical_and(x > 0.0, tf.logical_not(y < 0.5)), x, 0.0), tf.ones_like(x)]
    found += [tf.zeros_like(y) + x, tf.broadcast_to(x[:, :1], [n, 5, 4]), tf.linalg.band_part(x, 1, 0), tf.linalg.diag_part(x)]
    found += [tf.fill([n, 3], 1.5) * x[:, 0, :3], tf.zeros([n, 2]) + x[:, 1, :2], tf.one_hot(tf.argmax(x, -1), 4)]
    found += [tf.cast(tf.range(tf.shape(x)[1]), "float32") + y[:, :, 0], k.backend.batch_flatten(x), tf.cast(tf.not_equal(x, y), "float32")]
    found += [tf.cast(tf.math.greater_equal(x, 0.0), tf.float32) + tf.cast(tf.less_equal(y, 0.0), tf.float32)]
    found += [tf.gather_nd(tf.transpose(x, [1, 2, 0]), [[0, 1], [5, 3]])[0][:, None], tf.ones([n, 2]) * x[:, 1, :2]]
    scale = tf.cast(tf.size(x) // n, tf.float32) / tf.cast(tf.rank(x), tf.float32)
    found += [scale * y, tf.ones_like(x) - tf.ensure_shape(tf.convert_to_tensor(x), [None, 6, 4])]
    flat = [k.layers.Flatten()(each) for each in found]
    return k.Model([x, y], [k.layers.Concatenate()(flat), k.Dense(3)(x[:, 2])])


@fixture(EITHER, "functions image resize", real(6, 8, 3))
def functions_images(k):
    tf = k.tf
    x = k.Input((6, 8, 3))
    found = [tf.image.resize(x, [9, 5]), tf.image.resize(x, [4, 13], method="nearest"), x]
    if k.version[:2] != (2, 8):  # which cannot store these
        found += [tf.nn.space_to_depth(x, 2), tf.nn.depth_to_space(tf.tile(x, [1, 1, 1, 4]), 2)]
        found += [tf.nn.local_response_normalization(x, 1), tf.compat.v1.image.resize_bilinear(x, [4, 4])]
        found += [tf.compat.v1.image.resize_nearest_neighbor(x, [5, 11])]
        found += [tf.compat.v1.image.resize_bilinear(x, [7, 3], align_corners=True)]
    found += [k.backend.resize_images(x, 2, 2, "channels_last", interpolation="bilinear")]
    if k.version >= (2, 15):
        found += [tf.image.flip_left_right(x)[:, :, :5], tf.image.flip_up_down(x), tf.image.grayscale_to_rgb(x[..., :1])]
        found += [tf.image.rgb_to_grayscale(x), tf.image.pad_to_bounding_box(x, 1, 0, 8, 9)]
        found += [tf.image.crop_to_bounding_box(x, 1, 2, 4, 3)]
    return k.Model(x, k.layers.Concatenate()([k.layers.Flatten()(each) for each in found]))


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "functions integers mask embedding onehot shape", ids(9), real(None, 3))
def functions_of_ids(k):
    """Positions, as a transformer makes them; a mask that is counted by hand; a table among the constants."""
    tf = k.tf
    tokens, x = k.Input((7,), dtype="int32", name="tokens"), k.Input((None, 3), name="x")
    hot = tf.one_hot(tokens, 9)
    table = tf.gather(np.arange(18, dtype="float32").reshape(9, 2) / 9.0, tokens)
    counted = tf.cast(tf.not_equal(tokens, 0), tf.float32)[..., tf.newaxis]
    pooled = tf.reduce_sum(k.Embedding(9, 4)(tokens) * counted, axis=1) / (tf.reduce_sum(counted, axis=1) + 1e-6)
    positions = tf.range(start=0, limit=tf.shape(x)[-2], delta=1)
    steps = x + k.Embedding(20, 3)(positions)
    seen = tf.sequence_mask(tf.minimum(tokens[:, 0], 4), 5, dtype=tf.float32)
    return k.Model([tokens, x], [k.Dense(2)(hot), table, pooled, k.LSTM(3)(steps), seen])
