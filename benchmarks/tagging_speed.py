"""How fast the tagger trains and answers, each figure a ratio of two things in one run.

    python benchmarks/tagging_speed.py --config ner_cluener --data.train train.json.gz

1. Our recurrence against `torch.nn.LSTM`/`GRU` on packed sequences in the very same tagger: tokens
   per second, and how far the losses of the two lie apart over the same batches.
2. Lightning's loop against a bare loop over the same modules and batches.
3. One sentence: milliseconds from text to entities, median and 99th percentile.

The contestants take turns, block by block, so that a busy moment of the machine hits both.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time

import pytorch_lightning as pl
import torch
import yaml
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlp.data.tagging.datamodule import TaggingData
from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.recurrence.cell import State
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.base.module import vocabulary_sizes
from rnnlp.tasks.fit.config_files import find_config
from rnnlp.tasks.tagging.module import Tagging
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.torch_engine import TorchTagger


class LibraryEncoder(nn.Module):
    """What other toolkits do: `torch.nn` on a packed sequence, with the weights of our encoder."""

    def __init__(self, encoder: nn.Module, config: EncoderConfig, input_size: int) -> None:
        super().__init__()
        kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[config.cell]
        self.rnn = kind(
            input_size,
            config.hidden_size,
            config.num_layers,
            batch_first=True,
            bidirectional=config.bidirectional,
        )
        self.rnn.load_state_dict(encoder.state_dict())
        self.output_size = encoder.output_size

    def forward(self, embedded: Tensor, lengths: Tensor) -> EncoderOutput:
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, final = self.rnn(packed)
        padded, _ = pad_packed_sequence(states, batch_first=True, total_length=embedded.shape[1])
        hidden, cell = final if isinstance(final, tuple) else (final, None)
        return EncoderOutput(padded, State(hidden, cell))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="ner")
    parser.add_argument("--data.train", dest="train")
    parser.add_argument("--cell", choices=["lstm", "gru", "rnn"])
    parser.add_argument("--steps", type=int, default=60, help="training steps of each contestant")
    parser.add_argument("--sentences", type=int, default=300, help="sentences that are timed")
    options = parser.parse_args()
    settings = yaml.safe_load(find_config(options.config).read_text(encoding="utf-8"))
    if options.cell:
        settings["model"]["encoder"]["cell"] = options.cell
    data, model = build(settings, options.train)
    batches = training_batches(data, options.steps)
    report = {
        "config": options.config,
        "cell": model.settings.encoder.cell,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **against_library(model, batches),
        **against_lightning(model, data, batches),
        **latency(model, data, options.sentences),
    }
    for name, value in report.items():
        print(f"{name:<36} {value if isinstance(value, str | int) else format(value, ',.4g')}")
    print(json.dumps(report))


def build(settings: dict, train: str | None) -> tuple[TaggingData, Tagging]:
    """The data module and the model of a config, with dropout off so that losses compare."""
    pl.seed_everything(1, verbose=False)
    wanted = settings["model"]
    embedding = {**wanted["embedding"], "word_dropout": 0.0, "dropout": 0.0}
    token_features = embedding.get("token_features", [])
    own = {key: value for key, value in settings["data"].items() if key != "train"}
    data = TaggingData(
        **own,
        train=train,
        token_features=token_features,
        characters=embedding.get("characters", "cnn") != "none",
    )
    sizes: Sizes = vocabulary_sizes(data)
    model = Tagging(
        tags=data.tags,
        scheme=data.scheme,
        sizes=sizes,
        embedding=EmbeddingConfig(**embedding),
        encoder=EncoderConfig(**{**wanted["encoder"], "dropout": 0.0}),
        dropout=0.0,
    )
    return data, model


def training_batches(data: TaggingData, count: int) -> list:
    loader = data.train_dataloader()
    batches = []
    while len(batches) < count:
        batches += list(loader)
    return batches[:count]


def tokens_of(batches: list) -> int:
    return sum(int(batch.features.lengths.sum()) for batch in batches)


def train(model: Tagging, optimizer: torch.optim.Optimizer, batches: list) -> list[float]:
    losses = []
    model.train()
    for batch in batches:
        optimizer.zero_grad()
        loss = model.objective.loss(model.network, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def against_library(model: Tagging, batches: list) -> dict:
    ours, theirs = copy.deepcopy(model), copy.deepcopy(model)
    theirs.network.encoder = LibraryEncoder(
        theirs.network.encoder, model.settings.encoder, model.network.embedding.output_size
    )
    contestants = [
        (each, torch.optim.Adam(each.parameters(), 0.001, fused=True)) for each in (ours, theirs)
    ]
    losses: list[list[float]] = [[], []]
    rates: list[list[float]] = [[], []]
    size = max(5, len(batches) // 8)
    for begin in range(0, len(batches), size):
        block = batches[begin : begin + size]
        for index, (contestant, optimizer) in enumerate(contestants):
            started = time.perf_counter()
            losses[index] += train(contestant, optimizer, block)
            rates[index].append(tokens_of(block) / (time.perf_counter() - started))
    apart = max(abs(a - b) / b for a, b in zip(*losses, strict=True))
    ratios = [a / b for a, b in zip(*rates, strict=True)]
    return {
        "train_tokens_per_second": statistics.median(rates[0]),
        "train_tokens_per_second_torch_nn": statistics.median(rates[1]),
        "ratio_to_torch_nn": statistics.median(ratios),
        "largest_relative_loss_difference": apart,
    }


class _Fixed(torch.utils.data.Dataset):
    """Batches that are ready."""

    def __init__(self, batches: list) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> object:
        return self.batches[index]


class _Bare(pl.LightningModule):
    """The tagger under Lightning, with the optimiser of the bare loop."""

    def __init__(self, model: Tagging) -> None:
        super().__init__()
        self.model = model

    def training_step(self, batch: object, index: int) -> Tensor:
        loss = self.model.objective.loss(self.model.network, batch)
        self.log("train_loss", loss.detach(), batch_size=len(batch.gold))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.001, fused=True)


def against_lightning(model: Tagging, data: TaggingData, batches: list) -> dict:
    """The same batches, ready made, once in a plain loop and once under Lightning's Trainer."""
    ratios = []
    block = batches[: max(10, len(batches) // 2)]
    for _ in range(4):
        bare = copy.deepcopy(model)
        optimizer = torch.optim.Adam(bare.parameters(), 0.001, fused=True)
        started = time.perf_counter()
        train(bare, optimizer, block)
        plain = time.perf_counter() - started
        clock = _Clock()
        trainer = pl.Trainer(
            max_epochs=1,
            gradient_clip_val=5.0,
            logger=False,
            callbacks=[clock],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        loader = torch.utils.data.DataLoader(_Fixed(block), batch_size=None)
        trainer.fit(_Bare(copy.deepcopy(model)), loader)
        ratios.append(plain / clock.seconds)
    return {"lightning_keeps": statistics.median(ratios)}


class _Clock(pl.Callback):
    seconds = 0.0

    def on_train_epoch_start(self, *_: object) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.started


def latency(model: Tagging, data: TaggingData, count: int) -> dict:
    pipeline = TaggingPipeline(
        engine=TorchTagger(model.network), featurizer=data.featurizer, settings=model.settings
    )
    rows = data.prepare().learned.corpora["validation"].rows
    joiner = "" if data.options.level == "character" else " "
    texts = [joiner.join(rows[n]["tokens"]) for n in range(min(count, len(rows)))]
    for text in texts[:20]:
        pipeline(text)
    times = []
    for text in texts:
        started = time.perf_counter()
        pipeline(text)
        times.append(1000 * (time.perf_counter() - started))
    times.sort()
    return {
        "sentence_ms_p50": statistics.median(times),
        "sentence_ms_p99": times[int(0.99 * (len(times) - 1))],
    }


if __name__ == "__main__":
    main()
