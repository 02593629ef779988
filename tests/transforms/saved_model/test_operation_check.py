"""Planted operations: what an artefact may hold, and where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.framework import op_def_registry

from tests.transforms.conftest import Migrations
from transforms.errors import MigrationError, Reason
from transforms.saved_model.operation_check import check_operations
from transforms.saved_model.operation_lists import HARMLESS_STATEFUL, INFERENCE, SAVER, SAVER_ONLY, is_fatal

FATAL = """
    ReadFile WriteFile MatchingFiles PyFunc EagerPyFunc PyFuncStateless Print PrintV2 InitializeTableFromTextFile
    InitializeTableFromTextFileV2 TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2
    WholeFileReader WholeFileReaderV2 TFRecordReader TFRecordReaderV2 IdentityReaderV2 LMDBReader ReaderReadV2
    TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDatasetV2 MatchingFilesDataset CSVDataset
    SqlDataset ExperimentalLMDBDataset LoadDataset SaveDatasetV2 SnapshotDatasetV2 GeneratorDataset
    InitializeTableFromDataset DatasetToTFRecord CreateSummaryFileWriter CreateSummaryDbWriter WriteSummary
    WriteScalarSummary WriteImageSummary ImportEvent Save SaveV2 SaveSlices Restore RestoreV2 RestoreSlice
    MergeV2Checkpoints ShardedFilename ShardedFilespec DistributedSave DTensorRestoreV2 LoadAndRemapMatrix
    GenerateVocabRemapping ImmutableConst Skipgram EncodeProto DecodeProtoV2 RemoteCall RpcCall RpcClient RpcServer
    RpcServerStart Send Recv _Send _Recv _HostSend _HostRecv CollectiveGatherV2 CollectiveReduceV2 NcclAllReduce
    DataServiceDatasetV4 QueueDequeueV2 FIFOQueueV2 Stage Unstage MapStage GetSessionHandleV2 IteratorGetNext
    InfeedEnqueue OutfeedDequeue TPUExecute XlaCallModule XlaCustomCallV2 XlaHostCompute DebugIdentity DebugIdentityV3
    DebugNumericSummary Copy CopyHost DumpTensor Abort SleepOp FileSystemSetConfiguration CalibrationStatisticsSaver
""".split()


def artefact(folder: Path, change: Callable[[Any], None] = lambda graph: None) -> Path:
    """A SavedModel as TensorFlow lays it out: signature, a loop's body, a saver; `change` edits its one graph."""
    stored = SavedModel()
    graph = stored.meta_graphs.add()
    graph.saver_def.save_tensor_name, graph.saver_def.restore_op_name = "call_1:0", "call_2"
    for name, function in (("call", "serve"), ("call_1", "traced_save"), ("call_2", "traced_restore")):
        calling = graph.graph_def.node.add(name=name, op="StatefulPartitionedCall")
        calling.attr["f"].func.name = function
    graph.signature_def["serving_default"].outputs["y"].name = "call:0"
    functions = {
        "serve": ("MatMul", "While"),
        "body": ("AddV2",),
        "traced_save": ("ShardedFilename", "SaveV2", "MergeV2Checkpoints"),
        "traced_restore": ("RestoreV2", "AssignVariableOp"),
    }
    for name, operations in functions.items():
        function = graph.graph_def.library.function.add()
        function.signature.name = name
        for operation in operations:
            function.node_def.add(name=f"{operation}_1", op=operation)
    named(graph, "serve").node_def[1].attr["body"].func.name = "body"
    graph.object_graph_def.concrete_functions["serve"].bound_inputs.append(1)
    change(graph)
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_bytes(stored.SerializeToString())
    (folder / "assets").mkdir(exist_ok=True)
    return folder


def named(graph: Any, function: str) -> Any:
    return next(each for each in graph.graph_def.library.function if each.signature.name == function)


def refusal(folder: Path, *, custom_code: bool = False) -> str:
    with pytest.raises(MigrationError) as caught:
        check_operations(folder, custom_code=custom_code)
    assert caught.value.reason is Reason.UNSAFE_OP
    return caught.value.message


def test_an_ordinary_artefact_passes(tmp_path: Path) -> None:
    check_operations(artefact(tmp_path))
    check_operations(artefact(tmp_path), custom_code=True)


def test_a_written_model_passes_and_is_really_looked_at(migrated: Migrations, tmp_path: Path) -> None:
    folder = migrated("keras-2.2.4/emb_cudnn_lstm").folder
    check_operations(folder)
    stored = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    functions = stored.meta_graphs[0].graph_def.library.function
    for function in functions:
        function.node_def.add(name="planted", op="ReadFile")
        (tmp_path / "saved_model.pb").write_bytes(stored.SerializeToString())
        assert "ReadFile" in refusal(tmp_path)
        del function.node_def[-1]


@pytest.mark.parametrize("operation", FATAL)
@pytest.mark.parametrize("custom_code", [False, True])
def test_fatal_operations_are_refused_wherever_they_stand(operation: str, custom_code: bool, tmp_path: Path) -> None:
    for function in ("", "serve", "body"):

        def plant(graph: Any, function: str = function) -> None:
            nodes = named(graph, function).node_def if function else graph.graph_def.node
            nodes.add(name="planted", op=operation)

        message = refusal(artefact(tmp_path, plant), custom_code=custom_code)
        assert operation in message
        assert "planted" in message
        assert function in message


@pytest.mark.parametrize("operation", sorted({*FATAL} - SAVER_ONLY))
def test_the_saver_holds_nothing_else_either(operation: str, tmp_path: Path) -> None:
    def plant(graph: Any) -> None:
        named(graph, "traced_save").node_def.add(name="planted", op=operation)

    assert operation in refusal(artefact(tmp_path, plant))


def test_no_list_lets_a_fatal_operation_in() -> None:
    assert [name for name in FATAL if not is_fatal(name)] == []
    assert [name for name in INFERENCE | HARMLESS_STATEFUL if is_fatal(name)] == []
    assert [name for name in INFERENCE | HARMLESS_STATEFUL | SAVER if op_def_registry.get(name) is None] == []


def call(graph: Any, function: str) -> None:
    graph.graph_def.node.add(name="other", op="PartitionedCall").attr["f"].func.name = function


def call_from_the_body(graph: Any) -> None:
    named(graph, "body").node_def.add(name="other", op="StatefulPartitionedCall").attr["f"].func.name = "traced_restore"


def call_as_a_branch(graph: Any) -> None:
    branches = graph.graph_def.node.add(name="other", op="Case").attr["branches"].list.func
    branches.add(name="body")
    branches.add(name="traced_save")


def serve_through_the_saver(graph: Any) -> None:
    graph.saver_def.save_tensor_name = "call:0"


def name_assets(graph: Any) -> None:
    graph.asset_file_def.add(filename="passwd")


PLANTED: dict[str, tuple[Callable[[Any], None], str]] = {
    "the saver's function called from the graph": (lambda graph: call(graph, "traced_save"), "other"),
    "the saver's function called from another function": (call_from_the_body, "body"),
    "the saver's function as a branch": (call_as_a_branch, "traced_save"),
    "a function's name as operation": (
        lambda graph: graph.graph_def.node.extend([NodeDef(name="other", op="traced_save")]),
        "other",
    ),
    "the signature named as saver": (serve_through_the_saver, "call"),
    "an output that comes from the saver": (
        lambda graph: graph.graph_def.node.extend([NodeDef(name="other", op="Identity", input=["call_1"])]),
        "feeds",
    ),
    "a dependency on the saver": (
        lambda graph: graph.graph_def.node.extend([NodeDef(name="other", op="Identity", input=["^call_2"])]),
        "feeds",
    ),
    "the saver offered to callers": (
        lambda graph: graph.object_graph_def.concrete_functions["traced_restore"].bound_inputs.append(1),
        "offered",
    ),
    "assets": (name_assets, "assets"),
    "an asset object": (lambda graph: graph.object_graph_def.nodes.add().asset.SetInParent(), "assets"),
    "an operation nobody knows": (
        lambda graph: graph.graph_def.node.extend([NodeDef(name="other", op="NoSuchOperation")]),
        "NoSuchOperation",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_else_an_artefact_must_not_hold(what: str, tmp_path: Path) -> None:
    plant, says = PLANTED[what]
    assert says in refusal(artefact(tmp_path, plant), custom_code=True)


@pytest.mark.parametrize("name", ["saved_model.cpb", "saved_model.pbtxt", "assets/vocabulary.txt"])
def test_files_that_are_not_ours_are_refused(name: str, tmp_path: Path) -> None:
    (artefact(tmp_path) / name).write_bytes(b"")
    assert name in refusal(tmp_path)


def test_assets_must_not_be_a_link(tmp_path: Path) -> None:
    (artefact(tmp_path) / "assets").rmdir()
    (tmp_path / "assets").symlink_to("/")
    assert "link" in refusal(tmp_path)


@pytest.mark.parametrize("operation", ["LookupTableFindV2", "InitializeTableV2", "CudnnRNNV3", "StatelessWhile"])
def test_what_canonical_layers_need_passes(operation: str, tmp_path: Path) -> None:
    check_operations(artefact(tmp_path, lambda graph: graph.graph_def.node.add(name="other", op=operation)))


@pytest.mark.parametrize("operation", ["StringUpper", "FFT", "RandomUniform", "AssignAddVariableOp"])
def test_custom_code_may_use_further_harmless_operations(operation: str, tmp_path: Path) -> None:
    folder = artefact(tmp_path, lambda graph: graph.graph_def.node.add(name="other", op=operation))
    check_operations(folder, custom_code=True)
    assert operation in refusal(folder)
