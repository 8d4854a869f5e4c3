"""`rnnlp explain`: every gate at every step, of a small cell or of a trained model.

A cell works on a few numbers with random weights: that shows what the equations do. A model reads a
text: that shows what it has learned.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlp.data.errors import InputError, note

from .parser import OneLineParser
from .pictures import picture_file, write_picture

if TYPE_CHECKING:
    from torch import Tensor

    from rnnlp.models.encoders.recurrent import Encoder

MOST = 16  # units that fit on a line
INPUT, HIDDEN_SIZE, SEED = "1 0 0", 2, 1  # of a cell, unless others are given


def explain(arguments: Sequence[str]) -> int:
    """Runs `rnnlp explain` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp explain",
        description="Shows the value of every gate after every token. Of a CELL: small, with "
        "random weights, unit by unit, with its equations and shapes. Of a MODEL that reads a "
        "TEXT: the mean over its units, or one of them.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "cell",
        metavar="CELL|MODEL",
        help="rnn, rnn_relu, lstm, gru, mingru, ssru, or one of --plugin FILE.py; with a TEXT a "
        "model folder or a hub id",
    )
    parser.add_argument("text", metavar="TEXT", nargs="?", help="what the model reads")
    cell = parser.add_argument_group("of a cell")
    cell.add_argument(
        "--input",
        metavar="NUMBERS",
        help="tokens separated by blanks, the numbers of a token by commas, such as '1,0 0,1' "
        f"(default: '{INPUT}')",
    )
    cell.add_argument("--hidden_size", type=int, help=f"units (default: {HIDDEN_SIZE})")
    cell.add_argument("--seed", type=int, help=f"of the weights (default: {SEED})")
    cell.add_argument(
        "--forget_bias",
        type=float,
        help="what the bias of the gate that keeps the state starts from",
    )
    model = parser.add_argument_group("of a model")
    model.add_argument("--layer", type=int, help="from 1, the lowest (default: the last)")
    model.add_argument("--direction", choices=("forward", "backward"), help="(default: forward)")
    model.add_argument("--unit", type=int, help="one unit, from 1 (default: the mean over all)")
    model.add_argument("--output", metavar="FILE", help="a heat map, .png or .svg")
    args = parser.parse_args(list(arguments))
    of_cell, of_model = (
        [name for name in names if getattr(args, name) is not None]
        for names in (
            ("input", "hidden_size", "seed", "forget_bias"),
            ("layer", "direction", "unit", "output"),
        )
    )
    if args.text is None and of_model:
        raise InputError(f"--{of_model[0]} is for a model that reads a text: give MODEL and TEXT")
    if args.text is not None and of_cell:
        raise InputError(f"--{of_cell[0]} is for a cell: leave it out, or TEXT")
    if args.text is None:
        explain_cell(args)
    else:
        explain_model(args)
    return 0


def explain_model(args: Namespace) -> None:
    """Prints, and perhaps draws, the gates of a model over a text."""
    from rnnlp.tasks.inference.load import load
    from rnnlp.tasks.reporting.gate_map import draw_gates

    target = None
    if args.output is not None:
        target = picture_file(args.output, option="--output", kinds=[".png", ".svg"])
    gates = load(args.cell).gates(
        args.text, layer=args.layer, direction=args.direction or "forward"
    )
    sys.stdout.write(gates.table(args.unit))
    if target is not None:
        draw = partial(draw_gates, gates, unit=args.unit, kind=target.suffix.lower()[1:])
        write_picture(target, draw, gates.tokens)


def explain_cell(args: Namespace) -> None:
    """Prints what a small cell computes from a few numbers."""
    if Path(args.cell).is_dir():
        raise InputError("is a folder: give the text that the model is to read", path=args.cell)
    tokens = numbers(INPUT if args.input is None else args.input)
    size = HIDDEN_SIZE if args.hidden_size is None else args.hidden_size
    if not 1 <= size <= MOST:
        raise InputError(f"--hidden_size is {size}: a line holds 1 to {MOST} units")

    import torch

    from rnnlp.models.encoders.gates import gate_values
    from rnnlp.models.encoders.recurrent import Encoder

    torch.manual_seed(SEED if args.seed is None else args.seed)
    try:
        encoder = Encoder(
            input_size=len(tokens[0]),
            cell=args.cell,
            hidden_size=size,
            bidirectional=False,
            forget_bias=args.forget_bias,
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    if encoder.kind.values is None:
        note(f"{args.cell} does not name its gates (Cell.values): its states are shown")
    (values,) = gate_values(encoder, torch.tensor(tokens))
    sys.stdout.write(head(encoder) + "".join(table(tokens, values)))


def numbers(text: str) -> list[list[float]]:
    """The tokens of `--input`.

    Raises:
        InputError: It holds no numbers, or tokens of several sizes.
    """
    try:
        tokens = [[float(number) for number in token.split(",")] for token in text.split()]
    except ValueError as error:
        raise InputError(f"--input {text!r} must hold numbers, such as '1 0 0'") from error
    if not tokens or len({len(token) for token in tokens}) > 1:
        raise InputError(f"--input {text!r} must hold tokens of one size, such as '1,0 0,1'")
    return tokens


def head(encoder: Encoder) -> str:
    """The equations of a cell and the shapes of its weights."""
    lines = [f"{encoder.kind.title}: {encoder.input_size} in, {encoder.hidden_size} units", ""]
    if encoder.kind.equations:
        lines += [f"  {line}" for line in encoder.kind.equations.splitlines()]
        lines += [
            "",
            "  s: logistic function, x: token, h' c': before it, *: element by element",
            "",
        ]
    for name, parameter in encoder.named_parameters():
        lines.append(f"  {name:14} {list(parameter.shape)}")
    total = sum(parameter.numel() for parameter in encoder.parameters())
    return "\n".join([*lines, f"  {'parameters':14} {total:,}", ""])


def table(tokens: Sequence[Sequence[float]], values: Mapping[str, Tensor]) -> list[str]:
    """A block for each step, a line for each name, a column for each unit."""
    units = range(1, values["h"].shape[1] + 1)
    blocks = []
    for step, token in enumerate(tokens):
        x = ", ".join(f"{value:g}" for value in token)
        lines = [
            f"\nstep {step + 1}, x = {x}\n",
            "    " + "".join(f"{f'unit {unit}':>10}" for unit in units),
        ]
        for name, value in values.items():
            numbers = "".join(f"{one:10.4f}" for one in value[step].tolist())
            lines.append(f"\n  {name:2}{numbers}")
        blocks.append("".join(lines) + "\n")
    return blocks
