"""Untrained taggers for tests, and the script that wrote `tests/folders/tagging-v1`.

    python -m tests.tasks.make_golden_folder tests/folders/tagging-v1

It is run once for a format version; the folder stays as it is ever after.
"""

import json
import sys
from pathlib import Path

import torch
from rnnlp.data.features import Featurizer
from rnnlp.tasks.folder import save_folder
from rnnlp.tasks.parts import EmbeddingConfig, EncoderConfig, Sizes, TaggerConfig
from rnnlp.tasks.tagging_pipeline import TaggingPipeline

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
        attributes=embedding.attributes,
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
        sizes=Sizes(tokens=sizes.tokens, characters=sizes.characters, attributes=sizes.attributes),
        embedding=embedding,
        encoder=encoder or EncoderConfig(hidden_size=5),
        crf=crf,
    )
    network = settings.build()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    return TaggingPipeline(network=network, featurizer=featurizer, settings=settings)


def write(folder: Path) -> None:
    """Writes a folder with every part in it, and what it predicts."""
    embedding = EmbeddingConfig(
        size=12,
        character_size=6,
        character_features=8,
        attributes=["bigram", "shape"],
        attribute_size=4,
    )
    pipeline = fresh(embedding, EncoderConfig(hidden_size=10, layers=2))
    save_folder(
        folder,
        task="tagging",
        model=pipeline.settings.to_json(),
        weights=pipeline.network.state_dict(),
        save_tokenizers=pipeline.featurizer.save,
        metrics={},
        training_config="task: tagging\n",
        card="A model with random weights, kept to check that old folders load.\n",
    )
    lines = [json.dumps(answer, ensure_ascii=False) + "\n" for answer in pipeline(TEXTS)]
    (folder / "expected.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
