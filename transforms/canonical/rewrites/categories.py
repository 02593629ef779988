"""Renames options of categorical layers to those of tf-keras."""

from __future__ import annotations

from dataclasses import replace

from transforms.canonical.model import CanonicalArray, LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder
from transforms.layer_specs.categories import SPECS

#: Output modes as TensorFlow 2.3 to 2.5 named them.
_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_CLASSES = frozenset(spec.name for spec in SPECS)


def state_category_options(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """`max_tokens` of CategoryEncoding as `num_tokens`, and output modes under the names of TensorFlow 2.6 on.

    The mode `tf_idf` weighs counts by an array: y[n, k] = count[n, k] idf[k]. The number of categories that
    CategoryEncoding learned in `adapt` is read from the file.
    """
    del context
    layer = rewrite.layer
    mode = layer.config.get("output_mode")
    renamed = {"output_mode": _MODES[mode]} if layer.class_name in _CLASSES and mode in _MODES else {}
    if layer.class_name == "CategoryEncoding" and "num_tokens" not in layer.config:
        own = rewrite.own_arrays
        counted = own["num_elements"].read().item() if "num_elements" in own else None
        config = {**layer.config, **renamed, "num_tokens": layer.config.get("max_tokens") or counted}
        if mode == "tf-idf":
            return _weighed(rewrite, {**config, "output_mode": "count"}, own["idf"])
        arrays = rewrite.with_own_arrays({})
        detail = f"max_tokens to num_tokens={config['num_tokens']}"
        return rewrite.rewritten(replace(layer, config=config), "categories_renamed", detail, arrays=arrays)
    if {**layer.config, **renamed}.get("output_mode") == "tf_idf" and "Variable" in rewrite.own_arrays:
        config = {**layer.config, "output_mode": "count", "idf_weights": None}
        return _weighed(rewrite, config, rewrite.own_arrays["Variable"])
    if not renamed:
        return rewrite
    stated = replace(layer, config={**layer.config, **renamed})
    return rewrite.rewritten(stated, "categories_renamed", f"{mode} to {renamed['output_mode']}")


#: The salt that TensorFlow 2.3 stored for a layer without one (`_DEFAULT_SALT_KEY` in its hashing.py).
NO_SALT = [0xDECAFCAFFE, 0xDECAFCAFFE]


def drop_default_salt(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Hashing without a salt hashes by farmhash; read back, the salt that 2.3 stores for it would mean SipHash."""
    del context
    layer = rewrite.layer
    if layer.class_name != "Hashing" or layer.config.get("salt") != NO_SALT:
        return rewrite
    return rewrite.rewritten(
        replace(layer, config={**layer.config, "salt": None}),
        "categories_renamed",
        "the default salt removed",
        warning=f"{'/'.join(layer.path)} stores the salt that TensorFlow 2.3 gave to layers without one: read as none, "
        "which is wrong for a model that was itself loaded from a file.",
    )


def _weighed(rewrite: LayerRewrite, config: dict[str, object], idf: CanonicalArray) -> LayerRewrite:
    builder = SubgraphBuilder(rewrite.layer)
    counts = builder.add(rewrite.layer.class_name, "counts", config, *builder.inputs)
    options = {"equation": "ab,b->ab", "output_shape": list(idf.shape), "activation": "linear"}
    weighed = builder.add("EinsumDense", "weighed", options, counts)
    arrays = {(*rewrite.layer.path, "weighed"): {"kernel": idf}}
    return rewrite.rewritten(builder.finish(weighed), "categories_renamed", "tf_idf to weighted counts", arrays=arrays)
