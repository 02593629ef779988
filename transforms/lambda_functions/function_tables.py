"""The tables of `listed_functions`: a row for each function, with its result's shape family and its parameters."""

from __future__ import annotations

#: Functions of `keras.backend` in Keras 1 and 2; the names of parameters of Keras 1 second.
BACKEND = """
abs                       same         x
all                       reduced      x axis keepdims
any                       reduced      x axis keepdims
arange                    counted      start stop step dtype
argmax                    reduced-last x axis
argmin                    reduced-last x axis
asymmetric_temporal_padding -          x left_pad right_pad
asymmetric_spatial_2d_padding -        x top_pad bottom_pad left_pad right_pad data_format|dim_ordering
batch_dot                 -            x y axes
batch_flatten             rows         x
batch_normalization       same         x mean var beta gamma axis epsilon
bias_add                  same         x bias data_format
binary_crossentropy       same         target|y_true output|y_pred from_logits
cast                      same         x dtype
cast_to_floatx            same         x
categorical_crossentropy  -            target|y_true output|y_pred from_logits axis
clip                      same         x min_value max_value
concatenate               concatenated tensors axis
constant                  constant     value dtype shape
conv1d                    -            x kernel strides padding|border_mode data_format|dim_ordering dilation_rate
conv2d                    -            x kernel strides padding|border_mode data_format|dim_ordering dilation_rate
cos                       same         x
cumprod                   same         x axis
cumsum                    same         x axis
depthwise_conv2d          -            x depthwise_kernel strides padding data_format dilation_rate
dot                       dot          x y
elu                       same         x alpha
equal                     broadcast    x y
exp                       same         x
expand_dims               expanded     x axis|dim
eye                       -            size dtype
flatten                   flattened    x
gather                    gathered     reference indices
greater                   broadcast    x y
greater_equal             broadcast    x y
hard_sigmoid              same         x
identity                  same         x
l2_normalize              same         x axis
less                      broadcast    x y
less_equal                broadcast    x y
log                       same         x
logsumexp                 reduced      x axis keepdims
max                       reduced      x axis keepdims
maximum                   broadcast    x y
mean                      reduced      x axis keepdims
min                       reduced      x axis keepdims
minimum                   broadcast    x y
not_equal                 broadcast    x y
one_hot                   hot          indices num_classes|nb_classes
ones                      stated       shape dtype
ones_like                 same         x dtype
permute_dimensions        transpose    x pattern
pool2d                    -            x pool_size strides padding|border_mode data_format|dim_ordering pool_mode
pow                       same         x a
prod                      reduced      x axis keepdims
relu                      same         x alpha max_value threshold
repeat                    -            x n
repeat_elements           repeated     x rep axis
reshape                   reshape      x shape
resize_images             -            x|X height_factor width_factor data_format|dim_ordering interpolation
reverse                   same         x axes
round                     same         x
shape                     ranks        x
sigmoid                   same         x
sign                      same         x
sin                       same         x
size                      scalar       x
slice                     -            x start size
softmax                   same         x axis
softplus                  same         x
softsign                  same         x
sparse_categorical_crossentropy -      target|y_true output|y_pred from_logits axis
spatial_2d_padding        spatial      x padding data_format|dim_ordering
spatial_3d_padding        spatial      x padding data_format|dim_ordering
sqrt                      same         x
square                    same         x
squeeze                   squeezed     x axis
stack                     stacked      x axis
std                       reduced      x axis keepdims
stop_gradient             same         variables|x
sum                       reduced      x axis keepdims
switch                    -            condition then_expression else_expression
tanh                      same         x
temporal_padding          temporal     x padding
tile                      tiled        x n
transpose                 transpose    x
var                       reduced      x axis keepdims
zeros                     stated       shape dtype
zeros_like                same         x dtype
"""

#: Functions of `keras.ops`, of Keras 3.
OPS = """
abs                       same         x
absolute                  same         x
add                       broadcast    x1 x2
all                       reduced      x axis keepdims
amax                      reduced      x axis keepdims
amin                      reduced      x axis keepdims
any                       reduced      x axis keepdims
arange                    counted      start stop step dtype
arccos                    same         x
arcsin                    same         x
arctan                    same         x
arctan2                   broadcast    x1 x2
argmax                    -            x axis keepdims
argmin                    -            x axis keepdims
argsort                   same         x axis
array                     constant     x dtype
average                   -            x axis weights
average_pool              -            inputs pool_size strides padding data_format
batch_normalization       same         x mean variance axis offset scale epsilon
binary_crossentropy       broadcast    target output from_logits
broadcast_to              stated       x shape
cast                      same         x dtype
ceil                      same         x
celu                      same         x alpha
clip                      same         x x_min x_max
concatenate               concatenated-first xs axis
conv                      -            inputs kernel strides padding data_format dilation_rate
convert_to_tensor         constant     x dtype sparse
cos                       same         x
cosh                      same         x
count_nonzero             reduced      x axis
cumprod                   -            x axis dtype
cumsum                    -            x axis dtype
depthwise_conv            -            inputs kernel strides padding data_format dilation_rate
diagonal                  -            x offset axis1 axis2
divide                    broadcast    x1 x2
divide_no_nan             broadcast    x1 x2
dot                       dot          x1 x2
einsum                    -            subscripts *operands
elu                       same         x alpha
equal                     broadcast    x1 x2
erf                       same         x
exp                       same         x
expand_dims               expanded     x axis
expm1                     same         x
eye                       -            N M k dtype
flip                      same         x axis
floor                     same         x
floor_divide              broadcast    x1 x2
full                      stated       shape fill_value dtype
full_like                 same         x fill_value dtype
gelu                      same         x approximate
glu                       -            x axis
greater                   broadcast    x1 x2
greater_equal             broadcast    x1 x2
hard_sigmoid              same         x
hard_silu                 same         x
hard_tanh                 same         x
hstack                    -            xs
identity                  -            n dtype
image.resize              resized      images size interpolation antialias
image.rgb_to_grayscale    -            images data_format
isfinite                  same         x
isinf                     same         x
isnan                     same         x
leaky_relu                same         x negative_slope
less                      broadcast    x1 x2
less_equal                broadcast    x1 x2
linspace                  -            start stop num endpoint axis
log                       same         x
log10                     same         x
log1p                     same         x
log2                      same         x
log_sigmoid               same         x
log_softmax               same         x axis
logaddexp                 broadcast    x1 x2
logical_and               broadcast    x1 x2
logical_not               same         x
logical_or                broadcast    x1 x2
logsumexp                 reduced      x axis keepdims
matmul                    matmul       x1 x2
max                       reduced      x axis keepdims
max_pool                  -            inputs pool_size strides padding data_format
maximum                   broadcast    x1 x2
mean                      reduced      x axis keepdims
median                    reduced      x axis keepdims
meshgrid                  meshed       *args indexing
min                       reduced      x axis keepdims
minimum                   broadcast    x1 x2
mod                       broadcast    x1 x2
moments                   moments      x axes keepdims
moveaxis                  -            x source destination
multiply                  broadcast    x1 x2
nan_to_num                same         x nan posinf neginf
negative                  same         x
norm                      -            x ord axis keepdims
normalize                 same         x axis order epsilon
not_equal                 broadcast    x1 x2
one_hot                   hot          x num_classes axis dtype
outer                     -            x1 x2
ones                      stated       shape dtype
ones_like                 same         x dtype
pad                       padded       x pad_width mode constant_values
power                     broadcast    x1 x2
prod                      reduced      x axis keepdims
ravel                     flattened    x
reciprocal                same         x
relu                      same         x
relu6                     same         x
repeat                    -            x repeats axis
reshape                   reshape      x newshape
roll                      same         x shift axis
round                     same         x decimals
rsqrt                     same         x
selu                      same         x
shape                     ranks        x
sigmoid                   same         x
sign                      same         x
silu                      same         x
sin                       same         x
sinh                      same         x
slice                     -            inputs start_indices shape
softmax                   same         x axis
softplus                  same         x
softsign                  same         x
sort                      same         x axis
split                     split        x indices_or_sections axis
sqrt                      same         x
square                    same         x
squareplus                same         x b
squeeze                   squeezed     x axis
stack                     stacked      x axis
std                       reduced      x axis keepdims
stop_gradient             same         variable|x
subtract                  broadcast    x1 x2
sum                       reduced      x axis keepdims
swapaxes                  -            x axis1 axis2
swish                     same         x
take                      gathered     x indices axis
take_along_axis           -            x indices axis
tan                       same         x
tanh                      same         x
tensordot                 -            x1 x2 axes
tile                      tiled        x repeats
top_k                     top          x k sorted
transpose                 transpose    x axes
tril                      same         x k
triu                      same         x k
true_divide               broadcast    x1 x2
unstack                   unstacked    x num axis
var                       reduced      x axis keepdims
vstack                    -            xs
where                     broadcast    condition x1 x2
zeros                     stated       shape dtype
zeros_like                same         x dtype
"""

#: Functions of `keras.activations`.
ACTIVATIONS = """
elu                       same         x alpha
exponential               same         x
gelu                      same         x approximate
hard_sigmoid              same         x
leaky_relu                same         x negative_slope
linear                    same         x
log_softmax               same         x axis
mish                      same         x
relu                      same         x alpha|negative_slope max_value threshold
relu6                     same         x
selu                      same         x
sigmoid                   same         x
silu                      same         x
softmax                   same         x axis
softplus                  same         x
softsign                  same         x
swish                     same         x
tanh                      same         x
"""

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
