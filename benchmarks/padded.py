"""What training an LSTM on oneDNN gains over our own layer, be it taken there or not.

    python benchmarks/padded.py [--shapes 8x25 32x50] [--steps 12] [--shortest 0.93]

One layer of both directions, input 200, hidden 256, lengths from `--shortest` of the longest on;
both ways by turns in one run, the median of forward and backward passes. "Taken" is what
`dispatch.py` chooses.
"""

import argparse
import time
from statistics import median

import torch

from rnnlp.models import Encoder
from rnnlp.models.recurrence import dispatch

SHAPES = ("8x25", "8x100", "16x50", "32x25", "32x50")
ROUNDS = 3


def seconds(encoder, inputs, lengths):
    """One forward and backward pass."""
    begun = time.perf_counter()
    encoder(inputs, lengths).states.sum().backward()
    return time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", nargs="+", default=SHAPES, help="sequences x longest")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--shortest", type=float, default=0.93, help="share of the longest")
    args = parser.parse_args()
    chosen = dispatch._worth_padding
    ways = {"own layer": lambda lengths, time: False, "oneDNN": lambda lengths, time: True}
    print(f"{torch.get_num_threads()} threads; ms a step: {', '.join(ways)}; ratio")
    for shape in args.shapes:
        batch, longest = map(int, shape.split("x"))
        torch.manual_seed(1)
        encoder = Encoder(input_size=200, hidden_size=256, cell="lstm", bidirectional=True)
        inputs = torch.randn(batch, longest, 200)
        lengths = torch.randint(int(args.shortest * longest), longest + 1, (batch,))
        lengths[0] = longest
        taken = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                dispatch._worth_padding = way
                seconds(encoder, inputs, lengths)  # oneDNN makes its code
                taken[name] += [seconds(encoder, inputs, lengths) for _ in range(args.steps)]
        dispatch._worth_padding = chosen
        own, new = (1000 * median(times) for times in taken.values())
        print(f"{shape:>7}  {own:7.1f}  {new:7.1f}  {own / new:.2f}"
              f"{'  taken' if chosen(lengths, longest) else ''}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
