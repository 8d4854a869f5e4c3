"""A tagger and a classifier on one encoder: both read with the same embedding and the same layers.

Either is used as if it stood alone. A state dict holds what they share once, as `embedding.…` and
`encoder.…`, like that of any other network; layers of their own are under `tagger.…` and
`classifier.…`.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.tagging.tagger import Tagger

_SHARED = ("embedding", "encoder")


class JointNetwork(nn.Module):
    """Two networks that share embedding and encoder.

    Args:
        tagger: The tagger.
        classifier: The classifier, built around the same two instances.

    Raises:
        ValueError: They are not the same.
    """

    def __init__(self, *, tagger: Tagger, classifier: Classifier) -> None:
        super().__init__()
        for name in _SHARED:
            if getattr(tagger, name) is not getattr(classifier, name):
                raise ValueError(f"tagger and classifier have each an {name} of their own")
        self.embedding = tagger.embedding
        self.encoder = tagger.encoder
        self.tagger = tagger
        self.classifier = classifier
        self.register_state_dict_post_hook(_leave_out_copies)
        self.register_load_state_dict_pre_hook(_add_copies)


def _copies(prefix: str) -> list[tuple[str, str]]:
    """Where the shared parts appear a second time, and where they appear first."""
    return [
        (f"{prefix}{head}.{name}.", f"{prefix}{name}.")
        for head in ("tagger", "classifier")
        for name in _SHARED
    ]


def _leave_out_copies(
    module: nn.Module, state: dict[str, Any], prefix: str, local_metadata: dict[str, Any]
) -> None:
    copies = tuple(copy for copy, _ in _copies(prefix))
    for key in [key for key in state if key.startswith(copies)]:
        del state[key]


def _add_copies(module: nn.Module, state: dict[str, Any], prefix: str, *details: Any) -> None:
    for copy, first in _copies(prefix):
        for key in [key for key in state if key.startswith(first)]:
            state[copy + key.removeprefix(first)] = state[key]
