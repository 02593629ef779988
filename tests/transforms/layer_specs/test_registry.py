"""Each known class stands in every table that the program reads, or in a list that says why not."""

import pytest

from transforms.admission.classes import KNOWN_CLASSES, WRAPPERS
from transforms.architecture.graph import MODEL_CLASSES
from transforms.layer_specs.preprocessing import AUGMENTATION
from transforms.layer_specs.registry import CANONICAL, SPECS, WEIGHTED, WEIGHTLESS, registered
from transforms.layer_specs.spec import LayerSpec
from transforms.reference.registry import CELLS, STATELESS, STRUCTURED

#: Classes that a rewrite replaces by canonical ones.
REPLACED = frozenset(
    """
    BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization CuDNNLSTM CuDNNGRU UnifiedLSTM UnifiedGRU
    Highway MaxoutDense Merge ParametricSoftplus SReLU RandomCrop SpectralNormalization
    """.split()
)
#: Parts of other layers, whose rules are those of what holds them.
PARTS = frozenset({"StackedRNNCells", "ConvLSTM2DCell"})
#: Classes whose output shapes `inspect` does not show: they follow from cells, inner layers, or outputs of functions.
WITHOUT_SHAPE = frozenset(
    """
    RNN Bidirectional TimeDistributed SpectralNormalization ConvLSTM1D ConvLSTM2D ConvLSTM3D SimpleRNNCell LSTMCell
    GRUCell InputLayer
    EinsumDense Attention AdditiveAttention MultiHeadAttention RandomHeight RandomWidth
    """.split()
)
#: Classes that the reference does not compute, with the reason.
WITHOUT_REFERENCE = {"InputLayer": "it is given, not computed"}
#: Base classes of others, which no file names: they only tell what is wrapped.
ABSTRACT = frozenset({"ConvRNN2D"})


def test_every_known_class_has_a_spec() -> None:
    assert set(SPECS) == KNOWN_CLASSES - MODEL_CLASSES - ABSTRACT


def test_every_class_is_canonical_or_replaced() -> None:
    assert set(SPECS) - CANONICAL == REPLACED | AUGMENTATION | {"InputLayer", "Lambda", "ConvLSTM2DCell"}


def test_every_class_states_its_arrays() -> None:
    assert set(SPECS) - WEIGHTED - WEIGHTLESS == WRAPPERS - ABSTRACT


def test_every_class_has_a_shape() -> None:
    assert {name for name, spec in SPECS.items() if spec.shape is None} == WITHOUT_SHAPE | PARTS | {"Lambda"}


def test_every_class_has_a_reference() -> None:
    covered = STATELESS.keys() | STRUCTURED.keys() | CELLS.keys()
    assert set(SPECS) - covered - PARTS == set(WITHOUT_REFERENCE)


def test_initializers_are_those_of_arrays() -> None:
    assert {name for name, spec in SPECS.items() if spec.initializers} <= WEIGHTED


def test_registering_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="Dense is registered twice"):
        registered([LayerSpec("Dense")], [LayerSpec("Dense")])
