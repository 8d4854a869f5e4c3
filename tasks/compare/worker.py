"""The processes behind `rnnlp compare`: one finds the sizes of all cells, one trains each model.

    python -m rnnlp.tasks.compare.worker '{"work": "sizes", ...}'

Each job is a process of its own, so that its memory is its own, and so that the comparison, which
waits for it, needs none. What it finds goes to stdout as JSON lines (`progress`, and at the end
`result` or `error`); everything else goes to stderr. It ends when its stdin is closed, and thus
never outlives the comparison.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import torch

from rnnlp.data.errors import InputError
from rnnlp.models.recurrence.cells import CELLS
from rnnlp.tasks.base.own_parts import load_plugins
from rnnlp.tasks.fit.lightning_cli import LAST, FitRequest, build
from rnnlp.tasks.fit.run import run_fit
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.model_folder.folder import CHECKPOINTS, CONFIG, METRICS

from .meter import Meter

# Beside the cells of a classifier n-grams alone, as a linear model.
CONTROL_SETTINGS = [
    "--model.recurrent=false",
    "--model.optimizer.learning_rate=0.01",
    "--trainer.max_epochs=6",
]
CONTROL_NGRAMS = {"word": 2, "character": 4}  # by data.level, where model.ngrams says nothing
DEFAULT = ("rnn", "lstm", "gru", "bilstm", "bigru")
INFERENCE_SECONDS = 2.0
INFERENCE_TOKENS = 100_000
TEXTS, LATENCY_SECONDS = 60, 15.0
DRAWN = 40  # tokens of a text that a generator writes

Report = Callable[[Mapping[str, Any]], None]


def parse_cell(name: str) -> tuple[str, bool]:
    """The cell, and whether it reads in both directions: `bilstm` is an `lstm` in both.

    Raises:
        InputError: There is no such cell.
    """
    cell = name.removeprefix("bi")
    if cell not in CELLS:
        known = ", ".join(CELLS)
        raise InputError(f"--cells names {name!r}: there are {known}, and each with bi before it")
    return cell, cell != name


def cell_settings(name: str, hidden_size: int) -> list[str]:
    """The settings of `fit` that choose a cell."""
    cell, bidirectional = parse_cell(name)
    return [
        f"--model.encoder.cell={cell}",
        f"--model.encoder.bidirectional={str(bidirectional).lower()}",
        f"--model.encoder.hidden_size={hidden_size}",
    ]


def find_sizes(
    request: FitRequest, *, cells: Sequence[str] | None, match: str, seed: int
) -> dict[str, Any]:
    """Reads the data once and finds what is to be trained.

    Args:
        request: What `fit` would be asked for, without a cell.
        cells: Names of cells; None for those that every course compares, as far as the task may
            have them.
        match: "hidden" for one width of all states, "parameters" for about equally many parameters.
        seed: The first seed.

    Returns:
        `cells` (hidden size and parameters of each), `usual` (their names, where none were given),
        `notes` on the data, `score` and `higher_is_better` (the score that decides), `budget` (in
        words), `length` (median tokens of a validation example), and `control` and `without`, see
        `control_settings` and `left_out`.

    Raises:
        InputError: The settings leave nothing to compare, or a cell that the task cannot have.
    """
    names = list(cells or DEFAULT)
    both = [name for name in names if parse_cell(name)[1]]
    command = build(replace(request, arguments=[*request.arguments, *seeds_of(seed)]))
    model, data, config = command.model, command.datamodule, command.config
    if getattr(model.settings, "recurrent", True) is False:
        raise InputError("model.recurrent is false: a bag of embeddings has no cell to compare")
    if command.trainer.world_size > 1:
        raise InputError("models are compared in one process each: leave out trainer.devices")
    if model.options.encoder_from is not None:
        raise InputError("model.encoder_from decides the cell: there is nothing to compare")
    if model.one_direction and both:
        if cells is not None:
            raise InputError(
                f"a model for {request.task} reads from start to end only: leave out "
                f"{' and '.join(both)} (--cells {','.join(n for n in names if n not in both)})"
            )
        names = [name for name in names if name not in both]
    settings, notes = model.settings, [*data.notes, *command.reuse_notes]
    if without := left_out(settings, request.arguments):
        settings = replace(settings, ngrams=None)
        notes.append("model.ngrams is left out: cells that read one way cannot have it")
    aim = count(settings.build())
    sizes = {}
    for name in names:
        width = settings.encoder.hidden_size
        if match == "parameters":
            width = nearest_width(partial(parameters_of, settings, name), aim)
        network: Any = sized(settings, name, width)
        sizes[name] = {
            "hidden_size": width,
            "parameters": count(network),
            "encoder_parameters": count(network.encoder),
        }
    lengths = torch.as_tensor(data.prepare().learned.corpora["validation"].lengths)
    return {
        "cells": sizes,
        "usual": names if cells is None else None,
        "notes": notes,
        "score": main_score(model),
        "higher_is_better": model.higher_is_better,
        "budget": budget(config),
        "length": int(lengths.median()),
        "control": control_settings(settings, data.options),
        "without": without,
    }


def left_out(settings: Any, arguments: Sequence[str]) -> list[str]:
    """The settings of `fit` that keep a tagger's n-grams out of the comparison, which cells of one
    direction cannot have; none where they are asked for on the command line.
    """
    if hasattr(settings, "linear") or getattr(settings, "ngrams", None) is None:
        return []
    asked = any(argument.split("=")[0] == "--model.ngrams" for argument in arguments)
    return [] if asked else ["--model.ngrams=null"]


def control_settings(settings: Any, options: Any) -> list[str] | None:
    """The settings of `fit` that train the linear control; None for tasks without one."""
    if not hasattr(settings, "linear"):
        return None
    order = settings.ngrams or CONTROL_NGRAMS[options.level]
    return [f"--model.ngrams={order}", *CONTROL_SETTINGS]


def sized(settings: Any, name: str, width: int) -> torch.nn.Module:
    """The network of these settings with another cell.

    Args:
        settings: Settings of a task's network.
        name: The cell.
        width: The hidden size.
    """
    cell, bidirectional = parse_cell(name)
    encoder = replace(settings.encoder, cell=cell, bidirectional=bidirectional, hidden_size=width)
    network: torch.nn.Module = replace(settings, encoder=encoder).build()
    return network


def parameters_of(settings: Any, name: str, width: int) -> int:
    """The number of parameters of the network of these settings with another cell.

    Args:
        settings: Settings of a task's network.
        name: The cell.
        width: The hidden size.
    """
    return count(sized(settings, name, width))


def nearest_width(parameters: Callable[[int], int], aim: int) -> int:
    """The width whose number of parameters, which grows with it, lies nearest to an aim."""
    high = 1
    while parameters(high) < aim:
        high *= 2
    low = high // 2 + 1
    while low < high:
        middle = (low + high) // 2
        if parameters(middle) < aim:
            low = middle + 1
        else:
            high = middle
    return min((max(low - 1, 1), low), key=lambda width: abs(parameters(width) - aim))


def main_score(model: Any) -> str:
    """The score that decides which weights are kept, as `metrics.json` names it."""
    objective = getattr(model, "objective", None)
    name: str = model.headline[0] if objective is None else objective.main
    return name


def count(network: torch.nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def seeds_of(seed: int) -> list[str]:
    """The settings of `fit` that a seed decides: weights, and the order and cut of the data."""
    return [f"--seed_everything={seed}", f"--data.seed={seed}"]


def budget(config: Any) -> str:
    """How long a run may take, in words."""
    limits = [
        f"{limit:,} {unit}{'s' * (limit > 1)}"
        for unit in ("epoch", "step")
        if (limit := config[f"trainer.max_{unit}s"] or -1) > 0
    ]
    if config["trainer.max_time"]:
        limits.append(f"{config['trainer.max_time']} (days:hours:minutes:seconds)")
    most = f"at most {' or '.join(limits)}"
    stopping = config["early_stopping"]
    if stopping is None:
        return most
    return f"{most}; ended {stopping['patience']} validations after the best one"


def train(request: FitRequest, report: Report) -> dict[str, Any]:
    """Trains one model, or goes on with it, and measures it.

    Returns:
        What `compare_results.Run` keeps, but for the seed.
    """

    def progress(share: float, epoch: int, score: float | None) -> None:
        report({"progress": share, "epoch": epoch, "score": score})

    meter = Meter(progress)
    unfinished = not (request.output / CONFIG).exists()
    resume = unfinished and (request.output / CHECKPOINTS / LAST).exists()
    run_fit(replace(request, resume=resume, overwrite=not resume, callbacks=[meter]))
    metrics = json.loads((request.output / METRICS).read_text(encoding="utf-8"))
    name = main_score(meter.model)
    return {
        "quality": metrics["validation"][name],
        "test": metrics["test"][name] if "test" in metrics else None,
        "best_epoch": metrics["best_epoch"],
        "curve": meter.curve,
        "training_seconds": meter.seconds,
        "training_tokens_per_second": meter.tokens_per_second(),
        "inference_tokens_per_second": inference_speed(meter.model, meter.data),
        "latency_ms": 1000 * latency(request, meter.data),
        "peak_mib": meter.peak,
        "added_mib": meter.added,
        "device": meter.model.device.type,
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "learned": metrics["learned"],
    }


def inference_speed(model: Any, data: Any) -> float:
    """Tokens per second of labelling and scoring validation batches, the median of some rounds."""
    from rnnlp.tasks.fit.model_writer import timed

    batches, tokens = [], 0
    for batch in data.val_dataloader():
        batches.append(batch)
        tokens += int(batch.features.lengths.sum())
        if tokens > INFERENCE_TOKENS:
            break
    rates: list[float] = []
    began = time.perf_counter()
    while not rates or (time.perf_counter() - began < INFERENCE_SECONDS and len(rates) < 25):
        rates.append(timed(model, batches)["tokens_per_second"])
    return sorted(rates)[len(rates) // 2]


def latency(request: FitRequest, data: Any) -> float:
    """Seconds from one text to its answer, the median over validation texts; of a generator, from
    one token that it writes to the next.
    """
    pipeline: Any = load(request.output)
    writes = getattr(pipeline, "writes", False)
    texts = [""] * TEXTS if writes else some_texts(data, TEXTS)
    size = getattr(pipeline.settings, "vector_size", 0)
    options = {"vectors": [0.0] * size} if size else {}  # which one does not matter for the time
    times: list[float] = []
    began = time.perf_counter()
    for number, text in enumerate([*texts[:5], *texts]):  # the first ones are for warming up
        started = time.perf_counter()
        if writes:
            drawn = pipeline(text, max_length=DRAWN, first=number, **options)["generated_text"]
            written = len(pipeline.featurizer.encode(drawn)[0].tokens) + 1  # and the end
            times.append((time.perf_counter() - started) / written)
        else:
            pipeline(text)
            times.append(time.perf_counter() - started)
        if time.perf_counter() - began > LATENCY_SECONDS and len(times) > 5:
            break
    counted = sorted(times[5:]) or times
    return counted[len(counted) // 2]


def some_texts(data: Any, number: int) -> list[str]:
    """Validation texts, from all over the split."""
    rows = data.prepare().learned.corpora["validation"].rows
    step = max(1, len(rows) // number)
    joiner = "" if data.options.level == "character" else " "
    texts = []
    for row in islice(range(0, len(rows), step), number):
        content = rows[row]
        text = content["source"] if "source" in content else joiner.join(content["tokens"])
        texts.append(text)
    return texts


def work(job: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Does one job."""
    load_plugins(job.get("plugins", ()))
    request = FitRequest(
        task=job["task"],
        configs=[Path(file) for file in job["configs"]],
        arguments=job["arguments"],
        output=Path(job["output"]),
        resume=False,
        overwrite=True,
    )
    if job["work"] == "sizes":
        return find_sizes(request, cells=job["cells"], match=job["match"], seed=job["seed"])
    more = [
        *seeds_of(job["seed"]),
        *(job.get("settings") or cell_settings(job["cell"], job["hidden_size"])),
        *job.get("without", []),
    ]
    return train(replace(request, arguments=[*request.arguments, *more]), report)


def main() -> int:
    """Reads the job from the command line."""
    out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever is printed is no answer
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def report(content: Mapping[str, Any]) -> None:
        out.write(json.dumps(content) + "\n")
        out.flush()

    try:
        report({"result": work(json.loads(sys.argv[1]), report)})
    except InputError as error:
        report({"error": str(error)})
        return 2
    return 0


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
