"""What is fitted after training gains a tagger: a temperature, and how much less the tag O counts.

    python benchmarks/after_training.py MODEL wnut17/emerging.dev.conll

Both are fitted on every second sentence and scored on the others, and the other way round; the
figures are of both together, so that no sentence is scored with what was fitted on it. Prints a
Markdown table: entity scores, and the calibration error of the scores of the entities found.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator

import torch

import rnnlp
from rnnlp.data.corpus.report import Notes
from rnnlp.data.tagging.collate import TaggingBatch, TaggingCollate
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.tasks.base.calibration import fits
from rnnlp.tasks.tagging.config import TaggerTraining
from rnnlp.tasks.tagging.evaluation import gold_of, gold_scheme
from rnnlp.tasks.tagging.objective import TaggingObjective
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.scores import TagScores

SENTENCES = 64  # of a batch
WAYS = {"as trained": None, "temperature": False, "temperature, O counts less": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="folder of a tagger that finds entities")
    parser.add_argument("data", help="sentences in any format that taggers take")
    options = parser.parse_args()
    pipeline = rnnlp.load(options.model)
    batches = list(read(pipeline, options.data))
    print("| fitted | F1 | precision | recall | ECE | of each half |\n|---|---|---|---|---|---|")
    for way, thresholds in WAYS.items():
        scores = TagScores(pipeline.settings.scheme, final=True, calibrated=True)
        fitted = []
        for half in (0, 1):
            objective = TaggingObjective(
                pipeline.settings, training=TaggerTraining(fit_thresholds=bool(thresholds))
            )
            network = copy.deepcopy(pipeline.network)
            if thresholds is not None:
                objective.calibrate(network, (turned(batch, half) for batch in batches))
            fitted.append(str(objective.extras(network) or "-"))
            for batch in batches:
                others = part(turned(batch, half))
                if others.gold:
                    with torch.inference_mode():
                        objective.add(scores, network, others)
        measured = scores.result()
        shown = [f"{100 * measured[name]:.2f}" for name in ("f1", "precision", "recall")]
        print(f"| {way} | {' | '.join(shown)} | {measured['ece']:.4f} | {'; '.join(fitted)} |")


def read(pipeline: TaggingPipeline, path: str) -> Iterator[TaggingBatch]:
    """The sentences of a file in batches, each with its number."""
    settings = pipeline.settings

    def examples():
        split = pipeline.featurizer.split
        return read_tagging(path, split=split, layout=settings.layout, notes=Notes())

    scheme, _ = gold_scheme(examples(), path)
    collate = TaggingCollate(
        featurizer=pipeline.featurizer, tags=settings.tags, scheme=settings.scheme
    )
    rows = [
        {
            "tokens": example.tokens,
            "gold": [
                span._asdict() for span in gold_of(example, settings.scheme, scheme, path, Notes())
            ],
            "index": number,
            "weight": 1.0,
            "soft": None,
        }
        for number, example in enumerate(examples())
    ]
    for start in range(0, len(rows), SENTENCES):
        some = rows[start : start + SENTENCES]
        yield collate({name: [row[name] for row in some] for name in some[0]})


def turned(batch: TaggingBatch, half: int) -> TaggingBatch:
    """The same, fitted on sentences of even numbers (half 0) or of odd ones."""
    return batch._replace(number=batch.number + half)


def part(batch: TaggingBatch) -> TaggingBatch:
    """The sentences that nothing is fitted on."""
    keep = ~fits(batch.number.numpy())
    features = batch.features._replace(
        **{
            name: None if ids is None else ids[keep]
            for name, ids in batch.features._asdict().items()
        }
    )
    gold = [spans for spans, kept in zip(batch.gold, keep, strict=True) if kept]
    return TaggingBatch(features, batch.tags[keep], gold, batch.number[keep])


if __name__ == "__main__":
    main()
