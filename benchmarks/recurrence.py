"""Measures the recurrences of rnnlp against torch.nn and against their bare matrix products.

Everything is timed in one run, in turns, and each figure is the median over the turns, so that a
ratio compares things measured under the same conditions. Contenders:

- ours: `models/encoders/recurrent.py`.
- packed: torch.nn on a packed sequence, as everyone uses it.
- padded: torch.nn on the padded batch. Wrong for the backward direction and for final states.
- products: the matrix products no recurrence can do without, and nothing else: the inputs of all
  tokens at once, one product with the state for each step, and for training the product of each
  step's gradient with the recurrent weights and one product each for the gradients of the inputs
  and of the two weights.

Lengths are uniform in [T/2, T], at least one of them T. Prints a table and one JSON object, and
writes a plot next to this file.

    python benchmarks/recurrence.py                  the full grid
    python benchmarks/recurrence.py --quick          the shapes the targets name
    python benchmarks/recurrence.py --memory         peak memory, each contender in its own process
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlp.models.encoders.recurrent import Encoder

TIMES = (10, 25, 50, 100, 200, 400)  # the longest sentence, in tokens
SIZE = 256  # of the input and of the state
MODULES: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CONTENDERS = ("ours", "packed", "padded", "products")


class Shape(NamedTuple):
    """What is measured."""

    cell: str
    batch: int
    time: int
    directions: int
    training: bool

    def __str__(self) -> str:
        directions = "both" if self.directions == 2 else "one"
        verb = "training" if self.training else "inference"
        return f"{self.cell:4} B{self.batch:<2} T{self.time:<3} {directions:4} {verb:9}"


def contenders(shape: Shape) -> dict[str, Callable[[], object]]:
    """A function for each contender that runs the shape once."""
    torch.manual_seed(1)
    two = shape.directions == 2
    module = MODULES[shape.cell](SIZE, SIZE, batch_first=True, bidirectional=two)
    encoder = Encoder(input_size=SIZE, cell=shape.cell, hidden_size=SIZE, bidirectional=two)
    encoder.load_state_dict(module.state_dict())
    lengths = torch.randint(shape.time // 2, shape.time + 1, (shape.batch,))
    lengths[0] = shape.time
    x = torch.randn(shape.batch, shape.time, SIZE)
    grad = torch.randn(shape.batch, shape.time, shape.directions * SIZE)

    def ours(inputs: Tensor) -> Tensor:
        return encoder(inputs, lengths).states

    def packed(inputs: Tensor) -> Tensor:
        sequence = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(module(sequence)[0], batch_first=True)[0]

    def padded(inputs: Tensor) -> Tensor:
        return module(inputs)[0]

    def run(function: Callable[[Tensor], Tensor], owner: nn.Module) -> Callable[[], object]:
        def train() -> None:
            owner.zero_grad()
            function(x.clone().requires_grad_()).backward(grad)

        def infer() -> Tensor:
            with torch.inference_mode():
                return function(x)

        owner.train(shape.training)
        return train if shape.training else infer

    return {
        "ours": run(ours, encoder),
        "packed": run(packed, module),
        "padded": run(padded, module),
        "products": products(shape, module, x, lengths),
    }


def products(shape: Shape, module: nn.RNNBase, x: Tensor, lengths: Tensor) -> Callable[[], object]:
    """The matrix products alone, over the tokens without padding."""
    sizes = (lengths > torch.arange(shape.time).unsqueeze(1)).sum(1).tolist()
    tokens = x.reshape(-1, SIZE)[: sum(sizes)].contiguous()

    def run() -> None:
        for suffix in ("", "_reverse")[: shape.directions]:
            w_input = getattr(module, "weight_ih_l0" + suffix)
            w_hidden = getattr(module, "weight_hh_l0" + suffix)
            gates = torch.mm(tokens, w_input.t())
            states = torch.full((len(tokens), SIZE), 0.1)
            steps = list(zip(gates.split(sizes), states.split(sizes), strict=True))
            for (sums, _), (_, before) in zip(steps[1:], steps[:-1], strict=True):
                sums.addmm_(before[: len(sums)], w_hidden.t())
            if not shape.training:
                continue
            grads = torch.full_like(gates, 0.1)
            backwards = list(zip(grads.split(sizes), states.split(sizes), strict=True))
            for (sums, _), (_, before) in zip(backwards[:0:-1], backwards[-2::-1], strict=True):
                torch.mm(sums, w_hidden, out=before[: len(sums)])
            grads.t() @ tokens
            grads.t() @ states
            grads @ w_input

    return torch.no_grad()(run)


def measure(shape: Shape, budget: float) -> dict[str, float]:
    """Milliseconds of each contender: the median over turns that fill about `budget` seconds.

    One that takes ten times as long as ours has one turn.
    """
    runs = contenders(shape)
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    start = time.perf_counter()
    while len(times["ours"]) < 3 or (
        time.perf_counter() - start < budget and len(times["ours"]) < 200
    ):
        for name, run in runs.items():
            if times[name] and times[name][0] > 10 * times["ours"][0]:
                continue
            # OpenMP's threads spin for a while after the contender before. This thread stays at
            # work meanwhile, as in a loop over batches: after a sleep Linux often starts a second
            # thread on the core of the first, and moves it four milliseconds later.
            quiet = time.perf_counter() + 0.02
            while time.perf_counter() < quiet:
                pass
            begin = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - begin))
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def peak_memory(shape: Shape) -> dict[str, float]:
    """MiB by which two runs of each contender raise the peak of a process of its own."""
    peaks = {}
    for name in CONTENDERS[:3]:
        arguments = [sys.executable, __file__, "--child", name, *map(str, shape)]
        # Large blocks go back to the system at once: the peak is then what is in use.
        environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
        answer = subprocess.run(
            arguments, check=True, capture_output=True, text=True, env=environment
        )
        peaks[name] = float(answer.stdout)
    return peaks


def child(name: str, fields: list[str]) -> None:
    """The sub-process of `peak_memory`."""
    cell, batch, length, directions, training = fields
    small = contenders(Shape(cell, 2, 4, int(directions), training == "True"))[name]
    small()
    run = contenders(Shape(cell, int(batch), int(length), int(directions), training == "True"))[
        name
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()
    run()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def grid(quick: bool) -> list[Shape]:
    """The shapes: those the targets name, or all."""
    if not quick:
        of_each = itertools.product(MODULES, (1, 8, 32, 64), TIMES, (True, False))
        return [Shape(cell, batch, time, 2, training) for cell, batch, time, training in of_each]
    shapes = []
    for cell in ("lstm", "gru"):
        for training in (True, False):
            shapes += [Shape(cell, 32, length, 2, training) for length in (25, 100, 200, 400)]
            shapes += [Shape(cell, 64, 100, 1, training), Shape(cell, 64, 400, 1, training)]
            shapes += [Shape(cell, 1, length, 2, training) for length in (25, 200)]
    return shapes


def plot(rows: list[dict[str, object]], path: Path) -> None:
    """Time against length for training and inference of each cell, 32 sequences."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    cells = [cell for cell in MODULES if any(row["cell"] == cell for row in rows)]
    figure, axes = pyplot.subplots(
        2, len(cells), figsize=(4.2 * len(cells), 7), squeeze=False, sharex=True
    )
    for column, cell in enumerate(cells):
        for line, training in enumerate((True, False)):
            axis = axes[line][column]
            chosen = [
                row
                for row in rows
                if (row["cell"], row["batch"], row["directions"], row["training"])
                == (cell, 32, 2, training)
            ]
            for name in CONTENDERS:
                axis.plot(
                    [row["time"] for row in chosen],
                    [row[name] for row in chosen],
                    marker="o",
                    linestyle="--" if name == "products" else "-",
                    label=name,
                )
            axis.set_xscale("log", base=2)
            axis.set_yscale("log")
            axis.set_xticks(TIMES, [str(time) for time in TIMES])
            axis.set_title(f"{cell.upper()}, {'training step' if training else 'inference'}")
            axis.grid(alpha=0.3)
            if line == 1:
                axis.set_xlabel("longest sentence (tokens)")
            if column == 0:
                axis.set_ylabel("milliseconds")
    axes[0][0].legend()
    figure.suptitle("32 sentences, both directions, hidden 256, two cores")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only the shapes the targets name")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--only", default="", help="only shapes whose name holds this text")
    parser.add_argument("--budget", type=float, default=4.0, help="seconds for each shape")
    parser.add_argument("--plot", type=Path, default=Path(__file__).with_name("recurrence.png"))
    parser.add_argument("--child", nargs=6, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], arguments.child[1:])
        return
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}")
    rows: list[dict[str, object]] = []
    shapes = grid(arguments.quick or arguments.memory)
    for shape in (shape for shape in shapes if arguments.only in str(shape)):
        if arguments.memory:
            if not shape.training or shape.batch == 1:
                continue
            peak = peak_memory(shape)
            row: dict[str, object] = {**shape._asdict(), **peak}
            print(
                f"{shape}  MiB  "
                + "  ".join(f"{name} {peak[name]:7.1f}" for name in CONTENDERS[:3])
                + f"  ours/packed {peak['ours'] / peak['packed']:.2f}",
                flush=True,
            )
        else:
            figures = measure(shape, arguments.budget)
            row = {**shape._asdict(), **{name: round(ms, 3) for name, ms in figures.items()}}
            best = min(figures["packed"], figures["padded"])
            print(
                f"{shape}  ms  "
                + "  ".join(f"{name} {figures[name]:8.1f}" for name in CONTENDERS)
                + f"   packed/ours {figures['packed'] / figures['ours']:5.2f}"
                + f"  best nn/ours {best / figures['ours']:5.2f}"
                + f"  ours/products {figures['ours'] / figures['products']:5.2f}",
                flush=True,
            )
        rows.append(row)
    print(json.dumps({"size": SIZE, "threads": torch.get_num_threads(), "rows": rows}))
    if rows and not arguments.memory and not arguments.only:
        plot(rows, arguments.plot)


if __name__ == "__main__":
    main()
