"""SpectralNormalization: the layer in it, whose stored kernel is scaled already."""

from __future__ import annotations

from transforms.architecture.graph import Layer
from transforms.reference.dialect import Evaluator, Tensors
from transforms.reference.layer_call import NotCovered
from transforms.reference.masks.propagation import any_mask


def spectral_normalization(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """Only training divides the kernel by its largest singular value, and stores it so.

    Source: `SpectralNormalization.call` in keras/layers/normalization/spectral_normalization.py, 2.13 to 2.15.
    """
    if any_mask(inputs.masks):
        raise NotCovered("a mask on SpectralNormalization", layer.path)
    return evaluator.run(layer.slots["layer"], inputs)
