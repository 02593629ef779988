"""Writes a model with custom layers so that it runs where their code is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from transforms.custom.code import failure
from transforms.errors import MigrationError, Reason
from transforms.rebuild import RebuiltModel
from transforms.saved_model import write_saved_model

#: Operations that need the Python process they were traced in, or reach beyond the model.
_FATAL = frozenset(
    """
    PyFunc PyFuncStateless EagerPyFunc Print PrintV2 ReadFile WriteFile MatchingFiles InitializeTableFromTextFile
    InitializeTableFromTextFileV2 TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2
    WholeFileReader WholeFileReaderV2 TFRecordReader TFRecordReaderV2 RemoteCall RpcOp Rpc Send Recv
    """.split()
)


def write_custom_model(model: RebuiltModel, folder: Path) -> None:
    """Writes the SavedModel. Its signature is traced, so that no custom code is needed to run it.

    Raises:
        MigrationError: `custom_objects_needed` when the code cannot be traced or saved, `unsafe_op` when it uses an
            operation that needs this process or reaches files.
    """
    try:
        write_saved_model(model, folder)
    except (OSError, MemoryError, MigrationError):
        raise
    except Exception as error:
        raise failure("Saving the model with its custom code", error) from error
    found = sorted(_FATAL & set(_operations(folder)))
    if found:
        raise MigrationError(
            Reason.UNSAFE_OP,
            f"The custom code uses {', '.join(found)}, which a SavedModel cannot run elsewhere",
            advice="Write the layer with TensorFlow operations in the Python file.",
        )


def _operations(folder: Path) -> Iterator[str]:
    graphs = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs
    for graph in graphs:
        yield from (node.op for node in graph.graph_def.node)
        for function in graph.graph_def.library.function:
            yield from (node.op for node in function.node_def)
