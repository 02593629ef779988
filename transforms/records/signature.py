"""How the inputs and outputs of a published model are called: by layers, by servers, in the graph, in the samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SignatureTensor:
    """One input or output.

    Attributes:
        layer: the model's input or output layer, as the legacy file names it.
        name: in the signature.
        tensor: in the graph; "" before there is one.
        dtype: TensorFlow's name; "" before it is known.
        shape: None for a free extent, and as a whole where it is not known.
        position: in the model's order, from 0.
        array: in `samples.npz`.
    """

    layer: str
    name: str
    tensor: str
    dtype: str
    shape: tuple[int | None, ...] | None
    position: int
    array: str

    def __str__(self) -> str:
        shape = "" if self.shape is None else f"({', '.join('?' if n is None else str(n) for n in self.shape)})"
        described = " ".join(part for part in (self.dtype, shape) if part)
        places = [self.array, *([] if self.layer == self.name else [f"layer {self.layer}"])]
        return f"{self.name}: {described or 'unknown'}, {', '.join([*places, *filter(None, [self.tensor])])}"


@dataclass(frozen=True)
class ModelSignature:
    """All inputs and outputs, in the model's order."""

    inputs: tuple[SignatureTensor, ...] = ()
    outputs: tuple[SignatureTensor, ...] = ()


NO_SIGNATURE = ModelSignature()
