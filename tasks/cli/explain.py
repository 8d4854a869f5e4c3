"""`rnnlp explain`: a cell at work on a few numbers, every gate at every step, as a table.

The cell is small and its weights are random: it shows what the equations do, not what a model has
learned.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnlp.data.errors import InputError, note
from rnnlp.tasks.registry import load_plugins

from .parser import OneLineParser, add_plugin, plugins_of

if TYPE_CHECKING:
    from torch import Tensor

    from rnnlp.models.encoders.recurrent import Encoder

MOST = 16  # units that fit on a line


def explain(arguments: Sequence[str]) -> int:
    """Runs `rnnlp explain` with these arguments."""
    plugins, arguments = plugins_of(arguments)
    parser = OneLineParser(
        prog="rnnlp explain",
        description="Shows a small cell with random weights at work: its equations, its shapes, "
        "and the value of every gate of every unit after every token.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "cell", metavar="CELL", help="rnn, rnn_relu, lstm, gru, mingru, or one of --plugin FILE.py"
    )
    parser.add_argument(
        "--input",
        metavar="NUMBERS",
        default="1 0 0",
        help="tokens separated by blanks, the numbers of a token by commas, such as '1,0 0,1' "
        "(default: %(default)s)",
    )
    parser.add_argument("--hidden_size", type=int, default=2, help="units (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the weights (default: %(default)s)")
    parser.add_argument(
        "--forget_bias",
        type=float,
        help="what the bias of the gate that keeps the state starts from",
    )
    add_plugin(parser)
    args = parser.parse_args(list(arguments))
    load_plugins(plugins)
    tokens = numbers(args.input)
    if not 1 <= args.hidden_size <= MOST:
        raise InputError(f"--hidden_size is {args.hidden_size}: a line holds 1 to {MOST} units")

    import torch

    from rnnlp.models.encoders.recurrent import Encoder

    torch.manual_seed(args.seed)
    try:
        encoder = Encoder(
            input_size=len(tokens[0]),
            cell=args.cell,
            hidden_size=args.hidden_size,
            bidirectional=False,
            forget_bias=args.forget_bias,
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    if encoder.kind.values is None:
        note(f"{args.cell} does not name its gates (Cell.values): its states are shown")
    inputs = torch.tensor(tokens)
    sys.stdout.write(head(encoder) + "".join(table(inputs, steps(encoder, inputs))))
    return 0


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


def steps(encoder: Encoder, inputs: Tensor) -> list[dict[str, Tensor]]:
    """What each step computes, by name `[hidden_size]`, the state after it last.

    Args:
        encoder: One layer in one direction.
        inputs: `[time, input_size]`.
    """
    import torch

    from rnnlp.models.recurrence.cell import state_of

    (weights,) = encoder.weights(0)
    state, found = encoder.start(1), []
    with torch.no_grad():
        for token in inputs.split(1):
            if encoder.kind.values is not None:
                named = encoder.kind.values(token, weights, state)
                state = state_of(named)
            else:
                state = encoder.kind.step(token, weights, state)
                named = {} if state.cell is None else {"c": state.cell[0]}
                named["h"] = state.hidden[0]
            found.append({name: value[0] for name, value in named.items()})
    return found


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


def table(inputs: Tensor, values: Sequence[dict[str, Tensor]]) -> list[str]:
    """A block for each step, a line for each name, a column for each unit."""
    units = range(1, len(values[0]["h"]) + 1)
    blocks = []
    for number, (token, named) in enumerate(zip(inputs.tolist(), values, strict=True), 1):
        x = ", ".join(f"{value:g}" for value in token)
        lines = [
            f"\nstep {number}, x = {x}\n",
            "    " + "".join(f"{f'unit {unit}':>10}" for unit in units),
        ]
        for name, value in named.items():
            lines.append(f"\n  {name:2}" + "".join(f"{one:10.4f}" for one in value.tolist()))
        blocks.append("".join(lines) + "\n")
    return blocks
