"""Labelled examples for a student: a share of the loss for their label, the rest for the teacher.

Texts for a classifier count twice, once with each, weighted by the shares. A sentence for a tagger
counts once: the probability of a tag is the mean of what is stated and what the teacher says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rnnlp.data.classification.example import ClassifiedExample
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.errors import InputError
from rnnlp.data.formats.probabilities import Probabilities
from rnnlp.data.tagging.corpus import labelling
from rnnlp.data.tagging.example import TaggedExample
from rnnlp.data.tagging.readers import spans_of
from rnnlp.data.tagging.schemes import spans_to_tags

from .teacher import Answer, Teacher, rows_of, tag_shares


class TaggedSentence(NamedTuple):
    """A sentence with tags in the teacher's scheme, how probable each is, and how much it counts.

    Args:
        tokens: Its tokens.
        tags: One tag a token.
        shares: The probability of each tag of each token, as the file states it.
        weight: How much it counts in the loss.
        group: What else stays on one side of a cut with it; None for nothing.
    """

    tokens: list[str]
    tags: list[str]
    shares: list[Probabilities]
    weight: float
    group: str | None


def text_rows(
    gold: Sequence[ClassifiedExample], teacher: Teacher, *, hard_share: float
) -> Iterator[Answer]:
    """Labelled texts as training examples of a classifier.

    Args:
        gold: The texts.
        teacher: Says what it thinks of them.
        hard_share: How much of the loss is their label, from 0 to 1.
    """
    taught = rows_of(teacher([example.text for example in gold])) if hard_share < 1.0 else ()
    for example, row in zip(gold, taught, strict=False):
        yield {**row, "weight": (1.0 - hard_share) * example.weight, "group": example.group}
    for example in gold if hard_share > 0.0 else ():
        weight = hard_share * example.weight
        yield {**stated_text(example), "weight": weight, "group": example.group}


def stated_text(example: ClassifiedExample) -> Answer:
    """A labelled text as its file has it."""
    row: Answer = {"text": example.text, "label": example.labels}
    return row if example.soft is None else {**row, "scores": example.soft}


def read_sentences(
    source: Source[TaggedExample], scheme: str | None, notes: Notes
) -> Iterator[TaggedSentence]:
    """The tagged sentences of a file.

    Args:
        source: The file.
        scheme: The scheme of the teacher's tags; None for plain ones.
        notes: Takes counts of what is legal but lossy.

    Raises:
        InputError: The file has plain tags and the teacher entities, or the other way round.
    """
    labels = labelling(source, notes, scheme=scheme or "BIOES")
    if (labels is None) != (scheme is None):
        kinds = ["plain tags" if one is None else "entities" for one in (labels, scheme)]
        raise InputError(f"has {kinds[0]}, and the teacher knows {kinds[1]}", path=source.name)
    for example in source.read(notes):
        tags = example.tags or []
        if scheme is not None and labels is not None:
            spans = spans_of(example, labels, path=source.name, notes=notes)
            tags = spans_to_tags(spans, len(example.tokens), scheme)
        shares = example.soft or [{tag: 1.0} for tag in tags]
        yield TaggedSentence(example.tokens, tags, shares, example.weight, example.group)


def sentence_rows(
    gold: Sequence[TaggedSentence], tagger: Any, *, hard_share: float
) -> Iterator[Answer]:
    """Tagged sentences as training examples of a tagger.

    Args:
        gold: The sentences.
        tagger: The teacher, as `rnnlp.load` gives it.
        hard_share: How much of the loss is their tags, from 0 to 1.
    """
    taught = tag_shares(tagger, [sentence.tokens for sentence in gold])
    for sentence, shares in zip(gold, taught, strict=True):
        scores = [
            _mean(stated, told, hard_share)
            for stated, told in zip(sentence.shares, shares, strict=True)
        ]
        yield {
            "tokens": sentence.tokens,
            "scores": scores,
            "weight": sentence.weight,
            "group": sentence.group,
        }


def _mean(stated: Probabilities, told: Probabilities, hard_share: float) -> Probabilities:
    """A distribution of which what is stated has `hard_share`, and what is told the rest."""
    mixed = {name: (1.0 - hard_share) * share for name, share in told.items()}
    for name, share in stated.items():
        mixed[name] = mixed.get(name, 0.0) + hard_share * share
    return {name: round(share, 4) for name, share in mixed.items() if share > 0.0}
