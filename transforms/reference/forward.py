"""Computes a model's outputs from the original arrays, over one or several batches, in float64."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.architecture.graph import Graph, LayerPath
from transforms.legacy.release import Release, UndecidedRelease, Writer, writer_of
from transforms.records.runtime import Runtime
from transforms.reference.custom_rules import CustomRules
from transforms.reference.dialect import Tensors
from transforms.reference.evaluation import Evaluation
from transforms.reference.layer_call import Array, NotCovered, Refused
from transforms.reference.layer_weights import OriginalWeights, WeightsOf


class Undecided(NotCovered):
    """The candidate releases give different outputs.

    Attributes:
        answers: the outputs by release, of those that accept the model.
    """

    def __init__(self, what: str, layer: LayerPath, answers: Mapping[Release, list[Array]]) -> None:
        super().__init__(what, layer)
        self.answers = answers


#: The outputs on one batch in the order of the graph, or why there are none.
Answer: TypeAlias = list[Array] | NotCovered | ValueError
_Pass: TypeAlias = Generator[None, None, list[Array]]


def forward(
    graph: Graph,
    weights_of: WeightsOf,
    inputs: Sequence[Array],
    runtime: Runtime,
    custom: CustomRules | None = None,
) -> list[Array]:
    """The outputs of a model in float64, as computed by the runtime that wrote it.

    Args:
        graph: the model as stored.
        weights_of: returns the original arrays of a leaf layer by role, in the layout of the file.
        inputs: one array for each input of the graph, in order, batch first.
        runtime: which Keras wrote the file.
        custom: what custom code says of its own layers.

    Returns:
        The outputs in the order of the graph.

    Raises:
        NotCovered: the reference has no rule for something in the model; Undecided if it has several, and the file does
            not determine which applies.
        ValueError: the model does not run on these inputs.
    """
    (answer,) = forward_batches(graph, weights_of, [inputs], runtime, custom)
    if isinstance(answer, Exception):
        raise answer
    return answer


def forward_batches(
    graph: Graph,
    weights_of: WeightsOf,
    batches: Sequence[Sequence[Array]],
    runtime: Runtime,
    custom: CustomRules | None = None,
    precision: npt.DTypeLike = np.float64,
) -> list[Answer]:
    """The results or errors of `forward` for each batch. All batches pass a layer before any passes the next, so it is
    read once. With another precision than float64, inputs, weights and the outputs of each layer have it.
    """
    writer = writer_of(graph, runtime)
    weights = OriginalWeights(weights_of, precision)

    def under(candidate: Writer) -> Evaluation:
        return Evaluation(graph, weights, runtime, candidate, custom)

    def run(inputs: Sequence[Array]) -> _Pass:
        if len(inputs) != len(graph.inputs):
            raise NotCovered(f"{len(inputs)} arrays for {len(graph.inputs)} inputs", graph.path)
        given = Tensors.unmasked(*(_widened(x, precision) for x in inputs))
        try:
            return list((yield from under(writer).steps(graph, given)).values)
        except (UndecidedRelease, Refused) as open_question:
            answers: dict[Release, list[Array]] = {}
            for candidate in writer.candidates():
                with contextlib.suppress(Refused):
                    outputs = list((yield from under(candidate).steps(graph, given)).values)
                    answers[min(candidate.releases)] = outputs
            if not answers:
                raise Refused(open_question.what, open_question.layer) from open_question
            first, *others = answers.values()
            if all(same_outputs(first, other) for other in others):
                return first
            raise Undecided(open_question.what, open_question.layer, answers) from open_question

    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return _in_step([run(inputs) for inputs in batches], weights)


def _in_step(passes: Sequence[_Pass], weights: OriginalWeights) -> list[Answer]:
    """Runs the passes in lockstep: each to its next pause, repeatedly, until all have ended.

    ```
    weights    read layer 1 .......... drop   read layer 2 .......... drop   read layer 3 ...
    batch 1    layer 1 | pause                layer 2 | pause                layer 3 | pause
    batch 2              layer 1 | pause                layer 2 | pause                layer 3 | pause
    ```
    Each array is read, checked and decompressed once however many batches there are, and only those of the current
    layer, or few enough to be cached, are in memory.
    """
    answers: dict[int, Answer] = {}
    while len(answers) < len(passes):
        for index, each in enumerate(passes):
            if index in answers:
                continue
            try:
                next(each)
            except StopIteration as end:
                answers[index] = end.value
            except (NotCovered, ValueError) as reason:
                answers[index] = reason
        weights.settle()
    return [answers[index] for index in range(len(passes))]


def same_outputs(first: Sequence[Array], second: Sequence[Array]) -> bool:
    """True if two passes in float64 differ by no more than their own rounding."""
    return len(first) == len(second) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def _widened(x: Array, precision: npt.DTypeLike) -> Array:
    """Converts to float64, or the given precision; integers, such as ids, and text are unchanged."""
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.integer) or x.dtype.kind == "S" else x.astype(precision)
