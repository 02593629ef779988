"""Planted operations: what an artefact may hold, and where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.python.framework import op_def_registry

from tests.transforms.conftest import Migrations
from tests.transforms.saved_model.written_graphs import WrittenGraph, function
from transforms.errors import MigrationError, Reason
from transforms.saved_model.operation_check import check_operations
from transforms.saved_model.operation_lists import HARMLESS_STATEFUL, INFERENCE, SAVER_ONLY, is_fatal

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

#: A function that is served, and the body of a loop within it.
SERVED, LOOP = "serving_default", "while_body"


@pytest.fixture(scope="module")
def written(migrated: Migrations) -> WrittenGraph:
    return WrittenGraph(migrated("keras-2.2.4/emb_cudnn_lstm").folder)


def refusal(folder: Path, *, custom_code: bool = False) -> str:
    with pytest.raises(MigrationError) as caught:
        check_operations(folder, custom_code=custom_code)
    assert caught.value.reason is Reason.UNSAFE_OP
    return caught.value.message


def planted(operation: str, where: str) -> Callable[[Any], None]:
    """Adds a node to the graph itself, or to the function that `where` names."""

    def plant(graph: Any) -> None:
        held = function(graph, where).node_def if where else graph.graph_def.node
        held.add(name="planted", op=operation)

    return plant


def test_a_written_model_passes_and_each_of_its_functions_is_looked_at(written: WrittenGraph, tmp_path: Path) -> None:
    check_operations(written.folder)
    check_operations(written.folder, custom_code=True)
    names = [each.signature.name for each in written.parsed.graph_def.library.function]
    assert len(names) > 5
    for name in names:
        assert "ReadFile" in refusal(written.edited(planted("ReadFile", name), tmp_path))


@pytest.mark.parametrize("operation", FATAL)
@pytest.mark.parametrize("custom_code", [False, True])
def test_fatal_operations_are_refused_wherever_they_stand(
    operation: str, custom_code: bool, written: WrittenGraph, tmp_path: Path
) -> None:
    for where in ("", SERVED, LOOP):
        message = refusal(written.edited(planted(operation, where), tmp_path), custom_code=custom_code)
        assert operation in message
        assert "planted" in message
        assert where in message


@pytest.mark.parametrize("operation", sorted(FATAL))
def test_the_saver_holds_nothing_else_either(operation: str, written: WrittenGraph, tmp_path: Path) -> None:
    for saver in ("traced_save", "traced_restore"):
        assert operation in refusal(written.edited(planted(operation, saver), tmp_path), custom_code=True)


def test_no_list_lets_a_fatal_operation_in() -> None:
    assert [name for name in FATAL if not is_fatal(name)] == []
    assert [name for name in INFERENCE | HARMLESS_STATEFUL if is_fatal(name)] == []
    assert [name for name in INFERENCE | HARMLESS_STATEFUL | SAVER_ONLY if op_def_registry.get(name) is None] == []


@pytest.mark.parametrize(
    ("what", "plant"),
    {
        "assets": lambda graph: graph.asset_file_def.add(filename="passwd"),
        "asset": lambda graph: graph.object_graph_def.nodes.add().asset.SetInParent(),
        "NoSuchOperation": lambda graph: graph.graph_def.node.extend([NodeDef(name="x", op="NoSuchOperation")]),
    }.items(),
)
def test_what_else_an_artefact_must_not_hold(
    what: str, plant: Callable[[Any], None], written: WrittenGraph, tmp_path: Path
) -> None:
    assert what in refusal(written.edited(plant, tmp_path), custom_code=True)


@pytest.mark.parametrize("name", ["saved_model.cpb", "saved_model.pbtxt", "assets/vocabulary.txt"])
def test_files_that_are_not_ours_are_refused(name: str, written: WrittenGraph, tmp_path: Path) -> None:
    (written.edited(lambda graph: None, tmp_path) / name).write_bytes(b"")
    assert name in refusal(tmp_path)


def test_assets_must_not_be_a_link(written: WrittenGraph, tmp_path: Path) -> None:
    (written.edited(lambda graph: None, tmp_path) / "assets").rmdir()
    (tmp_path / "assets").symlink_to("/")
    assert "link" in refusal(tmp_path)


@pytest.mark.parametrize("tail", [b"\xf8\x3f\x01", b"\x08\x01"], ids=["a field nobody knows", "a field twice"])
def test_bytes_that_say_more_than_is_read_are_refused(tail: bytes, written: WrittenGraph, tmp_path: Path) -> None:
    stored = (written.folder / "saved_model.pb").read_bytes()
    assert "more than" in refusal(written.stored(stored + tail, tmp_path))
    assert "cannot be read" in refusal(written.stored(stored[:-1], tmp_path))


@pytest.mark.parametrize("operation", ["LookupTableFindV2", "InitializeTableV2", "CudnnRNNV3", "StatelessWhile"])
def test_what_canonical_layers_need_passes(operation: str, written: WrittenGraph, tmp_path: Path) -> None:
    check_operations(written.edited(planted(operation, ""), tmp_path))


@pytest.mark.parametrize("operation", ["StringUpper", "IFFT", "RandomUniform", "AssignAddVariableOp"])
def test_custom_code_may_use_further_harmless_operations(operation: str, written: WrittenGraph, tmp_path: Path) -> None:
    folder = written.edited(planted(operation, SERVED), tmp_path)
    check_operations(folder, custom_code=True)
    assert operation in refusal(folder)
