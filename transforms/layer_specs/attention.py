"""Attention."""

from __future__ import annotations

from transforms.architecture.attention import CALL_OPTIONS
from transforms.layer_specs.config import integer
from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec, Role, Roles


def _attention(config: Config) -> Roles:
    return (Role("scale", ((),)),) if config.get("use_scale") else ()


def _additive_attention(config: Config) -> Roles:
    return (Role("scale", ((None,),)),) if config.get("use_scale", True) else ()


def _multi_head_attention(config: Config) -> Roles:
    """Projections (d, heads, size) with biases (heads, size), in the order query, key, value; then the output."""
    heads, size = integer(config, "num_heads"), integer(config, "key_dim")
    depths = {"query": size, "key": size, "value": integer(config, "value_dim", "key_dim")}
    biased = config.get("use_bias", True)
    found: list[Role] = []
    for name, depth in depths.items():
        found.append(Role(f"{name}_kernel", ((None, heads, depth),)))
        found += [Role(f"{name}_bias", ((heads, depth),))] if biased else []
    found.append(Role("attention_output_kernel"))
    return (*found, Role("attention_output_bias")) if biased else tuple(found)


SPECS = (
    LayerSpec("Attention", _attention, {"use_scale": False, "dropout": 0.0}),
    LayerSpec("AdditiveAttention", _additive_attention, {"use_scale": True, "dropout": 0.0}),
    LayerSpec(
        "MultiHeadAttention",
        _multi_head_attention,
        {
            "num_heads": REQUIRED,
            "key_dim": REQUIRED,
            "value_dim": None,
            "dropout": 0.0,
            "use_bias": True,
            "output_shape": None,
            "attention_axes": None,
            **CALL_OPTIONS,
        },
        initializers=("kernel_initializer",),
    ),
)
