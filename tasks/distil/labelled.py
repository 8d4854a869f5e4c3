"""Labelled examples for a student: a share of the loss for their label, the rest for the teacher.

Texts for a classifier count twice, once with each, weighted by the shares. A sentence for a tagger
counts once: the probability of a tag is the mean of what is stated and what the teacher says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rnnlp.data.classification.example import ClassifiedExample
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, note
from rnnlp.data.formats.layout import Layout
from rnnlp.data.tagging.corpus import labelling
from rnnlp.data.tagging.readers import spans_of
from rnnlp.data.tagging.schemes import spans_to_tags
from rnnlp.data.tagging.sources import file_source

from .teacher import Answer, Teacher, rows_of, tag_shares


class TaggedSentence(NamedTuple):
    """A sentence with tags in the teacher's scheme, and how much it counts."""

    tokens: list[str]
    tags: list[str]
    weight: float


def read_texts(path: str) -> list[ClassifiedExample]:
    """The labelled texts of a file."""
    notes = Notes()
    gold = list(read_classification(path, notes=notes))
    _tell(notes)
    return gold


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
        yield {**row, "weight": (1.0 - hard_share) * example.weight}
    for example in gold if hard_share > 0.0 else ():
        weight = hard_share * example.weight
        yield {"text": example.text, "label": example.labels, "weight": weight}


def read_sentences(path: str, tagger: Any) -> list[TaggedSentence]:
    """The tagged sentences of a file.

    Args:
        path: The file; its texts, where it has no tokens, are split as the teacher does.
        tagger: The teacher, as `rnnlp.load` gives it.

    Raises:
        InputError: The file has plain tags and the teacher entities, or the other way round.
    """
    scheme = tagger.settings.scheme
    source = file_source(path, format="auto", level=tagger.featurizer.level, layout=Layout())
    notes = Notes()
    labels = labelling(source, notes)
    if (labels is None) != (scheme is None):
        kinds = ["plain tags" if one is None else "entities" for one in (labels, scheme)]
        raise InputError(f"has {kinds[0]}, and the teacher knows {kinds[1]}", path=path)
    gold = []
    for example in source.read(notes):
        tags = example.tags or []
        if scheme is not None and labels is not None:
            spans = spans_of(example, labels, path=path, notes=notes)
            tags = spans_to_tags(spans, len(example.tokens), scheme)
        gold.append(TaggedSentence(example.tokens, tags, example.weight))
    _tell(notes)
    return gold


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
    for (tokens, tags, weight), shares in zip(gold, taught, strict=True):
        scores = [_mean(tag, told, hard_share) for tag, told in zip(tags, shares, strict=True)]
        yield {"tokens": tokens, "scores": scores, "weight": weight}


def _mean(tag: str, told: dict[str, float], hard_share: float) -> dict[str, float]:
    """A distribution of which one tag has `hard_share`, and what is told the rest."""
    mixed = {name: (1.0 - hard_share) * share for name, share in told.items()}
    mixed[tag] = mixed.get(tag, 0.0) + hard_share
    return {name: round(share, 4) for name, share in mixed.items() if share > 0.0}


def _tell(notes: Notes) -> None:
    for line in notes.lines():
        note(line)
