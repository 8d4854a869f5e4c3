"""Models of random weights, which find more, and odder, things than trained ones."""

from dataclasses import replace

import torch

from rnnlp.data.tagging.schemes import allowed_transitions
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import Tokenizer
from rnnlp.models.layers.ngrams import common_ngrams
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.classification.config import ClassifierConfig
from rnnlp.tasks.classification.pipeline import ClassificationPipeline
from rnnlp.tasks.classification.torch_engine import TorchClassifier
from rnnlp.tasks.generation.config import GeneratorConfig
from rnnlp.tasks.generation.pipeline import GenerationPipeline
from rnnlp.tasks.generation.torch_engine import TorchGenerator
from rnnlp.tasks.tagging.config import TaggerConfig
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.torch_engine import TorchTagger

TEXTS = [
    "Barack Obama hasn't visited Berlin, or www.berlin.de, on 24.7.2008. He'll phone Dr. Merkel.",
    "张伟去年在上海加入了华为公司，他说：“很好！”\n王芳在Berlin住了3年。",
    "<b>Great</b> room<br />, but 1,000 times o'er-priced… 不错 e\u0301 👩\u200d🚀 ok",
]
TAGS = ["O", *(f"{letter}-{kind}" for kind in ("PER", "LOC") for letter in "BIES")]


def featurizer(level, characters=False, token_features=()):
    if level == "bpe":
        return Featurizer(tokens=Tokenizer.train(TEXTS, level="bpe", vocabulary_size=280))
    split = Tokenizer.train(TEXTS, level=level).split
    tokens = [[text[a:b] for a, b in split(text)] for text in TEXTS]
    tokens += tokens  # attributes are known from two occurrences on
    return Featurizer.train(
        tokens, level=level, characters=characters, token_features=token_features
    )


def parts(features, encoder):
    """The settings that models of all tasks have."""
    sizes, token_features = features.sizes, list(features.token_features)
    return {
        "sizes": Sizes(
            tokens=sizes.tokens, characters=sizes.characters, token_features=sizes.token_features
        ),
        "embedding": EmbeddingConfig(
            size=6, characters="cnn" if sizes.characters else "none", character_size=3,
            character_features=4, token_features=token_features, token_feature_size=3,
        ),
        "encoder": EncoderConfig(**{"hidden_size": 5, "bidirectional": False, **encoder}),
    }  # fmt: skip


ENGINES = {
    TaggingPipeline: TorchTagger,
    ClassificationPipeline: TorchClassifier,
    GenerationPipeline: TorchGenerator,
}


def made(pipeline, config, features, spread=0.5):
    torch.manual_seed(7)
    network = config.build()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    for table in network.modules():
        if isinstance(table, torch.nn.Embedding) and table.padding_idx is not None:
            table.weight.data[table.padding_idx] = 0.0
    return pipeline(engine=ENGINES[pipeline](network), featurizer=features, settings=config)


def tagger(level="word", *, characters=True, token_features=("bigram", "shape"), crf=True,
           scheme="BIOES", **encoder):  # fmt: skip
    features = featurizer(level, characters, token_features)
    tags = TAGS if scheme == "BIOES" else [t for t in TAGS if t[0] in "OBI"] if scheme else TAGS
    assert allowed_transitions(tags, scheme)
    config = TaggerConfig(tags=tags, scheme=scheme, crf=crf, **parts(features, encoder))
    return made(TaggingPipeline, config, features)


def classifier(level="word", *, token_features=("bigram",), encoder=None, **options):
    features = featurizer(level, False, token_features)
    common = parts(features, encoder or {})
    config = ClassifierConfig(classes=["a", "b", "c"], multilabel=False, **common, **options)
    if config.ngrams is None:
        return made(ClassificationPipeline, config, features, 0.5)
    texts = [features.encode(text)[0].tokens for text in TEXTS]
    hashes = common_ngrams(texts * 2, config.ngrams)
    config = replace(config, sizes=replace(config.sizes, ngrams=len(hashes)))
    model = made(ClassificationPipeline, config, features, 0.5)
    model.network.ngrams.count_only(hashes)
    return model


def generator(level="character", **encoder):
    features = featurizer(level)
    config = GeneratorConfig(fields={"kind": ["x", "y"]}, **parts(features, encoder))
    return made(GenerationPipeline, config, features, 0.5)
