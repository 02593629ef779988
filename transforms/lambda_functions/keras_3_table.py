"""The functions of `keras.ops` and `keras.activations` that a stored function may call: name, family, parameters."""

from __future__ import annotations

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
