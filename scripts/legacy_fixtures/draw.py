"""Random draws that a layer's options are made of."""

import numpy as np

BOUNDED = ["tanh", "sigmoid", "hard_sigmoid", "softsign"]
ANY = BOUNDED + ["relu", "elu", "selu", "softplus", "linear", "softmax", "exponential"]


class Draw:
    """A seeded source of choices. The same seed makes the same model again (the CPU twin of a CuDNN model)."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.RandomState(seed)
        self.styles = {"slash": self.chance(0.08), "names": self.chance(0.15)}
        self.names = 0

    def chance(self, p: float) -> bool:
        return bool(self.rng.rand() < p)

    def pick(self, options: list) -> object:
        return options[self.rng.randint(len(options))]

    def units(self, low: int = 2, high: int = 7) -> int:
        return int(self.rng.randint(low, high + 1))

    def name(self, kind: str) -> dict:
        """A name of one's own, now and then with a slash, as scopes of TensorFlow 1 made them."""
        self.names += 1
        if self.styles["slash"] and self.chance(0.5):
            return {"name": f"block_{self.names}/{kind.lower()}"}
        return {"name": f"my_{kind.lower()}_{self.names}"} if self.styles["names"] and self.chance(0.5) else {}

    def some(self, **options: "tuple[float, list]") -> dict:
        """Of `option=(probability, values)`, those that come up."""
        return {key: self.pick(values) for key, (p, values) in options.items() if self.chance(p)}
