"""Reads and writes `DocBin`, the binary files (.spacy) that spaCy's version 3 trains on.

Needs spaCy. Of a document its entities and categories are read, and its tokens; what else spaCy
knows of it, such as parts of speech, is not.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

from .document import Document

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

SUFFIX = ".spacy"
# What becomes a token: white space, a Chinese character, a word, any other character.
_CHINESE = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PIECES = re.compile(rf"\s+|[{_CHINESE}]|[^\W{_CHINESE}]+|.")


def is_docbin(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one, by its name."""
    return os.fspath(path).lower().endswith(SUFFIX)


def read_docbin(path: str, notes: Notes) -> Iterator[Document]:
    """Yields the documents of a file, which is read as a whole.

    Raises:
        InputError: It is no such file, or spaCy is not installed.
    """
    check_spacy(path)
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    try:
        docs = list(DocBin().from_disk(path).get_docs(Vocab()))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from error
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as error:
        raise InputError(f"is no DocBin of spaCy, or damaged ({error!s:.80})", path=path) from error
    for number, doc in enumerate(docs, start=1):
        place = f"{path}, document {number}"
        if doc.has_annotation("ENT_IOB"):
            missing = sum(token.ent_iob == 0 for token in doc)
            notes.count("tokens whose entity is open (-), read as O", place, missing)
        elif not doc.cats:
            notes.count("documents with neither entities nor categories annotated", place)
        grouped = sum(map(len, doc.spans.values()))
        notes.count("spans in doc.spans, left out: those of doc.ents are read", place, grouped)
        yield Document(
            doc.text,
            [(span.start_char, span.end_char, span.label_) for span in doc.ents],
            [label for label, value in doc.cats.items() if value >= 0.5],
            number,
            place,
            [(token.idx, token.idx + len(token)) for token in doc if not token.text.isspace()],
        )


def check_spacy(path: str) -> None:
    """Refuses these files where spaCy is not installed.

    Raises:
        InputError: It is not.
    """
    try:
        import spacy  # noqa: F401
    except ImportError as error:
        raise InputError("DocBin is spaCy's: pip install 'rnnlp[spacy]'", path=path) from error


def as_doc(answer: Mapping[str, Any], vocab: Vocab) -> Doc:
    """The answer of a pipeline as a document: no border of an entity lies inside a token.

    Args:
        answer: Has `text`, and `entities`, or `label` and `scores`, or all. The categories of the
            document are 1 for what is in `label` and 0 for other labels, as in spaCy's own data.
            With `tags` each entity is a token with a plain tag.
        vocab: What spaCy keeps strings in.
    """
    from spacy.tokens import Doc

    text, entities = answer["text"], answer.get("entities", ())
    borders = {0, len(text)} | {one[end] for one in entities for end in ("start", "end")}
    tokens = {one["start"] for one in entities} if "tags" in answer else ()
    *starts, _ = ordered = sorted(borders)
    words: list[str] = []
    spaces: list[bool] = []
    for start, end in zip(starts, ordered[1:], strict=True):
        part = text[start:end]
        for piece in [part] if start in tokens else _PIECES.findall(part):
            if piece[0] == " " and words and not spaces[-1]:  # spaCy keeps one with the token
                spaces[-1], piece = True, piece[1:]
            if piece:
                words.append(piece)
                spaces.append(False)
    doc = Doc(vocab, words=words, spaces=spaces)
    marked = ((one["start"], one["end"], one["entity_group"]) for one in entities)
    spans = [span for one in marked if (span := doc.char_span(*one)) is not None]
    if "tags" in answer:
        for span in spans:
            span[0].tag_ = span.label_
    elif "entities" in answer:
        doc.set_ents(spans)
    label = answer.get("label")
    chosen = label if isinstance(label, list) else [label]
    doc.cats = {name: float(name in chosen) for name in answer.get("scores", {})}
    return doc
