"""`rnnlp predict`: texts in, one JSON object a line out, in input order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, TextIO

from rnnlp.data.annotation.docbin import as_doc, check_spacy, is_docbin
from rnnlp.data.annotation.preannotations import PLAIN, WRITERS, Writer, check_answer
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, note
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.formats.text_files import stem
from rnnlp.tasks.base.options import VECTOR_COLUMN, add_options, taken
from rnnlp.tasks.model_folder.files import as_json
from rnnlp.tasks.registry import options_of

from .destination import destination
from .parser import OneLineParser, add_threads
from .pictures import picture_file, write_picture
from .progress import Progress
from .rows import Row, columns_beside
from .shards import shards
from .streaming import add_stream_options, check_stream_options, stream_stdin
from .tables import SUFFIXES, Answers, AnswerTable
from .texts import (
    add_text_arguments,
    check_stdin,
    check_text_arguments,
    given_rows,
    models_among,
)
from .vectors import reads_vectors, vector_rows
from .workers import in_order


def predict(arguments: Sequence[str]) -> int:
    """Runs `rnnlp predict` with these arguments."""
    options, streaming = options_of("PREDICT"), options_of("STREAM")
    parser = OneLineParser(
        prog="rnnlp predict",
        description="Labels, translates or writes texts: one JSON object a line, in input order.",
        allow_abbrev=False,
    )
    add_text_arguments(parser)
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write here instead of stdout; a table where it ends in .csv, .tsv, .xlsx or "
        ".parquet, packed where it ends in .gz",
    )
    parser.add_argument(
        "--format",
        choices=(*WRITERS, "spacy"),
        help="write pre-annotations that this annotation tool imports; spacy: a DocBin (.spacy)",
    )
    VECTOR_COLUMN.add_to(parser)
    add_threads(parser)
    add_stream_options(parser)
    every = [option for some in (*options.values(), *streaming.values()) for option in some]
    add_options(parser, every)
    args = parser.parse_intermixed_args(list(arguments))  # options between texts
    more = models_among(args)
    check_stream_options(args, every, streaming)
    if args.stream and args.workers > 1:
        raise InputError("--workers are for whole texts: leave out --stream")
    if args.stream and args.format:
        raise InputError("--format is for whole texts: leave out --stream")
    # Writes without a prompt.
    count, vectors = getattr(args, "count", None), getattr(args, "vectors", None)
    unprompted = not (count is vectors is None)
    if args.stream:
        check_stdin("predict")
    else:
        check_text_arguments(args, verb="predict", needed=not unprompted)

    from rnnlp.tasks.inference.load import load

    pipeline: Any = load([args.model, *more], threads=args.threads)
    if more:
        note(f"the mean of {1 + len(more)} models answers")
    chosen = taken(
        args, streaming if args.stream else options, task=pipeline.task, model=args.model
    )
    if args.stream:
        with destination(args.output) as out:
            stream_stdin(pipeline, chosen, by_line=args.by_line, out=out)
        return 0
    if chosen.get("explain") and not pipeline.explains:
        raise InputError(
            "has no token weights to show: --explain is for classifiers with attention pooling",
            path=args.model,
        )
    if takes_vectors := reads_vectors(args, pipeline):
        source = vector_rows(args, pipeline.settings)
    elif unprompted and not args.texts and not args.input:
        source = iter([[Row("", {})] * len(chosen.get("vectors", [""]))])
    else:
        source = given_rows(args, pipeline.layout)
    if (picture := chosen.pop("attention", None)) is not None:
        source = draw_first(pipeline, source, picture)
    remarks = getattr(pipeline, "notes_on", None)
    writes = getattr(pipeline, "writes", False)  # each text then has random numbers of its own
    empty = True
    writer = WRITERS.get(args.format, PLAIN)
    if writer.hint:
        note(writer.hint)
    as_docbin = args.format == "spacy"
    if as_docbin and not (args.output and is_docbin(args.output)):
        raise InputError("--format spacy writes a DocBin: give --output FILE.spacy")
    as_table = args.output is not None and stem(args.output)[1] in SUFFIXES
    if as_table and args.format:
        raise InputError(
            f"--format {args.format} writes JSON: let --output end in .json or .jsonl",
            path=args.output,
        )
    with ExitStack() as held:
        inputs = shards(args.input) if args.input and args.output else ()
        out = held.enter_context(destination(args.output, inputs=inputs))
        held.enter_context(named_encoding(args.encoding))
        progress = held.enter_context(Progress("texts"))
        answered: Answers
        if as_docbin:
            answered = AnswerDocs(out, args.output)
        else:
            answered = AnswerTable(out, args.output) if as_table else AnswerLines(out, writer)
        held.enter_context(answered)
        work = partial(answers_to, pipeline, chosen)
        items = work_on(
            source,
            each=count or 1 if writes else None,
            vectors=takes_vectors,
            settings=pipeline.settings,
            notes=(notes := Notes()),
        )
        for rows, answers in in_order(work, items, workers=args.workers):
            empty = False
            for line in remarks([row.text for row in rows]) if remarks else ():
                note(line)
            each = len(answers) // len(rows)  # a prompt may be gone on with several times
            answered.add([(rows[place // each], one) for place, one in enumerate(answers)])
            progress.add(len(rows))
    for line in notes.counts():
        note(line)
    if empty:  # an empty file is an error already
        if takes_vectors and count is not None:
            size = pipeline.settings.vector_size
            raise InputError(f"the model writes from vectors of {size} numbers: give vectors")
        advice = "; --count N writes without a prompt" if writes and not takes_vectors else ""
        note(f"stdin is empty{advice}")
    return 0


def answers_to(
    pipeline: Any, chosen: Mapping[str, Any], item: tuple[list[str], dict[str, Any]]
) -> list[dict[str, Any]]:
    """What a model says of some texts.

    Args:
        pipeline: The model.
        chosen: Its options for all texts.
        item: The texts, and the options that are theirs alone.
    """
    texts, own = item
    answers: list[dict[str, Any]] = pipeline(texts, **chosen, **own)
    return answers


def work_on(
    source: Iterator[list[Row]], *, each: int | None, vectors: bool, settings: Any, notes: Notes
) -> Iterator[tuple[list[Row], tuple[list[str], dict[str, Any]]]]:
    """Rows with their texts, and what of the pipeline's options is their own.

    Args:
        source: The rows, some at a time.
        each: Answers to a text, whose number decides; None where it does not.
        vectors: Whether texts are written from vectors.
        settings: Those of the model, which say what columns are read beside the texts.
        notes: Takes the count of values there that training never saw.
    """
    number = 0
    for rows in source:
        own: dict[str, Any] = {} if each is None else {"first": number}
        if vectors:
            own["vectors"] = [row.vector for row in rows]
        if (columns := columns_beside(rows, settings, notes)) is not None:
            own["columns"] = columns
        yield rows, ([row.text for row in rows], own)
        number += len(rows) * (each or 0)


class AnswerLines(Answers):
    """Writes answers as JSON; what has been added is read at once.

    Args:
        out: The file.
        writer: What an object is made of, and what stands around it.
    """

    def __init__(self, out: TextIO, writer: Writer) -> None:
        self._out, self._writer = out, writer
        self._begun = False

    def add(self, answered: Sequence[tuple[Row, Mapping[str, Any]]]) -> None:
        """Adds rows of the input with their answers."""
        for row, answer in answered:
            before = self._writer.between if self._begun else self._writer.begin
            written = as_json(self._writer.row(answer, row.others), cells=True)
            self._out.write(before + written)
            self._out.write(self._writer.after)
            self._begun = True
        self._out.flush()

    def close(self) -> None:
        """Writes the end; of no answers at all the beginning as well."""
        self._out.write(("" if self._begun else self._writer.begin) + self._writer.end)


class AnswerDocs(Answers):
    """Writes answers as a DocBin of spaCy, all at the end.

    Args:
        out: The file.
        path: Its name.

    Raises:
        InputError: spaCy is not installed.
    """

    def __init__(self, out: TextIO, path: str) -> None:
        check_spacy(path)
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab

        self._out, self._vocab, self._docs = out, Vocab(), DocBin(store_user_data=True)

    def add(self, answered: Sequence[tuple[Row, Mapping[str, Any]]]) -> None:
        """Adds rows of the input with their answers; other columns become `doc.user_data`."""
        for row, answer in answered:
            doc = as_doc(check_answer(answer), self._vocab)
            doc.user_data.update(row.others)
            self._docs.add(doc)

    def close(self) -> None:
        """Writes the file."""
        self._out.buffer.write(self._docs.to_bytes())


def draw_first(pipeline: Any, source: Iterator[list[Row]], path: str) -> Iterator[list[Row]]:
    """Passes texts on, and draws the alignment of the first one that is not blank.

    Args:
        pipeline: A translator.
        source: The rows, some at a time.
        path: The picture, a `.png` file.

    Raises:
        InputError: It cannot be written there.
    """
    from rnnlp.tasks.reporting.attention_map import draw_alignment

    target = picture_file(path, option="--attention", kinds=[".png"])
    drawn = False
    for rows in source:
        text = next((row.text for row in rows if row.text.strip()), "")
        if not drawn and text:
            alignment = pipeline.align(text)
            tokens = (*alignment.source, *alignment.target)
            write_picture(target, partial(draw_alignment, *alignment), tokens)
            drawn = True
        yield rows
