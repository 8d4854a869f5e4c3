"""`rnnlp distil`: the command line in front of `tasks/distil`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.errors import InputError
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.formats.layout import Layout

from .parser import OneLineParser, add_encoding, shows_help
from .rows import file_rows

HELP = """\
usage: rnnlp distil TEACHER [TEACHER ...] --unlabelled FILE --config NAME|FILE [--KEY VALUE ...]
       rnnlp distil TEACHER [TEACHER ...] --data.train FILE --config NAME|FILE [--KEY VALUE ...]

A teacher labels texts, and a student is trained on what it says: classifiers on its probabilities,
taggers on its probabilities of tags, translators on its translations. Where a program teaches a
tagger entities, a sentence counts as these are sure.

  TEACHER              a model folder; of several the mean teaches
  --teacher_command C  or a program that reads texts on stdin, one a line, and answers each with a
                       line of JSON, as predict does or pipelines of transformers
  --unlabelled FILE    one text a line, JSON lines, or a table
  --text_column COLUMN where FILE has the text
  --config NAME|FILE   of the student, as for fit; may be given again
  --output DIR         the student's folder (default: runs/distil-<config name>); what the teacher
                       said lies beside it, as DIR.teacher.jsonl
  --overwrite          replace the model in the folder
  --data.train FILE    labelled texts as well, or alone (classification; tagging where models
                       teach), read as fit --config NAME reads it
  --hard_share H       how much of their loss is their labels, the rest what the teacher says of
                       them (default: 0.5)
  --model.soft_temperature T   softens both sides (default: 1)
  --data.validation FILE       every key of fit can be given (rnnlp fit --config NAME --help)
"""


def distil(arguments: Sequence[str]) -> int:
    """Runs `rnnlp distil` with these arguments."""
    if (code := shows_help(arguments, HELP)) is not None:
        return code
    parser = OneLineParser(prog="rnnlp distil", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", action="append", required=True)
    parser.add_argument("--unlabelled")
    parser.add_argument("--teacher_command")
    parser.add_argument("--text_column")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--data.train", dest="train")
    parser.add_argument("--hard_share", type=float, default=0.5)
    add_encoding(parser)
    known, rest = parser.parse_known_args(list(arguments))
    teachers, settings = _teachers(rest)

    if known.unlabelled is None and known.train is None:
        raise InputError("of which texts? Give --unlabelled FILE, or --data.train FILE, or both")

    from rnnlp.tasks.distil.run import distil as run

    texts: list[str] = []
    if known.unlabelled is not None:
        with named_encoding(known.encoding):
            rows = file_rows(known.unlabelled, known.text_column, Layout(), set())
            texts = [row.text for row in rows]
    run(
        teachers,
        texts,
        known.config,
        output=known.output or Path("runs") / f"distil-{Path(known.config[-1]).stem}",
        command=known.teacher_command,
        train=known.train,
        hard_share=known.hard_share,
        overwrite=known.overwrite,
        arguments=settings,
    )
    return 0


def _teachers(rest: Sequence[str]) -> tuple[list[str], list[str]]:
    """The model folders, which stand before the first setting, and the settings."""
    end = next((place for place, part in enumerate(rest) if part.startswith("-")), len(rest))
    return list(rest[:end]), list(rest[end:])
