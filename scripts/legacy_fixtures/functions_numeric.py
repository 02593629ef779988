"""TensorFlow functions of windows, images and matrices called on tensors, as people write them into their models."""

import numpy as np

from .catalogue import fixture
from .feeds import real

EITHER = "tfkeras-2.3.4 tfkeras-2.15.1"
_RNG = np.random.RandomState(7)
KERNEL = _RNG.normal(0, 1, (3, 2, 3, 4)).astype("float32")
DEPTHWISE = _RNG.normal(0, 1, (2, 3, 3, 2)).astype("float32")


def _joined(k, found):
    return k.layers.Concatenate()([k.layers.Flatten()(each) for each in found])


@fixture(EITHER, "functions windows pooling convolution patches", real(7, 8, 3), real(9, 2))
def functions_windows(k):
    tf = k.tf
    x, s = k.Input((7, 8, 3), name="x"), k.Input((9, 2), name="s")
    found = [tf.nn.avg_pool2d(x, 3, 2, "SAME"), tf.nn.max_pool2d(x, [2, 3], [2, 1], "VALID")]
    found += [tf.nn.max_pool2d(x, 3, 2, "SAME"), tf.nn.avg_pool(x, [1, 2, 2, 1], [1, 1, 2, 1], "VALID")]
    found += [tf.nn.max_pool(x, 2, 1, "SAME"), tf.compat.v1.nn.avg_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")]
    found += [k.backend.pool2d(x, (2, 2), strides=(2, 2), padding="same", pool_mode="avg")]
    found += [tf.nn.conv2d(x, KERNEL, 2, "SAME"), tf.nn.conv2d(x, KERNEL, [1, 1, 1, 1], "VALID", dilations=2)]
    found += [tf.nn.depthwise_conv2d(x, DEPTHWISE, [1, 1, 1, 1], "SAME")]
    found += [tf.nn.depthwise_conv2d(x, DEPTHWISE, [1, 2, 2, 1], "VALID")]
    found += [tf.image.extract_patches(x, [1, 3, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME")]
    found += [tf.image.extract_patches(x, [1, 2, 2, 1], [1, 1, 3, 1], [1, 2, 1, 1], "VALID")]
    found += [tf.compat.v1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")]
    found += [k.backend.conv2d(x, k.backend.constant(KERNEL), padding="same")]
    rows = [tf.signal.frame(s, 2, 1, axis=-1) if k.version >= (2, 4) else s]
    rows += [tf.nn.avg_pool1d(s, 3, 2, "SAME"), tf.nn.max_pool1d(s, 2, 2, "VALID")]
    rows += [tf.nn.pool(s, [3], "MAX", padding="SAME", strides=[2])] if k.version >= (2, 4) else []
    return k.Model([x, s], [_joined(k, found), _joined(k, rows)])


@fixture(EITHER, "functions image contrast standardization colours rotate", real(6, 8, 3))
def functions_image_values(k):
    tf = k.tf
    x = k.Input((6, 8, 3))
    p = tf.sigmoid(x)
    found = [tf.image.per_image_standardization(x), tf.image.adjust_contrast(x, 0.6), tf.image.adjust_brightness(x, 0.2)]
    found += [tf.image.adjust_gamma(p, 1.7, 0.9), tf.image.rgb_to_yuv(p), tf.image.yuv_to_rgb(p)]
    found += [tf.image.rgb_to_hsv(p), tf.image.hsv_to_rgb(p), tf.image.rgb_to_yiq(p), tf.image.yiq_to_rgb(p)]
    found += [tf.image.rot90(x), tf.image.rot90(x, 2), tf.image.transpose(x)]
    found += [tf.image.convert_image_dtype(x, tf.float32)]
    return k.Model(x, _joined(k, found))


@fixture(EITHER, "functions image resize bicubic area lanczos crop", real(6, 8, 3))
def functions_image_sizes(k):
    tf = k.tf
    x = k.Input((6, 8, 3))
    found = [tf.image.central_crop(x, 0.6), tf.image.resize_with_crop_or_pad(x, 9, 5)]
    found += [tf.image.resize_with_crop_or_pad(x, 4, 11), tf.image.resize_with_pad(x, 9, 9)]
    found += [tf.image.resize(x, [9, 5], method="bicubic"), tf.image.resize(x, [4, 13], method="area")]
    if k.version >= (2, 4):
        found += [tf.image.resize(x, [4, 13], method=each) for each in ("lanczos3", "lanczos5", "gaussian", "mitchellcubic")]
        found += [tf.image.resize(x, [4, 3], method=each, antialias=True) for each in ("bilinear", "bicubic", "lanczos3")]
    return k.Model(x, _joined(k, found))


@fixture(EITHER, "functions matrices special losses scatter", real(4, 4), real(4, 3))
def functions_matrices(k):
    tf = k.tf
    x, y = k.Input((4, 4), name="x"), k.Input((4, 3), name="y")
    square = tf.matmul(x, x, transpose_b=True) + np.eye(4, dtype="float32")
    p = tf.sigmoid(y)
    found = [tf.linalg.det(square), tf.linalg.inv(square), tf.linalg.diag(y), tf.linalg.set_diag(x, y[:, :, 0])]
    found += [tf.linalg.cross(y, y[:, ::-1]), tf.linalg.normalize(y, axis=-1)[0], tf.math.cumulative_logsumexp(y, axis=1)]
    found += [tf.math.erfinv(tf.tanh(y)), tf.math.lgamma(tf.exp(y)), tf.math.polyval([2.0, -1.0, 0.5], y)]
    found += [tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=y)]
    found += [k.backend.binary_crossentropy(p, tf.sigmoid(y[:, ::-1])), tf.cast(tf.argsort(y, axis=-1), tf.float32)]
    found += [tf.math.digamma(tf.exp(y)), tf.linalg.norm(x, ord="fro", axis=[1, 2]), tf.linalg.matvec(x, y[:, :, 0])]
    found += [tf.tensor_scatter_nd_update(y, [[0, 1], [2, 3]], np.ones((2, 3), "float32"))]
    if k.version >= (2, 4):  # earlier ones ask a tensor for its truth
        found += [tf.math.zero_fraction(tf.nn.relu(y)) * y]
    return k.Model([x, y], k.layers.Concatenate()([k.layers.Flatten()(each[..., tf.newaxis]) for each in found]))
