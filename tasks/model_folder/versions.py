"""Format versions of the model folder: how a folder of an older version becomes one of today.

The one place that knows old names. Nothing in a folder is changed; what is read from it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

FORMAT_VERSION = 2

# Settings as they were called before version 2, in configs and in model folders.
RENAMED = {
    "attribute_size": "token_feature_size",
    "attributes": "token_features",
    "beam": "beam_size",
    "block_ngrams": "no_repeat_ngram_size",
    "evaluation_token_budget": "evaluation_max_tokens",
    "joint": "joint_vocabulary",
    "layers": "num_layers",
    "recurrent_dropout": "weight_dropout",
    "segment": "bptt",
    "several": "multilabel",
    "subword_dropout": "bpe_dropout",
    "tied": "tie_embeddings",
    "token_budget": "max_tokens",
    "workers": "num_workers",
}
# Settings that came later, by task, where models before them are other than the default.
ADDED: Mapping[str, Mapping[str, Any]] = {"translation": {"decoder": {"lexical": False}}}
_NEVER_NULL = ("label_separator", "label_before")  # null was "" before 0.2
_WEIGHTS = {"embedding.attributes.": "embedding.token_features."}


def upgraded_settings(values: Mapping[str, Any], version: int, task: str) -> dict[str, Any]:
    """What `config.json` holds under `model`, with the names of today and what came later.

    Args:
        values: As the file has it.
        version: The format version that it says.
        task: The task that it says.
    """
    return _completed(_renamed(values, version), ADDED.get(task, {}))


def _renamed(values: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Settings with the names of today, at every depth."""
    names = {} if version >= FORMAT_VERSION else RENAMED
    upgraded: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            value = _renamed(value, version)
        elif value is None and name in _NEVER_NULL:
            value = ""
        upgraded[names.get(name, name)] = value
    return upgraded


def _completed(values: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, and those of `added` that they lack, at every depth."""
    completed = {**added, **values}
    for name, value in added.items():
        if isinstance(value, Mapping) and isinstance(values.get(name), Mapping):
            completed[name] = _completed(values[name], value)
    return completed


def upgraded_weight(name: str) -> str:
    """The name of a weight as it is today; names of today stay."""
    for old, new in _WEIGHTS.items():
        name = name.replace(old, new)
    return name


def rnnlp_version() -> str:
    """The version of this package, or "unknown" where its source runs without being installed."""
    try:
        return version("rnnlp")
    except PackageNotFoundError:
        return "unknown"
