"""The functions of `keras.backend` that a stored function may call: name, family of its result's shape, parameters."""

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
