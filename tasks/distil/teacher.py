"""The teacher: a model folder, several that answer together, or a command of the user's own.

What it says of texts is what `rnnlp predict` prints, one dictionary a text.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.data.formats.jsonl import json_object

KEPT = ("scores", "probabilities", "votes", "label", "weight")  # of what is said of a whole text

CHUNK = 1024  # texts that are in memory at once
LEAST = 1e-4  # probability of a tag that is written down

Answer = dict[str, Any]
Teacher = Callable[[Sequence[str]], Iterator[Answer]]


def command_teacher(command: str) -> Teacher:
    """A teacher that is a program: texts on stdin, one a line; one JSON answer a line on stdout.

    An answer is an object with `scores`, `label`, `votes`, `entities` or `translation_text`, or the
    list of labels and scores that pipelines of transformers print. Line breaks within a text become
    blanks.

    Args:
        command: The program with its arguments, as a shell splits them; no shell runs it.
    """

    def answers(texts: Sequence[str]) -> Iterator[Answer]:
        lines = "".join(" ".join(text.splitlines()) + "\n" for text in texts)
        try:
            run = subprocess.run(
                shlex.split(command), input=lines.encode(), stdout=subprocess.PIPE, check=False
            )
        except (OSError, ValueError) as error:
            raise InputError(f"--teacher_command cannot be run ({error}): {command}") from error
        said = run.stdout.decode("utf-8", errors="replace").splitlines()
        if run.returncode or len(said) != len(texts):
            raise InputError(
                f"--teacher_command gave {len(said):,} lines for {len(texts):,} texts (exit code "
                f"{run.returncode}): it must answer each line with one line of JSON"
            )
        for number, (text, line) in enumerate(zip(texts, said, strict=True), start=1):
            try:
                bare = line.lstrip().startswith("[")  # as transformers print it
                answer = json_object(f'{{"label": {line}}}' if bare else line)
            except InputError as error:
                raise InputError(f"--teacher_command, answer {number}: {error.message}") from error
            yield {**answer, "text": text}

    return answers


def tagging_teacher(pipeline: Any) -> Teacher:
    """A tagger, or several: the tokens of a text, and the probability of each tag of each.

    Args:
        pipeline: As `rnnlp.load` gives it.
    """

    def answers(texts: Sequence[str]) -> Iterator[Answer]:
        split = pipeline.featurizer.split
        for first in range(0, len(texts), CHUNK):
            some = texts[first : first + CHUNK]
            sentences = [[text[start:end] for start, end in split(text)] for text in some]
            for text, tokens, scores in zip(
                some, sentences, tag_shares(pipeline, sentences), strict=True
            ):
                yield {"text": text, "tokens": tokens, "scores": scores}

    return answers


def tag_shares(
    pipeline: Any, sentences: Sequence[Sequence[str]]
) -> Iterator[list[dict[str, float]]]:
    """The probability of each tag of each token, but for tags that are next to impossible.

    Args:
        pipeline: A tagger, as `rnnlp.load` gives it.
        sentences: Tokens of each sentence.
    """
    names = pipeline.settings.tags
    for first in range(0, len(sentences), CHUNK):
        for shares in pipeline.marginals(sentences[first : first + CHUNK]):
            yield [
                {
                    name: round(float(share), 4)
                    for name, share in zip(names, row, strict=True)
                    if share >= 0.5 * LEAST
                }
                for row in shares
            ]


def rows_of(answers: Iterator[Answer]) -> Iterator[Answer]:
    """Training examples of answers, one by one.

    Texts for a classifier have a probability a label, tokens for a tagger one a tag. Where there
    are entities only, a sentence counts as much as these are sure, on the average. Translations
    are those that the teacher takes for the best (Kim and Rush 2016).

    Raises:
        InputError: The answers are of no task that can be distilled.
    """
    for answer in answers:
        text = answer["text"]
        if "translation_text" in answer:
            yield {"source": text, "target": answer["translation_text"]}
        elif "tokens" in answer and "scores" in answer:
            if answer["tokens"]:
                yield {"tokens": answer["tokens"], "scores": answer["scores"]}
        elif "entities" in answer:
            sure = [float(one.get("score", 1.0)) for one in answer["entities"]]
            weight = round(sum(sure) / len(sure), 4) if sure else 1.0
            said = ("tokens", "tags") if "tags" in answer else ("text", "entities")
            yield {**{key: answer[key] for key in said}, "weight": weight}
        elif kept := {key: answer[key] for key in KEPT if key in answer}:
            yield {"text": text, **kept}
        else:
            raise InputError(
                f"an answer with {', '.join(answer)} teaches nothing: labels of classifiers, "
                "entities of taggers and translations can be distilled"
            )
