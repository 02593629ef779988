"""Reads stored TensorFlow operations (`TensorFlowOpLayer` of TensorFlow 2.0 to 2.3) as functions.

Such a layer holds a NodeDef in JSON and, by input number, the constants among its inputs. An operation outside the list
is never built. Names of inputs and attributes: the OpDefs of TensorFlow 2.3.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.architecture.config_values import as_mapping, as_text
from transforms.architecture.graph import LayerPath, TensorRef
from transforms.errors import MigrationError, Reason


@dataclass(frozen=True)
class _Operation:
    """A function, and the parameters of the operation's inputs (`x*` takes all remaining ones) and attributes."""

    function: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, str]


_TABLE = """
Abs math.abs x
Acos math.acos x
Acosh math.acosh x
Add math.add x y
AddN math.add_n inputs*
AddV2 math.add x y
AdjustContrastv2 image.adjust_contrast images contrast_factor
All math.reduce_all input_tensor axis keep_dims=keepdims
Any math.reduce_any input_tensor axis keep_dims=keepdims
ArgMax math.argmax input axis output_type=output_type
ArgMin math.argmin input axis output_type=output_type
Asin math.asin x
Asinh math.asinh x
Atan math.atan x
Atan2 math.atan2 y x
Atanh math.atanh x
AvgPool nn.avg_pool input ksize=ksize strides=strides padding=padding data_format=data_format
BatchMatMulV2 linalg.matmul a b adj_x=adjoint_a adj_y=adjoint_b
BiasAdd nn.bias_add value bias
BroadcastTo broadcast_to input shape
Cast cast x DstT=dtype
Ceil math.ceil x
ConcatV2 concat values* axis
Conv2D compat.v1.nn.conv2d input filter strides=strides padding=padding data_format=data_format dilations=dilations
Cos math.cos x
Cosh math.cosh x
Cross linalg.cross a b
Cumprod math.cumprod x axis exclusive=exclusive reverse=reverse
Cumsum math.cumsum x axis exclusive=exclusive reverse=reverse
CumulativeLogsumexp math.cumulative_logsumexp x axis exclusive=exclusive reverse=reverse
DepthToSpace nn.depth_to_space input block_size=block_size data_format=data_format
DepthwiseConv2dNative compat.v1.nn.depthwise_conv2d input filter strides=strides padding=padding data_format=data_format
Digamma math.digamma x
DivNoNan math.divide_no_nan x y
Einsum einsum inputs* equation=equation
Elu nn.elu features
EnsureShape ensure_shape x shape=shape
Equal math.equal x y
Erf math.erf x
Erfc math.erfc x
Erfinv math.erfinv x
EuclideanNorm math.reduce_euclidean_norm input_tensor axis keep_dims=keepdims
Exp math.exp x
ExpandDims expand_dims input axis
Expm1 math.expm1 x
ExtractImagePatches image.extract_patches images ksizes=sizes strides=strides rates=rates padding=padding
Fill fill dims value
Floor math.floor x
FloorDiv math.floordiv x y
FloorMod math.floormod x y
GatherNd compat.v1.gather_nd params indices
GatherV2 compat.v1.gather params indices axis batch_dims=batch_dims
Greater math.greater x y
GreaterEqual math.greater_equal x y
HSVToRGB image.hsv_to_rgb images
Identity identity input
IsFinite math.is_finite x
IsInf math.is_inf x
IsNan math.is_nan x
L2Loss nn.l2_loss t
LRN nn.local_response_normalization input depth_radius=depth_radius bias=bias alpha=alpha beta=beta
LeakyRelu nn.leaky_relu features alpha=alpha
Less math.less x y
LessEqual math.less_equal x y
Lgamma math.lgamma x
Log math.log x
Log1p math.log1p x
LogSoftmax nn.log_softmax logits
LogicalAnd math.logical_and x y
LogicalNot math.logical_not x
LogicalOr math.logical_or x y
MatMul linalg.matmul a b transpose_a=transpose_a transpose_b=transpose_b
MatrixBandPart linalg.band_part input num_lower num_upper
MatrixDeterminant linalg.det input
MatrixDiagPartV3 linalg.diag_part input k padding_value align=align
MatrixDiagV3 linalg.diag diagonal k num_rows num_cols padding_value align=align
MatrixInverse linalg.inv input adjoint=adjoint
MatrixSetDiagV3 linalg.set_diag input diagonal k align=align
Max math.reduce_max input_tensor axis keep_dims=keepdims
MaxPool nn.max_pool input ksize=ksize strides=strides padding=padding data_format=data_format
Maximum math.maximum x y
Mean math.reduce_mean input_tensor axis keep_dims=keepdims
Min math.reduce_min input_tensor axis keep_dims=keepdims
Minimum math.minimum x y
MirrorPad compat.v1.pad tensor paddings mode=mode
Mul math.multiply x y
MulNoNan math.multiply_no_nan x y
Neg math.negative x
NotEqual math.not_equal x y
OneHot one_hot indices depth on_value off_value axis=axis
Pack stack values* axis=axis
Pad compat.v1.pad tensor paddings
PadV2 compat.v1.pad tensor paddings constant_values
Pow math.pow x y
Prod math.reduce_prod input_tensor axis keep_dims=keepdims
RGBToHSV image.rgb_to_hsv images
Range range start limit delta
RealDiv math.truediv x y
Reciprocal math.reciprocal x
Relu nn.relu features
Relu6 nn.relu6 features
Reshape reshape tensor shape
ResizeArea compat.v1.image.resize_area images size align_corners=align_corners
ResizeBicubic compat.v1.image.resize_bicubic images size align_corners=align_corners half_pixel_centers=half_pixel_centers
ResizeBilinear compat.v1.image.resize_bilinear images size align_corners=align_corners half_pixel_centers=half_pixel_centers
ResizeNearestNeighbor compat.v1.image.resize_nearest_neighbor images size align_corners=align_corners half_pixel_centers=half_pixel_centers
ReverseV2 reverse tensor axis
Rint math.rint x
Roll roll input shift axis
Round math.round x
Rsqrt math.rsqrt x
Select compat.v1.where condition x y
SelectV2 where condition x y
Selu nn.selu features
Shape compat.v1.shape input out_type=out_type
Sigmoid math.sigmoid x
Sign math.sign x
Sin math.sin x
Sinh math.sinh x
Size compat.v1.size input out_type=out_type
Slice slice input_ begin size
Softmax nn.softmax logits
Softplus math.softplus features
Softsign nn.softsign features
SpaceToDepth nn.space_to_depth input block_size=block_size data_format=data_format
Split split axis value num_split=num_or_size_splits
SplitV split value num_or_size_splits axis
Sqrt math.sqrt x
Square math.square x
SquaredDifference math.squared_difference x y
Squeeze compat.v1.squeeze input squeeze_dims=axis
StopGradient stop_gradient input
StridedSlice strided_slice input_ begin end strides begin_mask=begin_mask end_mask=end_mask ellipsis_mask=ellipsis_mask new_axis_mask=new_axis_mask shrink_axis_mask=shrink_axis_mask
Sub math.subtract x y
Sum math.reduce_sum input_tensor axis keep_dims=keepdims
Tan math.tan x
Tanh math.tanh x
TensorScatterUpdate tensor_scatter_nd_update tensor indices updates
Tile tile input multiples
TopKV2 math.top_k input k sorted=sorted
Transpose compat.v1.transpose a perm
Unpack unstack value num=num axis=axis
Xlogy math.xlogy x y
ZerosLike zeros_like input
"""  # noqa: E501


def _operations() -> Iterator[tuple[str, _Operation]]:
    for line in filter(None, _TABLE.split("\n")):
        name, function, *parameters = line.split()
        named = dict(part.split("=") for part in parameters if "=" in part)
        yield name, _Operation(function, tuple(part for part in parameters if "=" not in part), named)


#: Supported operations, by type.
OPERATIONS_BY_TYPE: Mapping[str, _Operation] = dict(_operations())

_DTYPES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_HALF": "float16",
    "DT_BFLOAT16": "bfloat16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_UINT8": "uint8",
    "DT_BOOL": "bool",
}


def stored_operation(
    config: Mapping[str, Any], tensors: Sequence[TensorRef], path: LayerPath
) -> tuple[str, dict[str, Any]]:
    """The function of a `TensorFlowOpLayer` and its arguments, tensors among them as references.

    Raises MigrationError `unsafe_op` for an operation outside the list, `invalid_config`.
    """
    node = as_mapping(config.get("node_def"), path, "node_def")
    kind = as_text(node.get("op"), path, "op")
    known = OPERATIONS_BY_TYPE.get(kind)
    if known is None:
        raise MigrationError(
            Reason.UNSAFE_OP,
            f"The layer holds the TensorFlow operation {kind}, which is not on the list of pure functions",
            layer=path,
            advice="Rebuild the model with standard layers.",
        )
    values = _inputs(config, tensors, path)
    arguments = _placed(known.inputs, values, path)
    attributes = as_mapping(node.get("attr", {}), path, "attr")
    for name, parameter in known.attributes.items():
        if name in attributes:
            arguments[parameter] = _attribute(as_mapping(attributes[name], path, "attribute"), path)
    return known.function, arguments


def _inputs(config: Mapping[str, Any], tensors: Sequence[TensorRef], path: LayerPath) -> list[Any]:
    """The inputs: constants at their positions, tensors at the others."""
    stored = as_mapping(config.get("constants") or {}, path, "constants")
    if any(not str(key).isdigit() for key in stored):
        raise MigrationError(Reason.INVALID_CONFIG, "The constants are not numbered", layer=path)
    constants = {int(key): value for key, value in stored.items()}
    count = len(tensors) + len(constants)
    if any(index >= count for index in constants):
        raise MigrationError(Reason.INVALID_CONFIG, "A constant stands beyond the operation's inputs", layer=path)
    rest = iter(tensors)
    return [constants[index] if index in constants else next(rest) for index in range(count)]


def _placed(parameters: Sequence[str], values: Sequence[Any], path: LayerPath) -> dict[str, Any]:
    """The inputs by parameter; one with a star takes all remaining ones."""
    spread = next((index for index, name in enumerate(parameters) if "*" in name), None)
    if spread is None:
        if len(parameters) != len(values):
            raise MigrationError(
                Reason.INVALID_CONFIG,
                f"The operation has {len(values)} inputs for {len(parameters)} parameters",
                layer=path,
            )
        return dict(zip(parameters, values, strict=True))
    after = len(parameters) - spread - 1
    if len(values) < spread + after + 1:
        raise MigrationError(Reason.INVALID_CONFIG, f"The operation has only {len(values)} inputs", layer=path)
    stop = len(values) - after
    return {
        **dict(zip(parameters[:spread], values[:spread], strict=True)),
        parameters[spread].strip("*"): list(values[spread:stop]),
        **dict(zip(parameters[spread + 1 :], values[stop:], strict=True)),
    }


def _attribute(stored: Mapping[str, Any], path: LayerPath) -> Any:
    """Reads an AttrValue from JSON, where integers are text and bytes are base64."""
    for kind, value in stored.items():
        if kind == "type" and value in _DTYPES:
            return _DTYPES[value]
        if kind == "s":
            return _text(value, path)
        if kind == "list":
            numbers = as_mapping(value, path, "list").get("i", [])
            return [int(each) for each in numbers] or None
        if kind == "shape":
            sizes = [int(each["size"]) for each in as_mapping(value, path, "shape").get("dim", [])]
            return [None if size == -1 else size for size in sizes]
        if kind == "i":
            return int(value)
        if kind in ("b", "f"):
            return value
    raise MigrationError(
        Reason.UNSUPPORTED_LAYER, f"The operation has an attribute of an unknown kind: {str(stored)[:60]}", layer=path
    )


def _text(value: Any, path: LayerPath) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise MigrationError(Reason.INVALID_CONFIG, "An attribute of the operation is not text", layer=path) from error
