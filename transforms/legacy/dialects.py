"""The dialects of stored models: the runtimes that wrote them, their characteristics, and their differences.

`h5ferry inspect` names the dialect of a file; the documents print the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transforms.architecture.graph import Graph
from transforms.legacy.release import writer_of
from transforms.records.runtime import Family, Runtime


@dataclass(frozen=True)
class Dialect:
    """One generation of Keras.

    Attributes:
        name: for display.
        recognised_by: characteristics in the file.
        special: differences in meaning from tf-keras's reading.
        speaks: whether a runtime belongs to it.
    """

    name: str
    recognised_by: str
    special: str
    speaks: Callable[[Runtime], bool]


def _standalone(first: tuple[int, ...], last: tuple[int, ...]) -> Callable[[Runtime], bool]:
    """Standalone Keras from one version on, up to but without another."""
    return lambda runtime: runtime.family is Family.KERAS and first <= runtime.version < last


def _tf_keras(first: tuple[int, ...], last: tuple[int, ...]) -> Callable[[Runtime], bool]:
    return lambda runtime: runtime.family is Family.TF_KERAS and first <= runtime.version < last


DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        "Keras 1 and before (0.3 to 1.2.2)",
        "`keras_version` 1.x, or none and no option that Keras 2 introduced",
        "other names, options and array layouts; no backend recorded: assumed from the form of the weight names, "
        "or from `backend`, or decided by golden outputs",
        _standalone((0,), (2,)),
    ),
    Dialect(
        "Keras 2.0 to 2.2.2",
        "`keras_version` 2.0 to 2.2.2, or none and options of Keras 2",
        "a GRU without `reset_after` resets before the product; no mask enters a nested model; recurrent layers "
        "output their state at masked steps, as up to 2.2.4; Theano rotates kernels, as in all of Keras 1 and 2",
        _standalone((2,), (2, 2, 3)),
    ),
    Dialect(
        "Keras 2.2.3 to 2.3.1",
        "`keras_version` 2.2.3 to 2.3.1 without `-tf`",
        "hard_sigmoid gates by default until 2.3; bilinear resizing aligns corners; Softmax ignores masks",
        _standalone((2, 2, 3), (2, 4)),
    ),
    Dialect(
        "tf.keras of TensorFlow 1.8 to 1.15, 2.0 and 2.1",
        "`keras_version` 2.1.5-tf to 2.2.4-tf, which denotes several releases: `ragged`, BatchNormalizationV1, "
        "`backward_layer`, `zero_output_for_mask` and the initializers' `dtype` distinguish them",
        "the masks of 1.13; axes as lists; UnifiedLSTM and UnifiedGRU of 2.0 betas",
        _tf_keras((0,), (2, 3)),
    ),
    Dialect(
        "tf.keras of TensorFlow 2.2 to 2.4",
        "`keras_version` 2.3.0-tf or 2.4.0",
        "functions as stored operations (TensorFlowOpLayer) until 2.3, by name (TFOpLambda) since 2.4; "
        "`Functional` for `Model`; ReLU propagates no mask",
        _tf_keras((2, 3), (2, 5)),
    ),
    Dialect(
        "tf.keras of TensorFlow 2.5 to 2.15",
        "`keras_version` 2.5.0 to 2.15.0",
        "functions by name (TFOpLambda, SlicingOpLambda); Softmax applies masks; MultiHeadAttention does since 2.10",
        _tf_keras((2, 5), (3,)),
    ),
    Dialect(
        "Keras 3",
        "`keras_version` 3.x",
        "its own hard_sigmoid; operations among the layers; masks as tensors; inputs by `batch_shape`",
        lambda runtime: runtime.family is Family.KERAS_3,
    ),
)


def dialect_of(runtime: Runtime) -> Dialect:
    """The dialect of a runtime; each has exactly one."""
    return next(dialect for dialect in DIALECTS if dialect.speaks(runtime))


def dialect_name(graph: Graph, runtime: Runtime) -> str:
    """The dialect of a model, with the candidate releases if several may have written it."""
    name = dialect_of(runtime).name
    releases = sorted(writer_of(graph, runtime).releases) if runtime.family is Family.TF_KERAS else []
    if not releases:
        return name
    return f"{name}: {' or '.join('.'.join(map(str, release)) for release in releases)}"
