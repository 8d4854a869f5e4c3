"""`rnnlp check`: what is wrong with labelled data, before a model is trained on it."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlp.data.errors import InputError, note, printable
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.tasks.base.options import column

from .parser import OneLineParser, add_encoding


def check(arguments: Sequence[str]) -> int:
    """Runs `rnnlp check` with these arguments; gives 1 where something is wrong."""
    parser = OneLineParser(
        prog="rnnlp check",
        description="Counts labels, lengths and unknown words, and looks for doubles, leaks "
        "between files, contradictory labels, ill-formed tags, spans that cut words, labels "
        "written in two ways, rare labels and damaged characters. Exit code 1: something was "
        "found.",
        allow_abbrev=False,
    )
    parser.add_argument("data", metavar="DATA", help="a file in any format that training accepts")
    parser.add_argument(
        "--against", metavar="FILE", nargs="+", default=[], help="validation and test files"
    )
    parser.add_argument(
        "--task", choices=("tagging", "classification"), help="default: by what DATA looks like"
    )
    parser.add_argument(
        "--level", choices=("word", "character"), default="word", help="how texts are split"
    )
    for name in ("text", "label"):
        parser.add_argument(
            f"--{name}_column",
            metavar="COLUMN",
            type=column,
            help=f"of a classifier's table: the {name}'s name in the header, or a number from 1",
        )
    parser.add_argument(
        "--label_separator", default="", metavar="MARK", help="what parts several labels of a text"
    )
    add_encoding(parser)
    args = parser.parse_args(list(arguments))

    from rnnlp.data.check.findings import Split, compare, look
    from rnnlp.data.check.items import items_of, task_of
    from rnnlp.data.corpus.report import Notes

    with named_encoding(args.encoding):
        task = args.task or task_of(args.data)
    if args.task is None:
        note(f"{args.data}: checked as data for {task}; --task says otherwise")
    asked = ("text_column", "label_column", "label_separator")
    if task == "tagging" and (odd := [name for name in asked if getattr(args, name)]):
        raise InputError(f"--{odd[0]} is for texts with labels (--task classification)")
    splits: list[Split] = []
    for path in (args.data, *args.against):
        notes = Notes()
        items = items_of(
            path,
            task,
            level=args.level,
            text_column=args.text_column,
            label_column=args.label_column,
            label_separator=args.label_separator,
            notes=notes,
        )
        with named_encoding(args.encoding):
            splits.append(look(path, items, notes, training=not splits))
    found = 0
    for split in splits:
        facts, problems = compare(splits[0], split) if split is not splits[0] else ([], [])
        problems = [*split.problems, *problems]
        found += len(problems)
        print(printable(split.name))
        for line in [*split.facts, *facts]:
            print(f"  {printable(line)}")
        for line in problems:
            print(f"  ! {printable(line)}")
    print(f"{found} kinds of problems" if found else "nothing wrong was found")
    return int(found > 0)
