"""The component `rnnlp` of spaCy's pipelines: what a trained model says, as annotations of a Doc.

    nlp = spacy.blank("en")
    nlp.add_pipe("rnnlp", config={"model": "runs/ner"})
    nlp("Barack Obama visited Berlin.").ents

spaCy finds it by the entry point of this package. It trains nothing: `rnnlp fit` does.
"""  # no postponed annotations: spaCy reads those of the factory

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.parts_of_speech import IDS as PARTS_OF_SPEECH
from spacy.tokens import Doc, Span, Token
from spacy.util import minibatch

from rnnlp.data.errors import InputError, note
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.model_folder.folder import open_folder, published_files
from rnnlp.tasks.registry import task_spec

SCORE, LEFT_OUT = "rnnlp_score", "rnnlp_left_out"  # under `._.`
TASKS = ("tagging", "classification")
_BATCH = 256  # texts that are worked on together


class Annotator:
    """Sets `doc.ents`, `doc.cats` or the tags of tokens, by the kind of the model.

    A model of entities or labels reads `doc.text` and says what `rnnlp predict` says. Entities
    become `doc.ents` beside those that are there already; what begins or ends inside a token of
    spaCy, or overlaps with others, is left out, counted in a note, and kept in
    `doc._.rnnlp_left_out`, a list of dictionaries. `span._.rnnlp_score` is the probability of an
    entity, and `doc.cats` has that of each label.

    A model of plain tags reads the tokens of spaCy, white space left out. It sets `token.tag_`,
    for the names of universal parts of speech `token.pos_` as well, and `token._.rnnlp_score`.

    Args:
        model: A model folder, an exported folder, or a hub id; read when it is first needed.
    """

    def __init__(self, model: str | os.PathLike[str]) -> None:
        self.model = model
        self._heads: list[Any] = []

    @property
    def heads(self) -> list[Any]:
        """The pipeline of the model; of one for several tasks those of each.

        Raises:
            InputError: There is no such model, or it neither tags nor labels.
        """
        if not self._heads:
            pipeline = load(self.model)
            heads = [getattr(pipeline, name) for name in task_spec(pipeline.task).heads]
            self._heads = heads or [pipeline]
        for head in self._heads:
            if head.task not in TASKS:
                raise InputError(
                    f"is for {head.task}: spaCy has places for entities, tags and labels",
                    path=self.model,
                )
        return self._heads

    def __call__(self, doc: Doc) -> Doc:
        """Annotates one text."""
        (annotated,) = self.pipe([doc])
        return annotated

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = _BATCH) -> Iterator[Doc]:
        """Annotates texts, so many at a time."""
        heads = self.heads
        left_out: list[str] = []
        for docs in map(list, minibatch(stream, batch_size)):
            texts = [doc.text for doc in docs]
            for head in heads:
                if head.task == "tagging" and head.settings.scheme is None:
                    _set_tags(docs, head)
                    continue
                for doc, answer in zip(docs, head.answers(texts), strict=True):
                    left_out += _set_entities(doc, answer.get("entities", ()))
                    doc.cats = {**doc.cats, **answer.get("scores", {})}
            yield from docs
        if left_out:
            note(
                f"{len(left_out):,} entities begin or end inside a token of spaCy, or overlap with "
                f"others, and are left out (doc._.{LEFT_OUT}), such as {left_out[0]!r:.60}"
            )

    def to_disk(self, path: str | os.PathLike[str], *, exclude: Iterable[str] = ()) -> None:
        """Copies the model folder, so that spaCy's pipeline can be moved elsewhere."""
        target = Path(path)
        target.mkdir(parents=True, exist_ok=True)
        for file in published_files(open_folder(self.model).path):
            shutil.copyfile(file, target / file.name)

    def from_disk(
        self, path: str | os.PathLike[str], *, exclude: Iterable[str] = ()
    ) -> "Annotator":
        """Takes the model that `to_disk` has copied."""
        self.model, self._heads = path, []
        return self


@Language.factory("rnnlp", assigns=["doc.ents", "doc.cats", "token.tag"])
def make_annotator(nlp: Language, name: str, model: str) -> Annotator:
    """What `nlp.add_pipe("rnnlp", config={"model": …})` calls.

    Args:
        nlp: The pipeline; not needed.
        name: What the component is called in it; not needed.
        model: The model folder, or a hub id.
    """
    return Annotator(model)


def _set_tags(docs: Sequence[Doc], tagger: Any) -> None:
    rows = [[token for token in doc if not token.is_space] for doc in docs]
    tagged = tagger.spans([[token.text for token in row] for row in rows])
    for row, spans in zip(rows, tagged, strict=True):
        for token, (span, score) in zip(row, spans, strict=True):
            token.tag_ = span.type
            if span.type in PARTS_OF_SPEECH:
                token.pos_ = span.type
            token._.set(SCORE, round(score, 4))


def _set_entities(doc: Doc, entities: Sequence[dict[str, Any]]) -> list[str]:
    """Sets entities; gives the words of those that are left out."""
    taken = {token.i for span in doc.ents for token in span}
    spans, left_out = [], []
    for entity in entities:
        span = doc.char_span(entity["start"], entity["end"], label=entity["entity_group"])
        if span is None or taken.intersection(range(span.start, span.end)):
            left_out.append(entity)
            continue
        span._.set(SCORE, entity["score"])
        spans.append(span)
    doc.ents = [*doc.ents, *spans]
    if left_out:
        doc._.set(LEFT_OUT, left_out)
    return [entity["word"] for entity in left_out]


for _kind, _name in ((Span, SCORE), (Token, SCORE), (Doc, LEFT_OUT)):
    _kind.set_extension(_name, default=() if _kind is Doc else None, force=True)
