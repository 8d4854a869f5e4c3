"""`rnnlp evaluate`: scores a model on a file, as a table or as one JSON object."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlp.data.errors import note
from rnnlp.tasks.base.options import add_options, taken
from rnnlp.tasks.model_folder.files import as_json
from rnnlp.tasks.registry import head_of, options_of

from .parser import OneLineParser, add_encoding, add_threads


def evaluate(arguments: Sequence[str]) -> int:
    """Runs `rnnlp evaluate` with these arguments."""
    options = options_of("EVALUATE")
    parser = OneLineParser(
        prog="rnnlp evaluate", description="Scores a model on a file.", allow_abbrev=False
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="+",
        help="a model folder or a hub id; of several the mean answers",
    )
    parser.add_argument("data", metavar="DATA", help="a file in any format that training accepts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--task", metavar="TASK", help="tagging or classification, of a model that does both"
    )
    parser.add_argument("--format", default="auto", help="the format of DATA (default: look at it)")
    add_encoding(parser)
    add_threads(parser)
    parser.add_argument(
        "--skip_bad_rows",
        action="store_true",
        help="leave out rows that cannot be read, and say how many (default: refuse them)",
    )
    add_options(parser, (option for some in options.values() for option in some))
    args = parser.parse_args(list(arguments))

    from rnnlp.tasks.inference.evaluate import evaluate_model
    from rnnlp.tasks.inference.load import load

    pipeline = head_of(load(args.model, threads=args.threads), args.task)
    with parser.own_options():
        evaluation = evaluate_model(
            pipeline,
            args.data,
            format=args.format,
            encoding=args.encoding,
            **({"skip_bad_rows": True} if args.skip_bad_rows else {}),
            **taken(args, options, task=pipeline.task, model=args.model[0]),
        )
    for line in evaluation.notes:
        note(line)
    print(as_json(evaluation.scores) if args.json else evaluation.table)
    return 0
