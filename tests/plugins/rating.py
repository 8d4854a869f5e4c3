"""A task of one's own: a number for a text, such as the stars of a review.

    rnnlp fit --plugin rating.py --task rating --data.train reviews.tsv

Everything that a task needs stands here, and nothing in rnnlp knows of it: what its data and its
settings are, a network, a loss and scores, a pipeline, and the row that `register_task` adds.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import rnnlp
from rnnlp.data.corpus.arrow import Corpus, write
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.labelled import LabelledData
from rnnlp.data.datamodule.options import LabelledOptions
from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.errors import InputError
from rnnlp.data.formats.text_files import read_lines
from rnnlp.models import Pooling
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, ModelConfig
from rnnlp.tasks.base.module import ModuleOptions, link_features
from rnnlp.tasks.base.objective import BatchLoss, Objective, ObjectiveModule
from rnnlp.tasks.base.pipeline import Pipeline
from rnnlp.tasks.base.plain import part_of


class Rated(NamedTuple):
    text: str
    rating: float
    line: int


def read_rated(path: str) -> Iterator[Rated]:
    for number, line in read_lines(path):
        text, _, rating = line.rpartition("\t")
        try:
            yield Rated(text, float(rating), number)
        except ValueError as error:
            raise InputError("wants TEXT, a tab, and a number", path=path, line=number) from error


# What a batch is, and the data module


class RatingBatch(NamedTuple):
    features: TokenTensors
    gold: Tensor  # [batch] float32


@dataclass(frozen=True, kw_only=True)
class RatingOptions(LabelledOptions):
    pass


class RatingData(LabelledData[Rated]):
    options: RatingOptions

    def __init__(self, **options: Any) -> None:
        self.options = RatingOptions(**options)
        super().__init__()

    def _file(self, path: str) -> Source[Rated]:
        return Source(path, lambda notes: read_rated(path))

    def _hub(self, rows: Any, name: str) -> Source[Rated]:
        raise InputError("ratings are read from files", path=name)

    def _sample(self, split: str) -> Source[Rated]:
        raise InputError("there is no sample corpus: give --data.train")

    def _store(self, folder: Path, notes: Any) -> dict[str, Corpus]:
        import pyarrow as pa

        columns = {"tokens": pa.list_(pa.string()), "gold": pa.float32(), "index": pa.int64()}
        return {
            split: write(
                (
                    {"tokens": example.text.split(), "gold": example.rating, "index": number}
                    for number, example in enumerate(source.read(notes))
                ),
                folder / f"{split}.arrow",
                columns=columns,
                name=source.name,
            )
            for split, source in self._sources().items()
        }

    def _learn_labels(self, corpora: dict[str, Corpus], notes: Any) -> None:
        notes.add(f"train: {len(corpora['train'].lengths):,} ratings")

    def _collate(self, split: str) -> Any:
        featurizer = self.featurizer
        return lambda rows: RatingBatch(
            as_tensors(featurizer.batch(rows["tokens"])), torch.tensor(rows["gold"])
        )


# The network, what it is built from, and its training


class Rater(nn.Module):
    """Embedding, encoder, the largest of each state, one number."""

    def __init__(self, embedding: nn.Module, encoder: nn.Module) -> None:
        super().__init__()
        self.embedding, self.encoder = embedding, encoder
        self.pooling = Pooling(size=encoder.output_size, ways=["max"])
        self.projection = nn.Linear(self.pooling.output_size, 1)

    def forward(self, batch: TokenTensors) -> Tensor:
        embedded = self.embedding(batch.tokens, batch.characters, batch.token_features)
        vector = self.pooling(self.encoder(embedded, batch.lengths), batch.lengths).vector
        return self.projection(vector).squeeze(1)


@dataclass(frozen=True, kw_only=True)
class RaterConfig(ModelConfig):
    def build(self) -> Rater:
        embedding = self.embedding.build(self.sizes)
        return Rater(embedding, self.encoder.build(embedding.output_size))


class RatingScores:
    policy = "rmse: root of the mean squared error; explained: share of the variance"

    def __init__(self) -> None:
        self.said: list[float] = []
        self.gold: list[float] = []

    def result(self) -> dict[str, Any]:
        errors = [(a - b) ** 2 for a, b in zip(self.said, self.gold, strict=True)]
        mean = sum(self.gold) / len(self.gold)
        spread = sum((b - mean) ** 2 for b in self.gold)
        return {
            "rmse": math.sqrt(sum(errors) / len(errors)),
            "explained": 1.0 - sum(errors) / max(spread, 1e-9),
        }


class RatingObjective(Objective):
    headline = ("rmse", "explained")
    examples = ("a good film", "好电影")
    main = "explained"

    def describe(self) -> str:
        return "one number for a text"

    def loss(self, network: Rater, batch: RatingBatch) -> Tensor:
        return nn.functional.mse_loss(network(batch.features), batch.gold)

    def scores(self, *, final: bool = False, calibrated: bool = False) -> RatingScores:
        return RatingScores()

    def add(self, scores: RatingScores, network: Rater, batch: RatingBatch) -> BatchLoss:
        said = network(batch.features)
        scores.said += said.tolist()
        scores.gold += batch.gold.tolist()
        return BatchLoss(nn.functional.mse_loss(said, batch.gold), len(said))


@dataclass(frozen=True, kw_only=True)
class RatingSettings(RaterConfig, ModuleOptions):
    embedding: EmbeddingConfig = EmbeddingConfig(size=16, characters="none")
    encoder: EncoderConfig = EncoderConfig(cell="gru", hidden_size=16)


class Rating(ObjectiveModule):
    headline = RatingObjective.headline
    hub_name = "text-regression"
    examples = RatingObjective.examples
    network: Rater
    settings: RaterConfig

    def __init__(self, **options: Any) -> None:
        self.options = RatingSettings(**options)
        super().__init__()
        self.settings = part_of(self.options, RaterConfig)
        self.network = self.settings.build()
        self.objective = RatingObjective()

    @staticmethod
    def link(parser: Any) -> None:
        link_features(parser)


# In use


class RatingEngine:
    def __init__(self, network: Rater) -> None:
        self.network = network.eval()


class RatingPipeline(Pipeline):
    task = "rating"

    @classmethod
    def from_folder(cls, folder: Any) -> "RatingPipeline":
        settings = RaterConfig.from_json(folder.config, source=str(folder.path))
        engine = RatingEngine(folder.network(settings.build))
        return cls(engine=engine, featurizer=folder.featurizer(), settings=settings)

    def __call__(self, texts: Any) -> Any:
        return self.answer(texts)

    def answers(self, texts: list[str]) -> list[dict[str, Any]]:
        answers = []
        for text in texts:
            batch = as_tensors(self.featurizer.batch([text.split() or ["<unk>"]]))
            with torch.inference_mode():
                answers.append({"text": text, "rating": round(float(self.network(batch)), 4)})
        return answers


def evaluate_rating(
    pipeline: RatingPipeline, path: str, *, format: str = "auto"
) -> tuple[dict[str, Any], str, list[str]]:
    scores = RatingScores()
    for example in read_rated(path):
        scores.said.append(pipeline(example.text)["rating"])
        scores.gold.append(example.rating)
    result = {**scores.result(), "examples": len(scores.gold), "seconds": 0.0}
    return {**result, "tokens_per_second": 0}, scores.policy, []


def score_lines(result: Any, policy: str) -> list[str]:
    return [f"rmse {result['rmse']:.3f}  explained {result['explained']:.3f}", f"policy: {policy}"]


rnnlp.register_task(
    rnnlp.TaskSpec(
        name="rating",
        module=f"{__name__}:Rating",
        data=f"{__name__}:RatingData",
        pipeline=f"{__name__}:RatingPipeline",
        evaluation=f"{__name__}:evaluate_rating",
        score_lines=f"{__name__}:score_lines",
    )
)
