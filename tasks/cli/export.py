"""`rnnlp export`: a model for ONNX Runtime, as a folder that runs without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.errors import note

from .parser import OneLineParser


def export(arguments: Sequence[str]) -> int:
    """Runs `rnnlp export` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp export",
        description="Writes a model for ONNX Runtime, as a folder that runs without torch.",
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="a model folder or a hub id")
    parser.add_argument("--output", metavar="DIR", required=True, help="the folder to write")
    parser.add_argument(
        "--int8",
        action="store_true",
        help="weights in 8 bits: about a third of their size, nearly as good; a classifier's table "
        "of where n-grams are (4 MB) stays as it is",
    )
    parser.add_argument(
        "--data", metavar="FILE", help="score both models on this file, and show what was lost"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the model in DIR")
    args = parser.parse_args(list(arguments))

    from rnnlp.tasks.export.export import export

    before = None if args.data is None else _scores(args.model, args.data)  # or nothing is written
    folder = export(args.model, args.output, int8=args.int8, overwrite=args.overwrite)
    if args.int8 and before is None:
        note("scores differ a little in int8, also with what is in the same batch; --data measures")
    for file in sorted(folder.glob("*.onnx")):
        print(f"{file}  {_size(file)}")
    if before is not None:
        after = _scores(folder, args.data)
        for (name, one), (_, other) in zip(before, after, strict=True):
            print(f"{name}: {one:.4f}, exported {other:.4f} ({other - one:+.4f})")
    return 0


def _scores(model: str | Path, data: str) -> list[tuple[str, float]]:
    """The names and values of the scores of a model on a file."""
    from rnnlp.tasks.inference.evaluate import evaluate_model
    from rnnlp.tasks.inference.load import load
    from rnnlp.tasks.registry import head_of, task_spec

    pipeline = load(model)
    return [
        (name, score)
        for task in task_spec(pipeline.task).heads or (pipeline.task,)
        for name, score in evaluate_model(head_of(pipeline, task), data).scores.items()
        if isinstance(score, float) and name not in ("seconds", "tokens_per_second")
    ]


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
