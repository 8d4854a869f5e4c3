"""How fast translators train and translate: target tokens and sentences a second.

    python benchmarks/translation_speed.py train DATA --source en --target de
    python benchmarks/translation_speed.py translate MODEL DATA

`train` takes optimiser steps with each cell of the decoder that is parallel in time and with input
feeding, at the same sizes (those of the config translation_multi30k_en_de), on the same batches, by
turns, so that all see the same moods of the machine; and a step of a search with five hypotheses
for each sentence of the batch, likewise. `translate` translates DATA with beam 5 in batches and,
a sample of it, one sentence at a time; with the model's shortlist and without. DATA is anything
that `rnnlp fit` reads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from itertools import chain, islice, repeat

import torch

import rnnlp
from rnnlp.data.corpus.report import Notes
from rnnlp.data.text.tokenizer import BOS
from rnnlp.data.translation.datamodule import TranslationData
from rnnlp.data.translation.readers import read_parallel
from rnnlp.models import Translator
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.translation.translator import TranslatorState
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.base.optimizer import OptimizerConfig
from rnnlp.tasks.translation.config import DecoderConfig, TranslatorConfig
from rnnlp.tasks.translation.torch_engine import encode

TURN = 256  # sentences that are translated in batches, before the other way has its turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("data")
    training.add_argument("--source", default="en")
    training.add_argument("--target", default="de")
    training.add_argument("--steps", type=int, default=40)
    translating = commands.add_parser("translate")
    translating.add_argument("model")
    translating.add_argument("data")
    translating.add_argument("--beam_size", type=int, default=5)
    translating.add_argument("--alone", type=int, default=100, help="sentences translated alone")
    args = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    if args.command == "train":
        train(args.data, args.source, args.target, args.steps)
    else:
        translate(args.model, args.data, args.beam_size, args.alone)


def train(path: str, source: str, target: str, steps: int) -> None:
    """Prints the median speeds of each decoder, and its gain over the LSTM's."""
    data = TranslationData(
        train=path, source=source, target=target, joint_vocabulary=True, vocabulary_size=5000,
        bpe_dropout=0.1, max_tokens=2048,
    )  # fmt: skip
    size = len(data.target_tokenizer)
    parallel = TranslatorConfig(
        source=source,
        target=target,
        sizes=Sizes(tokens=size),
        target_size=size,
        embedding=EmbeddingConfig(size=256, characters="none"),
        encoder=EncoderConfig(cell="gru", hidden_size=256),
        decoder=DecoderConfig(tie_embeddings="all"),
    )
    decoders = {cell: replace(parallel.decoder, cell=cell) for cell in ("lstm", "gru", "ssru")}
    decoders["lstm, feeding"] = replace(parallel.decoder, input_feeding=True)
    networks = {
        name: replace(parallel, decoder=decoder).build() for name, decoder in decoders.items()
    }
    optimizers = {
        name: OptimizerConfig(learning_rate=0.002).build(network.parameters(), fused=True)
        for name, network in networks.items()
    }
    speeds: dict[str, list[float]] = {name: [] for name in networks}
    searches: dict[str, list[float]] = {name: [] for name in networks}
    rounds = chain.from_iterable(repeat(data.train_dataloader()))
    for number, batch in enumerate(islice(rounds, steps + 3)):
        for name, network in networks.items():
            started = time.perf_counter()
            state = encode(network, batch.features)
            logits, targets = network(state, batch.target, batch.target_lengths)
            optimizers[name].zero_grad()
            token_loss(logits, targets, smoothing=0.1).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizers[name].step()
            if number >= 3:
                speeds[name].append(len(targets) / (time.perf_counter() - started))
                searches[name].append(search_step(network, encode(network, batch.features)))
    print("| decoder | parameters | target tokens a second | against lstm | the same of a search |")
    print("|---|---|---|---|---|")
    for name, network in networks.items():
        count = sum(parameter.numel() for parameter in network.parameters())
        gain, faster = (ratio(of[name], of["lstm"]) for of in (speeds, searches))
        speed = statistics.median(speeds[name])
        print(f"| {name} | {count:,} | {speed:,.0f} | {gain:.2f} | {faster:.2f} |")


def search_step(network: Translator, state: TranslatorState) -> float:
    """Rows a second of a step with five hypotheses for each sentence: the best of ten steps."""
    network.eval()
    seconds = []
    with torch.inference_mode():
        rows = torch.arange(len(state.memory.keys)).repeat_interleave(5)
        state, tokens = state.reorder(rows), torch.full_like(rows, BOS)
        for _ in range(10):
            started = time.perf_counter()
            step = network.step(tokens, state)
            seconds.append(time.perf_counter() - started)
            tokens, state = step.log_probs.argmax(1), step.state
    network.train()
    return len(rows) / min(seconds)


def ratio(ones: list[float], others: list[float]) -> float:
    """The median of the ratios turn by turn."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def translate(model: str, path: str, beam_size: int, alone: int) -> None:
    """Prints sentences a second in batches and one by one, with the model's shortlist and without,
    by turns of some sentences.
    """
    pipeline = rnnlp.load(model)
    settings = pipeline.settings
    sources = [
        p.source
        for p in read_parallel(path, source=settings.source, target=settings.target, notes=Notes())
    ]
    some = sources[:: max(1, len(sources) // alone)]
    lists = sorted({0, settings.search.shortlist})
    turns: list[tuple[str, list[list[str]]]] = [
        ("in batches", [sources[at : at + TURN] for at in range(0, len(sources), TURN)]),
        ("alone", [[text] for text in some]),
    ]
    said: dict[tuple[str, int], list[str]] = {}
    for way, parts in turns:
        seconds: dict[int, list[float]] = {shortlist: [] for shortlist in lists}
        for shortlist in lists:
            pipeline(sources[:20], beam_size=beam_size, shortlist=shortlist)
        for part in parts:
            for shortlist in lists:
                started = time.perf_counter()
                answers = pipeline(part, beam_size=beam_size, shortlist=shortlist)
                seconds[shortlist].append(time.perf_counter() - started)
                texts = [answer["translation_text"] for answer in answers]
                said.setdefault((way, shortlist), []).extend(texts)
        count = sum(map(len, parts))
        for shortlist in lists:
            speed, gain = count / sum(seconds[shortlist]), ratio(seconds[0], seconds[shortlist])
            print(
                f"{way}, beam {beam_size}, shortlist {shortlist}: {speed:.1f} sentences a second, "
                f"{gain:.2f} of that without"
            )
    for shortlist in lists:
        together = dict(zip(sources, said["in batches", shortlist], strict=True))
        singly = zip(some, said["alone", shortlist], strict=True)
        same = sum(together[text] == one for text, one in singly)
        print(f"shortlist {shortlist}: the same translation alone for {same} of {len(some)}")


if __name__ == "__main__":
    main()
