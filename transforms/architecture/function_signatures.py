"""The TensorFlow functions that a stored graph may call by name: only pure ones, with their parameters.

tf.keras 2.4 to 2.15 stores `x + y` or `tf.reduce_mean(x)` as a layer that names the function. A name outside this list
is never looked up. Parameters are in the order of TensorFlow's own signature; `name` is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Prefix of a function's name in the class name of its layer.
FUNCTION = "tf."

#: Config key of a function's arguments: plain values, `{"input": index}` for tensors, lists and objects of these.
ARGUMENTS = "arguments"

GETITEM = "__operators__.getitem"

_SIGNATURES = """
__operators__.add x y
__operators__.getitem tensor slice_spec
argsort values axis direction stable
broadcast_to input shape
cast x dtype
clip_by_norm t clip_norm axes
clip_by_value t clip_value_min clip_value_max
compat.v1.floor_div x y
compat.v1.gather params indices validate_indices axis batch_dims
compat.v1.gather_nd params indices batch_dims
compat.v1.image.resize_area images size align_corners
compat.v1.image.resize_bicubic images size align_corners half_pixel_centers
compat.v1.image.resize_bilinear images size align_corners half_pixel_centers
compat.v1.image.resize_nearest_neighbor images size align_corners half_pixel_centers
compat.v1.math.scalar_mul scalar x
compat.v1.nn.avg_pool value ksize strides padding data_format input
compat.v1.nn.conv2d input filter strides padding use_cudnn_on_gpu data_format dilations filters
compat.v1.nn.convolution input filter padding strides dilation_rate data_format filters dilations
compat.v1.nn.crelu features axis
compat.v1.nn.depthwise_conv2d input filter strides padding rate data_format dilations
compat.v1.nn.max_pool value ksize strides padding data_format input
compat.v1.nn.pool input window_shape pooling_type padding dilation_rate strides data_format dilations
compat.v1.norm tensor ord axis keepdims keep_dims
compat.v1.pad tensor paddings mode constant_values
compat.v1.shape input out_type
compat.v1.size input out_type
compat.v1.squeeze input axis squeeze_dims
compat.v1.transpose a perm conjugate
compat.v1.where condition x y
concat values axis
convert_to_tensor value dtype dtype_hint
einsum equation inputs
ensure_shape x shape
expand_dims input axis
fill dims value
identity input
image.adjust_brightness image delta
image.adjust_contrast images contrast_factor
image.adjust_gamma image gamma gain
image.central_crop image central_fraction
image.convert_image_dtype image dtype saturate
image.crop_to_bounding_box image offset_height offset_width target_height target_width
image.extract_patches images sizes strides rates padding
image.flip_left_right image
image.flip_up_down image
image.grayscale_to_rgb images
image.hsv_to_rgb images
image.pad_to_bounding_box image offset_height offset_width target_height target_width
image.per_image_standardization image
image.resize images size method preserve_aspect_ratio antialias
image.resize_with_crop_or_pad image target_height target_width
image.resize_with_pad image target_height target_width method antialias
image.rgb_to_grayscale images
image.rgb_to_hsv images
image.rgb_to_yiq images
image.rgb_to_yuv images
image.rot90 image k
image.transpose image
image.yiq_to_rgb images
image.yuv_to_rgb images
keras.backend.batch_flatten x
keras.backend.binary_crossentropy target output from_logits
linalg.band_part input num_lower num_upper
linalg.cross a b
linalg.det input
linalg.diag diagonal k num_rows num_cols padding_value align
linalg.diag_part input k padding_value align
linalg.inv input adjoint
linalg.matmul a b transpose_a transpose_b adjoint_a adjoint_b a_is_sparse b_is_sparse output_type
linalg.matrix_transpose a conjugate
linalg.normalize tensor ord axis
linalg.set_diag input diagonal k align
linalg.trace x
math.abs x
math.acos x
math.acosh x
math.add x y
math.add_n inputs
math.argmax input axis output_type
math.argmin input axis output_type
math.asin x
math.asinh x
math.atan x
math.atan2 y x
math.atanh x
math.ceil x
math.cos x
math.cosh x
math.count_nonzero input axis keepdims dtype
math.cumprod x axis exclusive reverse
math.cumsum x axis exclusive reverse
math.cumulative_logsumexp x axis exclusive reverse
math.digamma x
math.divide_no_nan x y
math.equal x y
math.erf x
math.erfc x
math.erfinv x
math.exp x
math.expm1 x
math.floor x
math.floordiv x y
math.floormod x y
math.greater x y
math.greater_equal x y
math.is_finite x
math.is_inf x
math.is_nan x
math.l2_normalize x axis epsilon dim
math.less x y
math.less_equal x y
math.lgamma x
math.log x
math.log1p x
math.log_sigmoid x
math.logical_and x y
math.logical_not x
math.logical_or x y
math.maximum x y
math.minimum x y
math.multiply x y
math.multiply_no_nan x y
math.negative x
math.not_equal x y
math.polyval coeffs x
math.pow x y
math.reciprocal x
math.reduce_all input_tensor axis keepdims
math.reduce_any input_tensor axis keepdims
math.reduce_euclidean_norm input_tensor axis keepdims
math.reduce_logsumexp input_tensor axis keepdims
math.reduce_max input_tensor axis keepdims
math.reduce_mean input_tensor axis keepdims
math.reduce_min input_tensor axis keepdims
math.reduce_prod input_tensor axis keepdims
math.reduce_std input_tensor axis keepdims
math.reduce_sum input_tensor axis keepdims
math.reduce_variance input_tensor axis keepdims
math.rint x
math.round x
math.rsqrt x
math.sigmoid x
math.sign x
math.sin x
math.sinh x
math.softplus features
math.sqrt x
math.square x
math.squared_difference x y
math.subtract x y
math.tan x
math.tanh x
math.top_k input k sorted index_type
math.truediv x y
math.xlogy x y
math.zero_fraction value
nn.avg_pool input ksize strides padding data_format
nn.avg_pool1d input ksize strides padding data_format
nn.avg_pool2d input ksize strides padding data_format
nn.bias_add value bias data_format
nn.depth_to_space input block_size data_format
nn.elu features
nn.gelu features approximate
nn.l2_loss t
nn.leaky_relu features alpha
nn.local_response_normalization input depth_radius bias alpha beta
nn.log_softmax logits axis
nn.max_pool input ksize strides padding data_format
nn.max_pool1d input ksize strides padding data_format
nn.max_pool2d input ksize strides padding data_format
nn.relu features
nn.relu6 features
nn.selu features
nn.sigmoid_cross_entropy_with_logits labels logits
nn.silu features beta
nn.softmax logits axis
nn.softsign features
nn.space_to_depth input block_size data_format
one_hot indices depth on_value off_value axis dtype
ones shape dtype layout
ones_like input dtype layout
range start limit delta dtype
rank input
repeat input repeats axis
reshape tensor shape
reverse tensor axis
roll input shift axis
sequence_mask lengths maxlen dtype
signal.frame signal frame_length frame_step pad_end pad_value axis
slice input_ begin size
sort values axis direction
split value num_or_size_splits axis num
stack values axis
stop_gradient input
strided_slice input_ begin end strides begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask
tensor_scatter_nd_update tensor indices updates
tensordot a b axes
tile input multiples
unstack value num axis
where condition x y
zeros shape dtype layout
zeros_like input dtype layout
"""

#: Parameters by function. `inputs` of `einsum` are further positional arguments to TensorFlow.
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    name: tuple(parameters) for name, *parameters in (line.split() for line in _SIGNATURES.split("\n") if line)
}

#: The classes of layers that call a function.
FUNCTION_CLASSES = frozenset(FUNCTION + name for name in FUNCTIONS)

#: Alternative stored names of a function, by release or by the way of calling it.
ALIASES: Mapping[str, str] = {
    "compat.v1.nn.sigmoid_cross_entropy_with_logits": "nn.sigmoid_cross_entropy_with_logits",
    "gather": "compat.v1.gather",
    "gather_nd": "compat.v1.gather_nd",
    "math.divide": "math.truediv",
    "math.mod": "math.floormod",
    "math.scalar_mul": "compat.v1.math.scalar_mul",
    "nn.sigmoid": "math.sigmoid",
    "nn.softplus": "math.softplus",
    "nn.swish": "nn.silu",
    "nn.tanh": "math.tanh",
    "norm": "compat.v1.norm",
    "pad": "compat.v1.pad",
    "shape": "compat.v1.shape",
    "size": "compat.v1.size",
    "squeeze": "compat.v1.squeeze",
    "transpose": "compat.v1.transpose",
}

#: Arguments that determine the size of the result, by function.
SIZES: Mapping[str, tuple[str, ...]] = {
    "broadcast_to": ("shape",),
    "compat.v1.image.resize_bilinear": ("size",),
    "compat.v1.image.resize_nearest_neighbor": ("size",),
    "compat.v1.pad": ("paddings",),
    "compat.v1.image.resize_area": ("size",),
    "compat.v1.image.resize_bicubic": ("size",),
    "image.resize_with_crop_or_pad": ("target_height", "target_width"),
    "image.resize_with_pad": ("target_height", "target_width"),
    "fill": ("dims",),
    "image.pad_to_bounding_box": ("target_height", "target_width"),
    "image.resize": ("size",),
    "one_hot": ("depth",),
    "ones": ("shape",),
    "range": ("start", "limit"),
    "repeat": ("repeats",),
    "sequence_mask": ("maxlen",),
    "tile": ("multiples",),
    "zeros": ("shape",),
}
