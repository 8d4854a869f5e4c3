"""Scoring a translator on a file: translates the sources, and compares with the targets."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.text_files import read_lines
from rnnlp.data.translation.readers import BLANK, read_parallel

from .pipeline import TranslationPipeline
from .rouge import check_rouge
from .scores import TranslationScores, compare

CHUNK = 1024  # pairs that are translated together
_PROBED = 50  # pairs from which it is seen whether source and target are swapped


def evaluate_translation(
    pipeline: TranslationPipeline,
    path: str,
    *,
    format: str = "auto",
    source_column: str | int | None = None,
    target_column: str | int | None = None,
    features_column: str | int | None = None,
    against: str | None = None,
    skip_bad_rows: bool = False,
    **search: Any,
) -> tuple[dict[str, Any], str, list[str]]:
    """Scores a translator on a file.

    Args:
        pipeline: The translator.
        path: A file, or the common prefix of two, in any format that training accepts.
        format: The format, recognised by default.
        source_column: Column of the sources, by name or by number from 1.
        target_column: Column of the targets, likewise; of several that are right, in TSV, with
            commas.
        features_column: Column of features that a source comes with, likewise.
        against: A file with other translations, one a line, to compare with.
        skip_bad_rows: Whether rows that cannot be read are left out, with a note; else they are
            refused.
        search: Any of `SearchConfig`, where it is to be other than the model's own.

    Returns:
        The scores, the policy by which they were counted, and notes on the data.

    Raises:
        InputError: The files do not fit each other.
    """
    settings = pipeline.settings
    notes = Notes(skip_bad_rows=skip_bad_rows)
    scores = TranslationScores(
        language=settings.target,
        level=pipeline.target_tokenizer.level,
        beam_size=pipeline.searched_with(**search).beam_size,
        rouge=settings.metric == "rouge_l",
    )
    if scores.rouge:
        check_rouge()
    source_tokens = 0
    pairs = read_parallel(
        path,
        source=settings.source,
        target=settings.target,
        format=format,
        source_column=source_column,
        target_column=target_column,
        features_column=features_column,
        multi_reference=True,
        layout=settings.layout,
        notes=notes,
    )
    seconds = 0.0
    while chunk := list(islice(pairs, CHUNK)):
        sources, targets = [pair.source for pair in chunk], [pair.target for pair in chunk]
        if not scores.references:
            if pipeline.reads_features and not any("\t" in text for text in sources):
                raise InputError(
                    "no features of the sources, and the model reads them: set --features_column",
                    path=path,
                )
            check_direction(pipeline, sources[:_PROBED], targets[:_PROBED], notes)
        started = time.perf_counter()
        answers = pipeline(sources, **search)
        seconds += time.perf_counter() - started
        scores.add(
            [answer["translation_text"] for answer in answers],
            [pair.references for pair in chunk],
            log_probability=sum(pipeline.log_probabilities(sources, targets)),
            tokens=sum(1 + len(pipeline.target_tokenizer.encode(t)[0]) for t in targets),
        )
        source_tokens += sum(len(pipeline.featurizer.encode(text)[0].tokens) for text in sources)
        for note in pipeline.notes_on(sources):
            notes.add(note)
    gold, said = scores.references, scores.translations
    if not gold:
        raise InputError("no pairs to score", path=path)
    result = scores.result()
    if against is not None:
        others = [line for _, line in read_lines(against)]
        if len(others) != len(gold):
            blank = notes[BLANK]
            left = f" ({blank:,} more have a blank side: leave out their lines here)"
            raise InputError(
                f"{len(others):,} translations where {path} has {len(gold):,} pairs"
                f"{left if blank else ''}: one a line, in the same order",
                path=against,
            )
        result["against"] = compare(said, others, gold, language=settings.target)
    result |= {
        "examples": len(gold),
        "seconds": round(seconds, 3),
        "tokens_per_second": round(source_tokens / seconds) if seconds else 0,
    }
    return result, scores.policy, notes.lines()


def check_direction(
    pipeline: TranslationPipeline, sources: list[str], targets: list[str], notes: Notes
) -> None:
    """Notes where source and target seem to be swapped, by the model's own probabilities.

    A note and no refusal: a weak model finds many a right pair likelier the other way round.

    Args:
        pipeline: The translator.
        sources: Texts as they are to be read.
        targets: Their translations.
        notes: Takes the note.
    """
    losses = []
    for read, wanted in ((sources, targets), (targets, sources)):
        tokens = sum(1 + len(pipeline.target_tokenizer.encode(text)[0]) for text in wanted)
        losses.append(-sum(pipeline.log_probabilities(read, wanted)) / tokens)
    as_given, swapped = losses
    if swapped < as_given:
        source, target = pipeline.settings.source, pipeline.settings.target
        notes.add(
            f"source and target may be swapped: this model translates from {source} to {target}, "
            f"and the first {len(sources)} pairs are likelier the other way round ({swapped:.2f} "
            f"nats a token against {as_given:.2f}); if so, name the columns with --source_column "
            "and --target_column"
        )
