"""Names of the listed functions in TensorFlow 1 and 2, and the order of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from transforms.lambda_functions.listed_functions import LISTED, Called
from transforms.lambda_functions.trace import Era

#: Keywords of TensorFlow 1 that mean a parameter of TensorFlow 2.
_KEYWORDS = {
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "dimension": "axis",
    "dim": "axis",
    "squeeze_dims": "axis",
    "concat_dim": "axis",
    "value_index": "value",
}

#: Names of functions in TensorFlow that do not follow from the list: the function, then its names.
_OTHER_NAMES = """
compat.v1.floor_div floor_div
compat.v1.gather gather nn.embedding_lookup
compat.v1.gather_nd gather_nd
compat.v1.math.scalar_mul scalar_mul math.scalar_mul
compat.v1.nn.crelu nn.crelu
compat.v1.norm norm linalg.norm
compat.v1.pad pad
compat.v1.shape shape
compat.v1.size size
compat.v1.squeeze squeeze
compat.v1.transpose transpose
compat.v1.div div
compat.v1.image.resize_bilinear image.resize_bilinear
compat.v1.image.resize_nearest_neighbor image.resize_nearest_neighbor
compat.v1.image.resize_bicubic image.resize_bicubic
math.truediv truediv divide math.divide realdiv
math.divide_no_nan math.divide_no_nan div_no_nan
math.floormod mod math.mod
math.multiply mul
math.subtract sub
math.negative neg
math.sigmoid nn.sigmoid
math.tanh nn.tanh
math.softplus nn.softplus
math.l2_normalize nn.l2_normalize linalg.l2_normalize
math.log_sigmoid nn.log_sigmoid
math.top_k nn.top_k
math.zero_fraction nn.zero_fraction
nn.softmax math.softmax
nn.log_softmax math.log_softmax
nn.softsign math.softsign
nn.silu nn.swish
nn.l2_loss math.l2_loss
nn.local_response_normalization nn.lrn
signal.dct spectral.dct
signal.fft fft spectral.fft
signal.rfft spectral.rfft
nn.depth_to_space depth_to_space
nn.space_to_depth space_to_depth
nn.avg_pool2d nn.avg_pool
nn.max_pool2d nn.max_pool
nn.softmax_cross_entropy_with_logits nn.softmax_cross_entropy_with_logits_v2
nn.depthwise_conv2d nn.depthwise_conv2d_native
image.extract_patches extract_image_patches image.extract_image_patches
image.transpose image.transpose_image
image.resize_with_crop_or_pad image.resize_image_with_crop_or_pad
linalg.matmul matmul batch_matmul
linalg.matrix_transpose matrix_transpose
linalg.band_part matrix_band_part
linalg.diag matrix_diag
linalg.diag_part matrix_diag_part
linalg.det matrix_determinant
linalg.inv matrix_inverse
linalg.trace trace
linalg.cross cross
linalg.einsum einsum
tensordot linalg.tensordot
eye linalg.eye
einsum linalg.einsum
reverse reverse_v2
stack pack
unstack unpack
concat concat_v2
linspace lin_space
where where_v2
"""

#: Parameters by position if TensorFlow 1 had others, or the list has none of them.
_POSITIONS = """
1 einsum equation *inputs
2 einsum equation *inputs
1 math.argmax input axis name dimension output_type
1 math.argmin input axis name dimension output_type
1 compat.v1.gather params indices validate_indices name axis
1 compat.v1.pad tensor paddings mode name constant_values
2 compat.v1.pad tensor paddings mode constant_values name
1 compat.v1.shape input name out_type
2 compat.v1.shape input out_type name
1 compat.v1.size input name out_type
1 nn.leaky_relu features alpha name
1 nn.softmax logits axis name
1 nn.log_softmax logits axis name
1 math.count_nonzero input axis keepdims dtype name
1 nn.conv1d input filters stride padding use_cudnn_on_gpu data_format name
1 nn.moments x axes shift name keepdims
2 nn.moments x axes shift keepdims name
1 nn.sigmoid_cross_entropy_with_logits _sentinel labels logits name
1 nn.softmax_cross_entropy_with_logits _sentinel labels logits axis name
1 math.l2_normalize x axis epsilon name
2 math.l2_normalize x axis epsilon name
"""


def _names() -> Iterator[tuple[str, str]]:
    """Names in TensorFlow, each with the function of the list."""
    for name in LISTED:
        if not name.startswith(("keras.", "operator.", "__")):
            yield name, name
            if name.startswith("math."):
                yield name.removeprefix("math."), name
    for line in filter(None, _OTHER_NAMES.split("\n")):
        function, *names = line.split()
        if function in LISTED:
            yield from ((name, function) for name in names)


_NAMES: Mapping[str, str] = dict(_names())
_ORDERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    (era, name): tuple(parameters)
    for era, name, *parameters in (line.split() for line in _POSITIONS.split("\n") if line)
}


#: Keywords of single functions.
_OWN_KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "math.count_nonzero": {"input_tensor": "input"},
    "nn.moments": {"keep_dims": "keepdims"},
    "nn.avg_pool2d": {"value": "input"},
    "nn.max_pool2d": {"value": "input"},
    "nn.conv1d": {"value": "input"},
    "compat.v1.gather": {"ids": "indices"},
    "image.extract_patches": {"ksizes": "sizes"},
    "math.sign": {"input": "x"},
    "math.sigmoid": {"features": "x"},
    "nn.softmax": {"x": "logits"},
    "nn.relu": {"x": "features"},
}

#: Names that TensorFlow 2 dropped from its root.
_ONLY_IN_1 = frozenset(
    """
    ceil cross depth_to_space digamma div erf erfc expm1 extract_image_patches floor_div is_finite is_inf is_nan lgamma
    lin_space log log1p matrix_band_part matrix_determinant matrix_diag matrix_diag_part matrix_inverse
    matrix_transpose mod reciprocal rint rsqrt space_to_depth to_double to_float to_int32 to_int64 trace
    """.split()
)


def tensorflow_call(era: Era, name: str) -> Called | None:
    """The listed function with this name in `tf`; None if there is none."""
    version = 2 if era.tensorflow is None else era.tensorflow
    for number in (1, 2):
        if name.startswith(f"compat.v{number}."):
            version, name = number, name.removeprefix(f"compat.v{number}.")
    function = _NAMES.get(name)
    if function is None:
        return None
    if function == "where" and version == 1:
        function = "compat.v1.where"
    listed = LISTED[function]
    named = {**_KEYWORDS, **listed.aliases, **_OWN_KEYWORDS.get(function, {})}
    kept = {
        other: first for other, first in named.items() if first in listed.parameters and other not in listed.parameters
    }
    return Called(listed, _ORDERS.get((str(version), function), (*listed.parameters, "name")), kept)


def exists_in_tensorflow(era: Era, name: str) -> bool | None:
    """Whether TensorFlow has such a name; None if unknown."""
    if name in _ONLY_IN_1:
        return None if era.tensorflow is None else era.tensorflow == 1
    if any(known.startswith(f"{name}.") for known in _NAMES):
        return True
    return True if tensorflow_call(era, name) is not None else None
