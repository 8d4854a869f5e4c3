"""Untrained taggers for tests, and the script that wrote the folders in `tests/folders`.

    python -m tests.tasks.make_golden_folder tagging tests/folders/tagging-v1
    python -m tests.tasks.make_golden_folder classification tests/folders/classification-v1

The other tasks likewise.

It is run once for a format version of a task; the folder stays as it is ever after.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

import rnnlp
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.model_folder.weights import zero_padding
from rnnlp.tasks.tagging.config import TaggerConfig
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.torch_engine import TorchTagger

TAGS = ["O", *(f"{letter}-{kind}" for letter in "BEIS" for kind in ("LOC", "PER"))]
SENTENCES = [
    ["Maria", "visited", "Oslo", "."],
    ["In", "Rio", ",", "Maria", "met", "Bob", "."],
    ["Bob", "visited", "Maria", "."],
]
TEXTS = ["Maria visited Oslo.", "In Rio, Bob met 李明 and Åse-Marie!", "", "Bob  \u3000 ok 👍🏽."]


def featurizer_for(embedding: EmbeddingConfig) -> Featurizer:
    """Vocabularies of the few sentences, for what the embedding reads."""
    return Featurizer.train(
        SENTENCES,
        level="word",
        characters=embedding.characters != "none",
        token_features=embedding.token_features,
    )


def fresh(
    embedding: EmbeddingConfig, encoder: EncoderConfig | None = None, *, crf: bool = True
) -> TaggingPipeline:
    """A tagger with random weights, large enough that it finds something."""
    torch.manual_seed(3)
    featurizer = featurizer_for(embedding)
    sizes = featurizer.sizes
    settings = TaggerConfig(
        tags=TAGS,
        scheme="BIOES",
        sizes=Sizes(
            tokens=sizes.tokens, characters=sizes.characters, token_features=sizes.token_features
        ),
        embedding=embedding,
        encoder=encoder or EncoderConfig(hidden_size=5),
        crf=crf,
    )
    network = settings.build()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    zero_padding(network)
    return TaggingPipeline(engine=TorchTagger(network), featurizer=featurizer, settings=settings)


# Small models of the other tasks, trained for a moment on the sample corpus.
TINY = {
    "classification": [
        *("--config", "sentiment", "--data.vocabulary_size", "60", "--model.embedding.size", "8"),
        *("--model.encoder.hidden_size", "6", "--model.pooling", "[last, max, mean, attention]"),
        *("--model.attention_size", "5", "--model.embedding.token_features", "[suffix]"),
        *("--model.embedding.token_feature_size", "4"),
    ],
    "translation": [
        *(
            "--config",
            "translation",
            "--data.vocabulary_size",
            "300",
            "--model.encoder.num_layers",
            "2",
        ),
        *("--model.embedding.size", "8", "--model.encoder.hidden_size", "6"),
        *("--model.decoder.hidden_size", "10", "--model.decoder.num_layers", "3"),
    ],
    "joint": [
        *("--config", "joint", "--data.vocabulary_size", "60", "--model.embedding.size", "8"),
        *("--model.embedding.characters", "none", "--model.embedding.token_features", "[suffix]"),
        *("--model.embedding.token_feature_size", "4", "--model.encoder.hidden_size", "6"),
        *("--model.classification.pooling", "[max, attention]"),
        *("--model.classification.attention_size", "5"),
    ],
    "generation": [
        *("--config", "generation", "--data.level", "word", "--data.vocabulary_size", "150"),
        *("--model.embedding.size", "10", "--model.encoder.hidden_size", "12"),
        *("--model.encoder.num_layers", "2", "--model.sampling.max_length", "12"),
        *("--model.sampling.top_k", "1"),  # draws nothing: random numbers are not the model's
    ],
}
KEPT = ("config.json", "model.safetensors", "tokenizer.json", "target.json", "suffix.json")


def train(task: str, folder: Path) -> None:
    """Trains a small model, makes it decided, keeps what loading needs and what it predicts."""
    settings = [*TINY[task], "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "20"]
    with tempfile.TemporaryDirectory() as temporary:
        model = Path(temporary, "model")
        subprocess.run(
            [sys.executable, "-m", "rnnlp", "fit", *settings, "--output", str(model)], check=True
        )
        folder.mkdir(parents=True)
        for name in KEPT:
            if (model / name).exists():
                shutil.copyfile(model / name, folder / name)
    decide(folder / "model.safetensors")
    pipeline: Any = rnnlp.load(folder)
    answers = pipeline(TEXTS)
    if task == "generation":
        for kind in ("letter", "recipe"):
            answers += [pipeline(TEXTS[0], labels={"kind": kind}) | {"labels": {"kind": kind}}]
    keep(answers, folder)


def decide(file: Path) -> None:
    """Adds noise to the weights: a model that is torn between answers would test little."""
    torch.manual_seed(3)
    weights = load_file(file)
    save_file(
        {n: w + 0.7 * torch.randn_like(w) if w.dim() == 2 else w for n, w in weights.items()}, file
    )


def keep(answers: list[dict[str, Any]], folder: Path) -> None:
    """Writes what a model says of some texts."""
    lines = [json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers]
    (folder / "expected.jsonl").write_text("".join(lines), encoding="utf-8")


def write(folder: Path) -> None:
    """Writes a tagger with every part in it, and what it predicts."""
    embedding = EmbeddingConfig(
        size=12,
        character_size=6,
        character_features=8,
        token_features=["bigram", "shape"],
        token_feature_size=4,
    )
    pipeline = fresh(embedding, EncoderConfig(hidden_size=10, num_layers=2))
    pipeline.save(folder)
    keep(pipeline(TEXTS), folder)


if __name__ == "__main__":
    task, place = sys.argv[1], Path(sys.argv[2])
    write(place) if task == "tagging" else train(task, place)
