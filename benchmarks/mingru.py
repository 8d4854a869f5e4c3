"""How fast minGRU trains against the GRU, from short to long sequences; and ways through its scan.

First: one training step (forward and backward, padded batch) of one layer that reads onwards, of
each cell, and of two layers of minGRU with `look_back`, in turns, so that a ratio compares things
measured under the same conditions. The batch has 32 sequences up to T 200 and 6,400 / T above it,
so that its tokens stay the same; lengths are uniform in [T/2, T].

Second: what is left of the recurrence once gates and candidates are there, h = a * h' + b, by four
ways, forward only: a fused step at a time (what `models/recurrence/mingru.py` does on a CPU),
rounds of doubled reach (what it does elsewhere), chunks whose ends are joined, and sums over
logarithms (the paper's code; candidates must be positive there).

    python benchmarks/mingru.py                  both; the table, and one JSON object
    python benchmarks/mingru.py --device cuda    on a GPU, where the scan serves
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.mingru import doubling

SIZE = 256  # of the input and of the state
TIMES = (25, 50, 100, 200, 500, 1000, 2000)
CELLS: dict[str, dict[str, Any]] = {
    "mingru": {"cell": "mingru"},
    "two": {"cell": "mingru", "num_layers": 2, "look_back": True},
    "gru": {"cell": "gru"},
    "lstm": {"cell": "lstm"},
}


def training_step(cell: str, batch: int, length: int, device: str) -> Callable[[], None]:
    """One forward and backward pass of an encoder, one of `CELLS`."""
    torch.manual_seed(1)
    sizes = {"input_size": SIZE, "hidden_size": SIZE}
    encoder = Encoder(**sizes, bidirectional=False, **CELLS[cell]).to(device)
    lengths = torch.randint(length // 2, length + 1, (batch,))
    lengths[0] = length
    x = torch.randn(batch, length, SIZE, device=device)
    grad = torch.randn(batch, length, SIZE, device=device)

    def run() -> None:
        encoder.zero_grad()
        encoder(x.clone().requires_grad_(), lengths).states.backward(grad)

    return run


def a_step_at_a_time(keep: Tensor, add: Tensor) -> Tensor:
    """`keep` and `add` [time, batch, size], here and below."""
    states, before = torch.empty_like(add), torch.zeros_like(add[0])
    for a, b, h in zip(keep, add, states, strict=True):
        before = torch.addcmul(b, a, before, out=h)
    return states


def doubled(keep: Tensor, add: Tensor) -> Tensor:
    """What `scan` does."""
    return doubling(keep.transpose(0, 1), add.transpose(0, 1)).transpose(0, 1)


def in_chunks(keep: Tensor, add: Tensor) -> Tensor:
    """About sqrt(time) chunks side by side, then what each hands on to the next."""
    chunks = max(1, round(math.sqrt(len(add))))
    length = -(-len(add) // chunks)
    missing = chunks * length - len(add)
    keep = torch.cat((keep, keep.new_ones(missing, *keep.shape[1:])))
    padded = torch.cat((add, add.new_zeros(missing, *add.shape[1:])))
    keep = keep.unflatten(0, (chunks, length)).clone()
    states = padded.unflatten(0, (chunks, length))
    for t in range(1, length):
        states[:, t].addcmul_(keep[:, t], states[:, t - 1])
        keep[:, t].mul_(keep[:, t - 1])
    for chunk in range(1, chunks):
        states[chunk].addcmul_(keep[chunk], states[chunk - 1, -1])
    return states.flatten(0, 1)[: len(add)]


def over_logarithms(keep: Tensor, add: Tensor) -> Tensor:
    """log h_t = A_t + log sum exp(log b - A), A the sum of log a so far."""
    total = keep.log().cumsum(0)
    return (total + (add.log() - total).logcumsumexp(0)).exp()


WAYS = (a_step_at_a_time, doubled, in_chunks, over_logarithms)


def in_turns(runs: dict[str, Callable[[], object]], budget: float, device: str) -> dict[str, float]:
    """Milliseconds of each: the median over turns that fill about `budget` seconds."""
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    start = time.perf_counter()
    while len(times[next(iter(runs))]) < 3 or time.perf_counter() - start < budget:
        for name, run in runs.items():
            if device != "cpu":
                torch.cuda.synchronize()
            begin = time.perf_counter()
            run()
            if device != "cpu":
                torch.cuda.synchronize()
            times[name].append(1000 * (time.perf_counter() - begin))
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--budget", type=float, default=6.0, help="seconds for each row")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--times", type=int, nargs="+", default=TIMES, help="lengths")
    arguments = parser.parse_args()
    budget, device = arguments.budget, arguments.device
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}")
    rows = []
    print("milliseconds for a training step\n    T  batch " + "".join(f"{c:>9}" for c in CELLS))
    for length in arguments.times:
        batch = 32 if length <= 200 else max(1, 6400 // length)
        runs = {cell: training_step(cell, batch, length, device) for cell in CELLS}
        milliseconds = in_turns(runs, budget, device)
        rows.append({"time": length, "batch": batch, **milliseconds})
        print(
            f"{length:5} {batch:6} "
            + "".join(f"{milliseconds[cell]:9.1f}" for cell in CELLS)
            + "   "
            f"minGRU {milliseconds['gru'] / milliseconds['mingru']:.2f} times as fast as the GRU, "
            f"{milliseconds['lstm'] / milliseconds['mingru']:.2f} times as fast as the LSTM; two "
            f"layers {milliseconds['gru'] / milliseconds['two']:.2f} times as fast as one of GRU",
            flush=True,
        )
    scans = []
    print("milliseconds for h = a * h' + b, forward, and the largest error\n    T  batch")
    for length in arguments.times:
        batch = 32 if length <= 200 else max(1, 6400 // length)
        torch.manual_seed(1)
        gate = torch.rand(length, batch, SIZE, device=device)
        keep, add = gate, (1 - gate) * torch.rand(length, batch, SIZE, device=device)
        exact = a_step_at_a_time(keep.double(), add.double())
        ways = {way.__name__: partial(way, keep, add) for way in WAYS}
        milliseconds = in_turns(ways, budget / 3, device)
        errors = {way.__name__: float((way(keep, add) - exact).abs().max()) for way in WAYS}
        scans.append({"time": length, "batch": batch, **milliseconds, "errors": errors})
        print(
            f"{length:5} {batch:6}   "
            + "   ".join(
                f"{name} {ms:.2f} ({errors[name]:.0e})" for name, ms in milliseconds.items()
            ),
            flush=True,
        )
    print(json.dumps({"size": SIZE, "device": device, "rows": rows, "scans": scans}))


if __name__ == "__main__":
    main()
