"""Lists of TensorFlow operations: those that inference on canonical layers needs, and those that are never allowed.

The lists name operation types. `FATAL` and `is_fatal` take precedence over every other list, so that even a list with
too many entries allows nothing that reaches files, the network, a debugger, another process or the Python interpreter.
"""

from __future__ import annotations

import re

#: Operations of canonical layers, and of the backward functions that tf-keras traces with its recurrent layers.
INFERENCE = frozenset(
    """
    Const Identity IdentityN NoOp Placeholder PlaceholderWithDefault StopGradient PreventGradient EnsureShape
    Shape ShapeN Size Rank Reshape Squeeze ExpandDims Transpose Tile Fill ZerosLike OnesLike Range LinSpace Cast
    Pack Unpack ConcatV2 ConcatOffset Split SplitV Slice StridedSlice StridedSliceGrad ReverseV2 ReverseSequence Roll
    Pad PadV2 MirrorPad MirrorPadGrad GatherV2 GatherNd ScatterNd TensorScatterUpdate OneHot Where Select SelectV2
    BroadcastTo BroadcastArgs BroadcastGradientArgs InvertPermutation DynamicPartition DynamicStitch TopKV2

    Add AddV2 AddN Sub Mul MulNoNan Div DivNoNan RealDiv FloorDiv FloorMod TruncateDiv TruncateMod Neg Abs Sign Square
    SquaredDifference Sqrt SqrtGrad Rsqrt RsqrtGrad Reciprocal ReciprocalGrad Inv InvGrad Pow Exp Expm1 Log Log1p Sin
    Cos Tan Sinh Cosh Asin Acos Atan Atan2 Asinh Acosh Atanh Erf Erfc Floor Ceil Round Rint Maximum Minimum
    ClipByValue Xdivy Xlogy
    Sum Mean Max Min Prod All Any ArgMax ArgMin EuclideanNorm Cumsum Cumprod L2Loss
    Bucketize DenseBincount AsString StringToHashBucketFast StringToHashBucketStrong SparseCross SparseToDense
    MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum MatrixBandPart MatrixDiagPartV3
    Cross MatrixDeterminant MatrixDiagV3 MatrixInverse MatrixSetDiagV3 CumulativeLogsumexp Erfinv Lgamma
    AdjustContrastv2 ExtractImagePatches RGBToHSV HSVToRGB ScaleAndTranslate Digamma
    FFT RFFT Complex ComplexAbs Real Imag Angle
    Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalNot IsNan IsInf IsFinite

    BiasAdd BiasAddGrad Conv2D Conv2DBackpropInput Conv2DBackpropFilter Conv3D Conv3DBackpropInputV2
    Conv3DBackpropFilterV2 DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput
    DepthwiseConv2dNativeBackpropFilter MaxPool MaxPoolV2 MaxPool3D AvgPool AvgPool3D FusedBatchNorm FusedBatchNormV2
    FusedBatchNormV3 LRN SpaceToBatchND BatchToSpaceND SpaceToDepth DepthToSpace
    ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea
    SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits
    Relu ReluGrad Relu6 Relu6Grad LeakyRelu LeakyReluGrad Elu EluGrad Selu SeluGrad Softplus SoftplusGrad Softsign
    SoftsignGrad Sigmoid SigmoidGrad Tanh TanhGrad Softmax LogSoftmax
    CudnnRNN CudnnRNNV2 CudnnRNNV3 CudnnRNNBackprop CudnnRNNBackpropV2 CudnnRNNBackpropV3

    PartitionedCall StatefulPartitionedCall While StatelessWhile If StatelessIf Case StatelessCase Assert
    EmptyTensorList TensorListReserve TensorListFromTensor TensorListGetItem TensorListSetItem TensorListStack
    TensorListPushBack TensorListPopBack TensorListLength TensorListElementShape TensorListGather TensorListSplit
    TensorListConcatV2 TensorListResize TensorListScatterV2
    OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone

    VarHandleOp ReadVariableOp VarIsInitializedOp VariableShape AssignVariableOp ResourceGather ResourceGatherNd
    HashTableV2 MutableHashTableV2 InitializeTableV2 LookupTableFindV2 LookupTableSizeV2 LookupTableImportV2
    LookupTableExportV2
    """.split()
)

#: Operations allowed only in the functions that read and write the variables.
SAVER_ONLY = frozenset("SaveV2 RestoreV2 MergeV2Checkpoints ShardedFilename".split())

#: Stateful operations that custom code may use besides stateless ones: variables, tables, lists, random numbers.
HARMLESS_STATEFUL = frozenset(
    """
    Assert AssignAddVariableOp AssignSubVariableOp ResourceScatterAdd ResourceScatterDiv
    ResourceScatterMax ResourceScatterMin ResourceScatterMul ResourceScatterNdAdd ResourceScatterNdUpdate
    ResourceScatterSub ResourceScatterUpdate ResourceStridedSliceAssign MutableDenseHashTableV2
    MutableHashTableOfTensorsV2 LookupTableInsertV2 LookupTableRemoveV2 CheckNumerics CheckNumericsV2 Empty
    TensorArrayV3 TensorArrayReadV3 TensorArrayWriteV3 TensorArrayGatherV3 TensorArrayScatterV3 TensorArrayConcatV3
    TensorArraySplitV3 TensorArraySizeV3 TensorArrayCloseV3
    RandomUniform RandomUniformInt RandomStandardNormal TruncatedNormal RandomShuffle RandomGamma RandomPoissonV2
    Multinomial StatelessRandomGetAlg
    """.split()
)

#: Operations that reach files, the network, other processes, a debugger or Python under names that do not show it.
FATAL = frozenset(
    """
    Abort BatchFunction Copy CopyHost CopyOp CopyToMesh CopyToMeshGrad CustomAggregator DecodeProtoV2 DumpTensor
    EncodeProto Fact FakeQueue GenerateVocabRemapping ImmutableConst LoadAndRemapMatrix MatchingFiles
    MlirPassthroughOp NegTrain Print PrintV2 ReadFile RemoteCall Skipgram SleepIdentityOp SleepOp SymbolicGradient
    WorkerHeartbeat WriteFile
    """.split()
)

#: The same for whole families, by parts of their names: `PyFunc`, `TFRecordReaderV2`, `CSVDataset`, `_HostRecv`.
_FATAL_FAMILIES = re.compile(
    r"^_|PyFunc|File|Reader|Record|Dataset|Iterator|Summary|Rpc|Remote|Send|Recv|Restore|Save|Checkpoint|Debug|Session"
    r"|Collective|Nccl|Infeed|Outfeed|TPU|Tpu|DTensor|Xla|Queue|Barrier|[Ss]tage|LMDB|Sql|ImportEvent|FileSystem|Cache"
    r"|Prelinearize|Snapshot|Memory|Mutex"
)


def is_fatal(operation: str) -> bool:
    """True for an operation that no list may allow in a graph outside the saver's functions."""
    return operation in FATAL or operation in SAVER_ONLY or _FATAL_FAMILIES.search(operation) is not None
