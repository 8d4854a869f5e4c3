"""Going on with a trained model: more data, more labels, a larger vocabulary.

The new network begins as the old one (`models/growth.py`), and the old one stays beside it in
training: where the new data lack labels that it knows, what it says of them is what is learned, so
that they are not forgotten (Li and Hoiem 2016; for tags Monaikul et al. 2021). How the settings of
a run follow from the old model is in `tasks/fit/transfer_settings.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rnnlp.data.datamodule.tensors import TokenTensors
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import UNK
from rnnlp.models.growth import HASHES, grown
from rnnlp.tasks.model_folder.folder import open_folder

from .pipeline import Pipeline
from .plain import to_plain

# What a new run says for itself, or its data do; all else is as in the old model.
_OWN = (
    "sizes",
    "tags",
    "classes",
    "scheme",
    "thresholds",
    "layout",
    "columns",
    "label_separator",
    "label_before",
)


class FormerModel:
    """A trained model that training goes on from.

    Args:
        name: Its folder, or hub id.
        kind: The pipeline of the task.

    Raises:
        InputError: There is no such model, or it is for another task.
    """

    def __init__(self, name: str, kind: type[Pipeline]) -> None:
        folder = open_folder(name)
        if folder.task != kind.task:
            raise InputError(
                f"is a model for {folder.task}, and what is trained is for {kind.task}: "
                "model.continue_from takes one of the same task",
                path=name,
            )
        pipeline: Any = kind.from_folder(folder)  # type: ignore[attr-defined]
        self.name = name
        self.path = folder.path
        self.settings = pipeline.settings
        self.network: Any = pipeline.network.requires_grad_(False)
        self.featurizer: Featurizer = pipeline.featurizer
        self.labels: list[str] = pipeline.labels

    def followed(self) -> dict[str, Any]:
        """The settings, dotted, that a network must share to begin as this one."""
        return {
            f"model.{name}": value
            for name, value in _dotted(to_plain(self.settings))
            if name.split(".")[0] not in _OWN
        }

    @property
    def hashes(self) -> Tensor | None:
        """Those of the n-grams that it counts."""
        return self.network.state_dict().get(HASHES)

    def places(self, own: Sequence[str], new: Sequence[str]) -> Tensor:
        """The place of each new label among its own, -1 for those that it does not have."""
        return torch.tensor([own.index(name) if name in own else -1 for name in new])

    def begin(self, network: nn.Module, places: Tensor) -> None:
        """Puts its weights into a network that has further labels and tokens."""
        axes: Any = network.label_axes
        weights = grown(
            self.network.state_dict(), network.state_dict(), places=places, label_axes=axes
        )
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"its weights do not fit: {reason}", path=self.name) from error

    def check(self, featurizer: Featurizer) -> None:
        """Refuses vocabularies that do not begin as its own do.

        Raises:
            InputError: They do not.
        """
        pairs = [
            (self.featurizer.tokens, featurizer.tokens),
            (self.featurizer.characters, featurizer.characters),
            *(
                (table, featurizer.token_features.get(name))
                for name, table in self.featurizer.token_features.items()
            ),
        ]
        for own, other in pairs:
            if own is not None and (
                other is None or other.vocabulary[: len(own)] != own.vocabulary
            ):
                raise InputError(
                    f"the vocabulary of the data is not that of {self.name}: set "
                    f"--data.tokenizer_from {self.path}"
                )

    def known(self, features: TokenTensors) -> TokenTensors:
        """Features as it reads them: what its vocabularies lack is unknown."""
        sizes = self.featurizer.sizes
        more = features.token_features
        if more is not None:
            most = torch.tensor(sizes.token_features, device=more.device)
            more = torch.where(more < most, more, UNK)
        characters = features.characters
        if characters is not None:
            characters = torch.where(characters < sizes.characters, characters, UNK)
        tokens = torch.where(features.tokens < sizes.tokens, features.tokens, UNK)
        self.network.to(tokens.device)
        return TokenTensors(tokens, features.lengths, characters, more)


def _dotted(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            pairs += _dotted(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", value))
    return pairs
