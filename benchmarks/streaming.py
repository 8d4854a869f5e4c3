"""What a token costs on a stream, over a long text, against calling the model on all of it again.

The text is the sample corpus, its sentences one after the other, fed token by token. Of each model:
the time for a token (median, 99th percentile, and the median of each tenth of the text, which must
not grow), the memory of the process after each tenth (nor must that), how many results came, and
how often the bound on open tags decided. Then, for growing pieces of the text, the time of calling
the pipeline on all of it as one does without a stream, as a multiple of the stream's median; and
whether the results for the longest piece that was called are the same.

    rnnlp fit --config ner --model.encoder.bidirectional false --output runs/live
    rnnlp fit --config sentiment --model.encoder.bidirectional false \\
        --model.max_length null --output runs/live_sentiment
    rnnlp fit --config generation --output runs/generation
    python benchmarks/streaming.py runs/live runs/live_sentiment runs/generation
    python benchmarks/streaming.py MODEL --sample chinese --tokens 2000
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import platform
import statistics
import time
from array import array
from itertools import cycle
from pathlib import Path
from typing import Any

import torch

import rnnlp
from rnnlp.data.tagging.sample import sample_tagging

LENGTHS = (1, 10, 100, 1000, 10_000, 100_000)
TENTHS = 10


def sample_text(model: Any, sample: str, tokens: int) -> tuple[str, list[int]]:
    """So many tokens of the sample corpus, and where each of them begins; then where it ends."""
    join = "" if sample == "chinese" else " "
    sentences = [join.join(example.tokens) for example in sample_tagging(sample, "test")]
    text, starts = "", []
    for sentence in cycle(sentences):
        starts += [len(text) + start for start, _ in model.featurizer.split(sentence)]
        text += sentence + "\n"
        if len(starts) > tokens:
            return text[: starts[tokens]], starts[: tokens + 1]
    raise AssertionError


def resident() -> float:
    """Memory of this process now, in MiB (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Entities:
    """How many entities there were, and a digest of them: keeping them would take memory."""

    def __init__(self) -> None:
        self.count = 0
        self.digest = hashlib.sha256()

    def add(self, entities: list[dict[str, Any]]) -> None:
        """Takes in the next ones."""
        for entity in entities:
            places = [entity[key] for key in ("start", "end", "entity_group", "word")]
            self.digest.update(json.dumps(places).encode())
        self.count += len(entities)


def streamed(model: Any, text: str, starts: list[int]) -> tuple[dict[str, Any], Any]:
    """Figures of a stream, and what it found: entities, or else its last result."""
    entities = Entities() if model.task == "tagging" else None
    times = array("d", [0.0]) * (len(starts) - 1)
    medians, memory = [], [resident()]
    with model.stream() as stream:
        size = len(times) // TENTHS
        for tenth in range(TENTHS):
            for place in range(tenth * size, (tenth + 1) * size):
                piece = text[starts[place] : starts[place + 1]]
                begin = time.perf_counter()
                results = stream.feed(piece)
                times[place] = 1000 * (time.perf_counter() - begin)
                if entities is not None:
                    entities.add(results)
            medians.append(statistics.median(times[tenth * size : (tenth + 1) * size]))
            memory.append(resident())
        left = stream.feed(text[starts[TENTHS * size] :])
    ordered = sorted(times[: TENTHS * size])
    if entities is not None:
        entities.add([*left, *stream.rest])
    figures = {
        "tokens": len(ordered),
        "p50_ms": statistics.median(ordered),
        "p99_ms": ordered[int(0.99 * len(ordered))],
        "longest_ms": ordered[-1],
        "p50_ms_by_tenth": medians,
        "memory_mib_by_tenth": memory,
        "entities": None if entities is None else entities.count,
        "forced": getattr(stream, "forced", None),
    }
    return figures, stream.rest[-1] if entities is None else entities


def called(model: Any, text: str) -> tuple[float, Any]:
    """Milliseconds of a call on a whole text (the best of some), and its result."""
    times, result = [], None
    for _ in range(5 if len(text) < 50_000 else 1):
        begin = time.perf_counter()
        if model.task == "generation":  # what it has for whole texts is a stream, fed at once
            stream = model.stream()
            result = [stream.feed(text), stream.finish()][-1][-1]
        else:
            result = model(text)
        times.append(1000 * (time.perf_counter() - begin))
    return min(times), result


def same(task: str, streamed: Any, called: Any) -> bool:
    """Whether a stream found what a call gave."""
    if task == "tagging":
        entities = Entities()
        entities.add(called["entities"])
        return bool(entities.digest.digest() == streamed.digest.digest())
    if task == "classification":
        return all(abs(streamed["scores"][k] - p) < 2e-4 for k, p in called["scores"].items())
    return bool(abs(streamed["total_bits"] / called["total_bits"] - 1) < 1e-5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--sample", choices=["english", "chinese"], default="english")
    args = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}")
    report = []
    for name in args.models:
        model: Any = rnnlp.load(name)
        text, starts = sample_text(model, args.sample, args.tokens)
        streamed(model, text, starts[:201])  # whatever is only done once
        figures, last = streamed(model, text, starts)
        print(
            f"\n{name} ({model.task}): {figures['tokens']:,} tokens; a token takes "
            f"{figures['p50_ms']:.3f} ms (p50), {figures['p99_ms']:.3f} ms (p99), at most "
            f"{figures['longest_ms']:.1f} ms; entities {figures['entities']}, tags decided by the "
            f"bound {figures['forced']}"
        )
        print("p50 ms by tenth     " + " ".join(f"{ms:8.3f}" for ms in figures["p50_ms_by_tenth"]))
        memory = figures["memory_mib_by_tenth"]
        print("memory MiB by tenth " + " ".join(f"{mib:8.1f}" for mib in memory), flush=True)
        calls = []
        for length in sorted({n for n in LENGTHS if n < args.tokens} | {args.tokens}):
            ms, result = called(model, text[: starts[length]])
            ratio = ms / figures["p50_ms"]
            calls.append({"tokens": length, "ms": ms, "ratio": ratio})
            print(
                f"a call on {length:7,} tokens takes {ms:9.2f} ms, {ratio:9.1f} times", flush=True
            )
        equal = same(model.task, last, result)
        print("same results at the end" if equal else "OTHER RESULTS at the end")
        report.append({"model": name, "task": model.task, **figures, "calls": calls, "same": equal})
    print(json.dumps(report))


if __name__ == "__main__":
    main()
