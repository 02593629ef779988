"""Names that depend on the model alone."""

import pytest
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from transforms.saved_model.stable_names import with_stable_names


def a_loop(function: int, earlier: int, capture: int) -> SavedModel:
    """A loop whose condition has the number `function`, and in its arguments that of an earlier tracing."""
    model = SavedModel()
    meta_graph = model.meta_graphs.add()
    loop = meta_graph.graph_def.node.add(name="while", op="While")
    loop.attr["cond"].func.name = f"lstm_while_cond_{function}"
    condition = meta_graph.graph_def.library.function.add()
    condition.signature.name = f"lstm_while_cond_{function}"
    for place in range(2):
        condition.signature.input_arg.add(name=f"lstm_while_lstm_while_cond_{earlier}___redundant_placeholder{place}")
    condition.signature.input_arg.add(name=f"lstm_while_cond_{earlier + 7}___redundant_placeholder2")
    condition.signature.input_arg.add(name=f"unknown_{capture}")
    condition.arg_attr[3].attr["_user_specified_name"].s = str(capture).encode()
    condition.node_def.add(
        name="Identity", op="Identity", input=[f"lstm_while_lstm_while_cond_{earlier}___redundant_placeholder1"]
    )
    return model


@pytest.mark.parametrize("numbers", [(9, 9, 31), (38701, 38743, 5), (100899, 100803, 123456)])
def test_what_was_traced_before_leaves_no_number(numbers: tuple[int, int, int]) -> None:
    written = with_stable_names(a_loop(*numbers))
    assert written.SerializeToString(deterministic=True) == (
        with_stable_names(a_loop(4, 3, 2)).SerializeToString(deterministic=True)
    )


def test_a_reference_follows_its_argument() -> None:
    (meta_graph,) = with_stable_names(a_loop(38701, 38743, 5)).meta_graphs
    (condition,) = meta_graph.graph_def.library.function
    names = [argument.name for argument in condition.signature.input_arg]
    assert len(set(names)) == len(names)
    assert condition.node_def[0].input[0] == names[1]
