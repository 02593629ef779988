"""The functions of TensorFlow that a stored function may call, and the families of those among the layers."""

from __future__ import annotations

#: Functions of TensorFlow that do not occur as layers.
TENSORFLOW_FURTHER = """
boolean_mask              -            tensor mask axis
compat.v1.div             broadcast    x y
constant                  constant     value dtype shape
eye                       -            num_rows num_columns batch_shape dtype
image.image_gradients     twice        image
image.psnr                -            a b max_val
image.sobel_edges         -            image
image.total_variation     -            images
linspace                  -            start stop num axis
math.angle                same         input
math.imag                 same         input
math.logical_xor          broadcast    x y
math.real                 same         input
meshgrid                  meshed       *args indexing
nn.batch_normalization    same         x mean variance offset scale variance_epsilon
nn.conv1d                 -            input filters stride padding data_format dilations
nn.conv2d                 -            input filters|filter strides padding data_format dilations
nn.depthwise_conv2d       -            input filter strides padding data_format dilations|rate
nn.moments                moments      x axes shift keepdims
nn.softmax_cross_entropy_with_logits - labels logits axis|dim
reverse_sequence          same         input seq_lengths seq_axis batch_axis
saturate_cast             same         value dtype
scatter_nd                stated       indices updates shape
signal.dct                same         input type n axis norm
signal.fft                same         input
signal.hamming_window     counted-one  window_length periodic dtype
signal.hann_window        counted-one  window_length periodic dtype
signal.rfft               halved       input_tensor fft_length
signal.stft               -            signals frame_length frame_step fft_length pad_end
operator.add              broadcast    x y
operator.sub              broadcast    x y
operator.mul              broadcast    x y
operator.truediv          broadcast    x y
operator.div              broadcast    x y
operator.floordiv         broadcast    x y
operator.mod              broadcast    x y
operator.pow              broadcast    x y
operator.matmul           matmul       x y
operator.and_             broadcast    x y
operator.or_              broadcast    x y
operator.xor              broadcast    x y
operator.lt               broadcast    x y
operator.le               broadcast    x y
operator.gt               broadcast    x y
operator.ge               broadcast    x y
operator.eq               broadcast    x y
operator.ne               broadcast    x y
operator.neg              same         x
operator.invert           same         x
"""


#: Families of the functions of TensorFlow among the layers, by name.
TENSORFLOW = {
    "same": """
        argsort cast clip_by_norm clip_by_value compat.v1.math.scalar_mul identity image.flip_left_right
        image.flip_up_down
        linalg.band_part math.abs math.acos math.acosh math.asin math.asinh math.atan math.atanh math.ceil math.cos
        math.cosh math.cumprod math.cumsum math.erf math.erfc math.exp math.expm1 math.floor math.is_finite math.is_inf
        math.is_nan math.l2_normalize math.log math.log1p math.log_sigmoid math.logical_not math.negative
        math.reciprocal math.rint math.round math.rsqrt math.sigmoid math.sign math.sin math.sinh math.softplus
        math.sqrt math.square math.tan math.tanh nn.bias_add nn.elu nn.gelu nn.leaky_relu
        nn.local_response_normalization nn.log_softmax nn.relu nn.relu6 nn.selu nn.silu nn.softmax nn.softsign
        ones_like reverse roll sort stop_gradient zeros_like
        image.adjust_brightness image.adjust_contrast image.adjust_gamma image.convert_image_dtype
        image.hsv_to_rgb image.per_image_standardization image.rgb_to_hsv image.rgb_to_yiq image.rgb_to_yuv
        image.yiq_to_rgb image.yuv_to_rgb linalg.cross linalg.inv math.lgamma
        nn.sigmoid_cross_entropy_with_logits tensor_scatter_nd_update
        """,
    "broadcast": """
        compat.v1.floor_div math.add math.atan2 math.divide_no_nan math.equal math.floordiv math.floormod
        math.greater math.greater_equal math.less math.less_equal math.logical_and math.logical_or
        math.maximum math.minimum math.multiply math.multiply_no_nan math.not_equal math.pow math.squared_difference
        math.subtract math.truediv math.xlogy where
        """,
    "matmul": "linalg.matmul",
    "reduced": """
        math.count_nonzero math.reduce_all math.reduce_any math.reduce_euclidean_norm math.reduce_logsumexp
        math.reduce_max math.reduce_mean math.reduce_min math.reduce_prod math.reduce_std math.reduce_sum
        math.reduce_variance
        """,
    "reduced-first": "math.argmax math.argmin",
    "getitem": "__operators__.getitem",
    "reshape": "reshape",
    "stated": "broadcast_to ones zeros ensure_shape",
    "dims": "fill",
    "transpose": "compat.v1.transpose",
    "matrix-transpose": "linalg.matrix_transpose",
    "expanded": "expand_dims",
    "squeezed": "compat.v1.squeeze",
    "concatenated": "concat",
    "stacked": "stack",
    "split": "split",
    "unstacked": "unstack",
    "tiled": "tile",
    "repeated": "repeat",
    "padded": "compat.v1.pad",
    "gathered": "compat.v1.gather",
    "hot": "one_hot",
    "ranks": "compat.v1.shape",
    "counted": "range",
    "resized": """
        image.resize compat.v1.image.resize_bicubic compat.v1.image.resize_bilinear
        compat.v1.image.resize_nearest_neighbor
        """,
    "larger": "nn.depth_to_space",
    "smaller": "nn.space_to_depth",
    "constant": "convert_to_tensor",
    "top": "math.top_k",
    "scalar": "compat.v1.size math.zero_fraction rank nn.l2_loss",
    "framed": "signal.frame",
}
