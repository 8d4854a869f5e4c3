"""What a tagger that training goes on from says of tags that the new data lack."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors
from rnnlp.models.tagging.transitions import Belief
from rnnlp.tasks.base.growing import FormerModel

from .config import TaggerConfig
from .scores import labels_of


class Keeper:
    """Says what is to be learned in the place of labels that there are not.

    Entities of the types that the data are annotated with are certain, and where there are none,
    the former tagger tells how probable those of the other types are (Monaikul et al. 2021): all
    together is a distribution over tag sequences. Plain tags are all annotated; of these it tells
    how probable each would be among those that it knows (Li and Hoiem 2016).

    Args:
        former: The tagger that training goes on from.
        settings: Of the tagger that is trained.
        lacking: Entity types, or plain tags, that no training example has.
    """

    def __init__(self, former: FormerModel, settings: TaggerConfig, lacking: Sequence[str]) -> None:
        self.former = former
        tags, own, scheme = settings.tags, former.settings.tags, settings.scheme
        self.plain = scheme is None
        if self.plain:
            kept = [tag in own for tag in tags]
            meaning = [max(place, 0) for place in former.places(own, tags).tolist()]
        else:
            entity = [labels_of([tag], scheme) & {*lacking} for tag in tags]
            kept = [tag == "O" or bool(types) for tag, types in zip(tags, entity, strict=True)]
            meaning = [
                own.index(tag if types and tag in own else "O")
                for tag, types in zip(tags, entity, strict=True)
            ]
            kept = [k and (tag in own) for k, tag in zip(kept, tags, strict=True)]
        self.kept, self.meaning = torch.tensor(kept), torch.tensor(meaning)

    def belief(self, features: TokenTensors, gold: Tensor) -> tuple[Belief, Tensor | None]:
        """What is believed of the tags of a batch, and among which tags: None for all.

        Args:
            features: The sentences.
            gold: Their tags as the data says `[batch, time]`, -1 where not known.
        """
        kept, meaning = self.kept.to(gold.device), self.meaning.to(gold.device)
        known = self.former.known(features)
        with torch.no_grad():
            emissions = self.former.network.emissions(
                known.tokens, known.characters, known.token_features, known.lengths
            )
        possible = kept.expand(*gold.shape, -1)  # [batch, time, tags]
        if not self.plain:
            certain = (gold >= 0) & ~kept[gold.clamp_min(0)]
            chosen = torch.arange(len(kept), device=gold.device) == gold[:, :, None]
            possible = torch.where(certain[:, :, None], chosen, possible)
        belief: Belief = self.former.network.output.believed(
            emissions, features.lengths, meaning=meaning, possible=possible
        )
        return belief, possible if self.plain else None
