"""Loss and metrics of a stored training config: an allowlist of Keras's own names, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LOSS_FUNCTIONS = frozenset(
    """
    mean_squared_error mse MSE mean_absolute_error mae MAE mean_absolute_percentage_error mape MAPE
    mean_squared_logarithmic_error msle MSLE squared_hinge hinge categorical_hinge logcosh log_cosh huber huber_loss
    categorical_crossentropy sparse_categorical_crossentropy binary_crossentropy kullback_leibler_divergence
    kl_divergence kld KLD poisson cosine_similarity
    """.split()
)
_LOSS_CLASSES = frozenset(
    """
    MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError BinaryCrossentropy
    CategoricalCrossentropy SparseCategoricalCrossentropy Hinge SquaredHinge CategoricalHinge Poisson LogCosh
    KLDivergence CosineSimilarity Huber
    """.split()
)
_METRIC_FUNCTIONS = _LOSS_FUNCTIONS | frozenset(
    """
    accuracy acc binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy
    sparse_top_k_categorical_accuracy
    """.split()
)
_METRIC_CLASSES = _LOSS_CLASSES | frozenset(
    """
    MeanMetricWrapper Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy
    SparseTopKCategoricalAccuracy AUC Precision Recall TruePositives TrueNegatives FalsePositives FalseNegatives
    RootMeanSquaredError
    """.split()
)
#: Keras before 2.3 misnamed the loss; the value is the same, -sum(y' * p') of unit vectors.
_RENAMED = {"cosine_proximity": "cosine_similarity", "cosine": "cosine_similarity"}


class UnknownName(Exception):
    """A loss or metric that is not Keras's own."""


def known_loss(loss: Any) -> Any:
    """The loss in tf-keras's form: a name, the config of a class, or a list or mapping of them.

    Raises UnknownName.
    """
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return {str(name): known_loss(each) for name, each in loss.items()}
    if isinstance(loss, list):
        return [known_loss(each) for each in loss]
    return loss if loss is None else _known(loss, _LOSS_FUNCTIONS, _LOSS_CLASSES)


def known_weights(weights: Any) -> Any:
    """The weights of several losses: numbers, in a list or by output. Raises UnknownName for anything else."""
    values = [*weights.values()] if isinstance(weights, Mapping) else weights
    if values is None or (isinstance(values, list) and all(isinstance(each, (int, float)) for each in values)):
        return weights
    raise UnknownName("loss_weights")


def known_metrics(metrics: Any, unknown: list[str]) -> Any:
    """The metrics that Keras has, in their original nesting; the names of others are added to `unknown`."""
    if isinstance(metrics, Mapping) and "class_name" not in metrics:
        return {str(name): known_metrics(each, unknown) for name, each in metrics.items()}
    if isinstance(metrics, list):
        kept = [(each, known_metrics(each, unknown)) for each in metrics]
        return [new for old, new in kept if new is not None or old is None]
    try:
        return metrics if metrics is None else _known(metrics, _METRIC_FUNCTIONS, _METRIC_CLASSES)
    except UnknownName as error:
        unknown.append(str(error))
        return None


def _known(stated: Any, functions: frozenset[str], classes: frozenset[str]) -> Any:
    if isinstance(stated, str):
        name = _RENAMED.get(stated, stated)
        if name in functions:
            return name
        if name in classes:
            return {"class_name": name, "config": {}}
        raise UnknownName(stated[:60])
    name = str(stated.get("class_name")) if isinstance(stated, Mapping) else str(type(stated).__name__)
    config = stated.get("config") if isinstance(stated, Mapping) else None
    if name not in classes or not isinstance(config, Mapping):
        raise UnknownName(name[:60])
    if "fn" in config and config["fn"] not in functions:
        raise UnknownName(f"{name} of {str(config['fn'])[:40]}")
    if name == "MeanMetricWrapper" and "fn" not in config:
        return _by_its_name(config, functions)
    if not all(map(_is_plain, config.values())):
        raise UnknownName(name)
    return {"class_name": name, "config": dict(config)}


def _by_its_name(config: Mapping[str, Any], functions: frozenset[str]) -> str:
    """tf.keras 1.15 to 2.2 stores a function's metric without the function; its name is the function's."""
    if config.get("name") not in functions:
        raise UnknownName(str(config.get("name"))[:60])
    return str(config["name"])


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
