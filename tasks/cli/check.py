"""`rnnlp check`: what is wrong with labelled data, before or after a model is trained on it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rnnlp.data.errors import InputError, counted, note, printable
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.formats.layout import Layout
from rnnlp.tasks.base.options import column

from .destination import check_not_read
from .parser import OneLineParser, add_encoding

if TYPE_CHECKING:
    from rnnlp.data.check.findings import Split
    from rnnlp.data.check.items import Item
    from rnnlp.data.corpus.report import Notes
    from rnnlp.tasks.check.mislabelled import Doubt, Judge

SHOWN = 20  # labels that are probably wrong; a page has all
_CLASSIFIER = ("text_column", "label_column", "label_separator", "label_before")


def check(arguments: Sequence[str]) -> int:
    """Runs `rnnlp check` with these arguments; gives 1 where something is wrong."""
    parser = _parser()
    args = parser.parse_args(list(arguments))
    _check_destinations(args)

    from rnnlp.data.check.findings import compare, look
    from rnnlp.data.check.items import task_of

    with parser.own_options(), named_encoding(args.encoding):
        task = args.task or task_of(args.data)
        if args.task is None:
            note(f"{args.data}: checked as data for {task}; --task says otherwise")
        if task == "tagging" and (odd := [n for n in _CLASSIFIER if getattr(args, n)]):
            raise InputError(f"--{odd[0]} is for texts with labels (--task classification)")
        layout = _layout_to_fix(args, task) if args.fix else Layout()
        with _judges(args, task) as judges:
            read = _reader(args, task, judges)
            splits: list[Split] = []
            for path in (args.data, *args.against):
                items, notes = read(path)
                splits.append(look(path, items, notes, training=not splits))
            doubts = _doubts(judges, read, args.data, splits[0])
        if args.fix:
            _write_cleaned(args, layout, read)
    findings = 0
    for split in splits:
        facts, problems = compare(splits[0], split) if split is not splits[0] else ([], [])
        split.facts.extend(facts)
        split.problems.extend(problems)
        findings += len(split.problems)
        print(printable(split.name))
        for line in split.facts:
            print(f"  {printable(line)}")
        for line in split.problems:
            print(f"  ! {printable(line)}")
        for doubt in doubts[:SHOWN] if split is splits[0] else ():
            print(f"    {printable(_line(doubt))}")
    if len(doubts) > SHOWN:
        print(f"the {SHOWN} surest of {len(doubts):,} are shown; --page FILE.html lists all")
    print(f"{counted(findings, 'kind')} of problems" if findings else "nothing wrong was found")
    if args.page:
        _write_page(args.page, splits, doubts)
    return int(findings > 0)


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="rnnlp check",
        description="Counts labels, lengths and unknown words, and looks for doubles, leaks "
        "between files, contradictory labels, ill-formed tags, spans that cut words, labels "
        "written in two ways, rare labels and damaged characters; with a model, for labels that "
        "are probably wrong. Exit code 1: something was found.",
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
        "--level",
        choices=("word", "character"),
        help="how texts are split (default: as the model does, or words)",
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
    parser.add_argument(
        "--label_before", default="", metavar="MARK", help="only what stands before it counts"
    )
    judge = parser.add_mutually_exclusive_group()
    judge.add_argument(
        "--model",
        metavar="MODEL",
        help="look for wrong labels with a model that has not learned from DATA, or with the "
        "folder of `fit --data.folds`, whose data DATA is",
    )
    judge.add_argument(
        "--folds", type=int, metavar="N", help="look for wrong labels by cross-validation"
    )
    parser.add_argument(
        "--config",
        metavar="CONFIG",
        help="what --folds trains (default: for texts a linear model of n-grams, in seconds; for "
        "tags ner)",
    )
    parser.add_argument("--page", metavar="FILE.html", help="write all that is found as a page")
    parser.add_argument(
        "--fix",
        metavar="FILE",
        help="write DATA without repeated examples, in UTF-8 with line ends LF",
    )
    add_encoding(parser)
    return parser


def _check_destinations(args: argparse.Namespace) -> None:
    """Refuses what cannot be written, or would be written over what is read."""
    from rnnlp.tasks.model_folder.folder import published_files

    inputs = [args.data, *args.against, *filter(None, (args.config,))]
    if args.model is not None:
        folders = [Path(args.model), *Path(args.model).glob("fold_*")]
        inputs += [str(file) for folder in folders for file in published_files(folder)]
    for option, path in (("--page", args.page), ("--fix", args.fix)):
        if path is None:
            continue
        if Path(path).is_dir() or not Path(path).parent.is_dir():
            raise InputError("cannot be written: give a file in a folder there is", path=path)
        check_not_read(path, inputs, option=option)
    if args.page and args.fix and Path(args.page).resolve() == Path(args.fix).resolve():
        raise InputError("--page and --fix name the same file", path=args.fix)


@contextmanager
def _judges(args: argparse.Namespace, task: str) -> Iterator[list[Judge]]:
    """The models that are asked for their beliefs; none where none are wanted."""
    if args.model is None and args.folds is None:
        if args.config is not None:
            raise InputError("--config says what --folds trains: give --folds as well")
        yield []
        return

    from rnnlp.tasks.check.mislabelled import judges_of

    if args.model is not None:
        yield judges_of(args.model, args.data, task)
        return

    from rnnlp.tasks.fit.run import fit

    names = ("encoding", "level", *_CLASSIFIER)
    data = {name: value for name in names if (value := getattr(args, name))}
    settings: dict[str, Any] = {"data": {"train": args.data, "folds": args.folds, **data}}
    if task == "classification" and args.config is None:
        ngrams = 4 if args.level == "character" else 3
        settings["model"] = {"recurrent": False, "ngrams": ngrams}
        settings["data"]["lowercase"] = True
    config = args.config or ("ner" if task == "tagging" else "sentiment")
    with TemporaryDirectory() as folder:
        with redirect_stdout(sys.stderr):  # stdout is for what is found
            fit(config, output=folder, **settings)
        yield judges_of(folder, args.data, task)


def _reader(
    args: argparse.Namespace, task: Any, judges: Sequence[Judge]
) -> Callable[[str], tuple[Iterator[Item], Notes]]:
    """What reads the examples of a file, as the user says or else as the model knows."""
    from rnnlp.data.check.items import items_of
    from rnnlp.data.corpus.report import Notes

    settings = judges[0].pipeline.settings if judges else None
    level = judges[0].pipeline.featurizer.level if judges else "word"
    options = {name: getattr(args, name) for name in _CLASSIFIER}
    for name in ("label_separator", "label_before"):
        options[name] = options[name] or getattr(settings, name, "")
    layout = judges[0].pipeline.layout if judges else Layout()
    if columns := getattr(settings, "columns", ()):
        options["feature_columns"] = [column.name for column in columns]

    def read(path: str) -> tuple[Iterator[Item], Notes]:
        notes = Notes()
        how = {**options, "level": args.level or level, "layout": layout}
        return items_of(path, task, notes=notes, **how), notes

    return read


def _doubts(
    judges: Sequence[Judge],
    read: Callable[[str], tuple[Iterator[Item], Notes]],
    path: str,
    split: Split,
) -> list[Doubt]:
    """The labels that are probably wrong; what was judged is added to what is known of the file."""
    if not judges:
        return []
    from rnnlp.data.corpus.report import Notes
    from rnnlp.tasks.check.mislabelled import doubts

    if judges[0].lines is None:
        note("a model that has learned from these very labels believes them: better are --folds")
    notes = Notes()
    wrong, count = doubts(judges, read(path)[0], notes)
    split.facts.extend(notes.lines())
    split.facts.append(f"labels judged by {counted(len(judges), 'model')}: {count:,}")
    if wrong:
        share = 100 * len(wrong) / count
        split.problems.append(f"labels that are probably wrong: {len(wrong):,} ({share:.1f} %)")
    return wrong


def _line(doubt: Doubt) -> str:
    text = doubt.text if len(doubt.text) <= 80 else f"{doubt.text[:79]}…"
    return f"{doubt.place}: {doubt.label}, believed {doubt.believed} ({doubt.score:.2f}): {text}"


def _write_page(path: str, splits: Sequence[Split], doubts: Sequence[Doubt]) -> None:
    from rnnlp.tasks.reporting.report import Section, Table, write_page

    sections = [
        Section(split.name, [*split.facts, *(f"! {line}" for line in split.problems)])
        for split in splits
    ]
    if doubts:
        rows = [
            [one.place, one.label, one.believed, f"{one.score:.2f}", f"{one.own:.2f}", one.text]
            for one in doubts
        ]
        header = ["place", "label", "believed", "probability", "of the label", "text"]
        sections.append(Section("Labels that are probably wrong", table=Table(header, rows)))
    write_page(Path(path), title=f"rnnlp check {splits[0].name}", sections=sections)


def _layout_to_fix(args: argparse.Namespace, task: Any) -> Layout:
    from rnnlp.data.check.cleaned import layout_for_cleaning

    return layout_for_cleaning(
        args.data, task, text_column=args.text_column, label_column=args.label_column
    )


def _write_cleaned(
    args: argparse.Namespace,
    layout: Layout,
    read: Callable[[str], tuple[Iterator[Item], Notes]],
) -> None:
    from rnnlp.data.check.cleaned import write_cleaned
    from rnnlp.tasks.model_folder.atomic import write_atomically

    said: list[str] = []

    def write(part: Path) -> None:
        packed = args.fix.lower().endswith(".gz")
        said.extend(write_cleaned(args.data, part, read(args.data)[0], layout, packed=packed))

    write_atomically(Path(args.fix), write)
    for line in said or ["the same as before"]:
        note(f"{args.fix}: {line}")
