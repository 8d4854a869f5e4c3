"""Several models answer as one: the mean of their distributions, by enumeration and by hand."""

import itertools
import json

import pytest
import torch

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.translation.collate import TranslationCollate
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.ensemble import _mean
from rnnlp.tasks.translation.torch_engine import encode

from ..conftest import train

TEXTS = ["Barack Obama visited Berlin.", "Anna Berg met Tom in Paris on Monday", "x", ""]


@pytest.fixture(scope="module")
def taggers(tmp_path_factory, corpus):
    folder = tmp_path_factory.mktemp("taggers")
    return [
        train(folder / str(seed), corpus, f"--seed_everything={seed}", "--trainer.max_epochs=4")
        for seed in (1, 2)
    ]


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifiers")
    rows = [("good", "a fine and merry film"), ("bad", "dull and long"), ("good", "merry indeed")]
    data = folder / "train.jsonl"
    data.write_text("".join(json.dumps({"text": t, "label": a}) + "\n" for a, t in rows * 8))
    settings = {"embedding": {"size": 8}, "encoder": {"hidden_size": 8}}
    models = []
    for seed, more in ((1, {}), (2, {}), (3, {"recurrent": False, "ngrams": 2})):
        models.append(folder / str(seed))
        package.fit(
            "sentiment",
            output=models[-1],
            data={"train": data, "validation": data},
            model={**settings, **more},
            trainer={"max_epochs": 2, "accelerator": "cpu"},
            seed_everything=seed,
        )
    return models


def test_a_mean_of_crfs_is_the_geometric_mean_of_their_distributions():
    torch.manual_seed(0)
    crfs = [CRF(tags=3) for _ in range(3)]
    for crf in crfs:
        for parameter in crf.parameters():
            torch.nn.init.normal_(parameter)
    emissions = [torch.randn(1, 4, 3) for _ in crfs]
    lengths = torch.tensor([4])

    def log_probability(crf, scores, tags):
        return -4 * crf.loss(scores, torch.tensor([tags]), lengths).item()

    sequences = list(itertools.product(range(3), repeat=4))
    mean = torch.tensor(
        [
            sum(log_probability(c, e, tags) for c, e in zip(crfs, emissions, strict=True)) / 3
            for tags in sequences
        ]
    ).log_softmax(0)
    together, scores = _mean(crfs), torch.stack(emissions).mean(0)
    ours = torch.tensor([log_probability(together, scores, tags) for tags in sequences])
    assert torch.allclose(ours, mean, atol=1e-4)
    best = together.decode(scores, lengths)[0].tolist()
    assert tuple(best) == sequences[int(mean.argmax())]


def test_one_model_thrice_is_that_model(taggers, classifiers):
    for folder in (taggers[0], classifiers[0]):
        one, three = package.load(folder), package.load([folder] * 3)
        for mine, theirs in zip(one(TEXTS), three(TEXTS), strict=True):
            same(mine, theirs)


def same(first, second):
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            same(first[key], second[key])
    elif isinstance(first, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            same(one, other)
    else:
        assert first == (pytest.approx(second, abs=1e-5) if isinstance(first, float) else second)


def test_classifiers_of_any_kind_are_averaged(classifiers):
    each = [package.load(folder)(TEXTS) for folder in classifiers]
    together = package.load(classifiers)(TEXTS)
    for answers, mean in zip(zip(*each, strict=True), together, strict=True):
        for label, score in mean["scores"].items():
            expected = sum(answer["scores"][label] for answer in answers) / 3
            assert score == pytest.approx(expected, abs=2e-4)


def test_thresholds_are_averaged_in_any_order(tmp_path, rnnlp):
    data = tmp_path / "train.jsonl"
    rows = [{"text": f"{a} {b}", "label": [a, b]} for a in "xyz" for b in "uvw"]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows * 3))
    folders = []
    for seed, thresholds in ((1, []), (2, [0.1, 0.2, 0.3, 0.9, 0.8, 0.7])):
        folders.append(tmp_path / str(seed))
        package.fit(
            "sentiment",
            output=folders[-1],
            data={"train": data, "validation": data},
            model={
                "embedding": {"size": 8},
                "encoder": {"hidden_size": 8},
                "thresholds": thresholds,
            },
            trainer={"max_epochs": 2, "accelerator": "cpu"},
            seed_everything=seed,
        )
    one, other = package.load(folders), package.load(folders[::-1])
    assert one.settings.thresholds == other.settings.thresholds == [0.3, 0.35, 0.4, 0.7, 0.65, 0.6]
    assert [answer["label"] for answer in one(TEXTS)] == [
        [name for name in sorted(answer["scores"], key=answer["scores"].get, reverse=True)
         if answer["scores"][name] >= one.settings.thresholds[one.labels.index(name)]]
        for answer in other(TEXTS)
    ]  # fmt: skip
    scores = [json.loads(rnnlp("evaluate", *some, data, "--json")[1]) for some in
              (folders, folders[::-1])]  # fmt: skip
    assert scores[0]["micro_f1"] == scores[1]["micro_f1"]


def test_translators_are_averaged_at_each_step(tmp_path):
    pairs = tmp_path / "train.tsv"
    pairs.write_text("en\tde\n" + "a b c\tx y z\nb c\ty z\na\tx\nc a\tz x\n" * 4)
    folders = []
    for seed in (1, 2):
        folders.append(tmp_path / str(seed))
        package.fit(
            "translation",
            output=folders[-1],
            data={
                "train": pairs,
                "validation": pairs,
                "source": "en",
                "target": "de",
                "level": "word",
                "min_frequency": 1,
                "bpe_dropout": 0,
            },
            model={
                "embedding": {"size": 8},
                "encoder": {"hidden_size": 8},
                "decoder": {"hidden_size": 8},
            },
            trainer={"max_epochs": 2, "accelerator": "cpu"},
            seed_everything=seed,
        )
    together = package.load(folders)
    one, other = (package.load(folder) for folder in folders)
    prepare = TranslationCollate(featurizer=one.featurizer, target_tokenizer=one.target_tokenizer)
    batch = prepare({"source": ["b c a"], "target": ["y z x"], "index": [0]})
    each = []
    for model in (one, other):
        logits, _ = model.network(
            encode(model.network, batch.features), batch.target, batch.target_lengths
        )
        each.append(logits.softmax(1))
    mean = torch.stack(each).mean(0).log()
    network = together.engine.network
    state = encode(network, batch.features)
    for position, expected in enumerate(mean):  # the steps of a search say the same
        step = network.step(batch.target[:, position], state)
        state = step.state
        assert torch.allclose(step.log_probs[0], expected, atol=1e-5)
    following = batch.target[0, 1:].unsqueeze(1)
    assert together.log_probabilities(["b c a"], ["y z x"]) == [
        pytest.approx(mean.gather(1, following).sum().item(), abs=1e-5)
    ]
    assert together("b c a").keys() == {"text", "translation_text", "score"}


def test_what_is_not_alike_is_refused(taggers, classifiers, corpus, tmp_path):
    with pytest.raises(InputError, match="models for classification and tagging cannot"):
        package.load([taggers[0], classifiers[0]])
    softmax = train(tmp_path / "s", corpus, "--model.crf=false", "--trainer.max_epochs=1")
    with pytest.raises(InputError, match="have the same crf; these have True and False"):
        package.load([taggers[0], softmax])
    other = train(tmp_path / "o", corpus, "--data.lowercase=true", "--trainer.max_epochs=1")
    with pytest.raises(InputError, match="the same vocabularies: train the others with"):
        package.load([taggers[0], other])
    with pytest.raises(InputError, match="no model is named"):
        package.load([])
    with pytest.raises(InputError, match="an ensemble of 2 models answers, and does nothing else"):
        package.load(taggers).save(tmp_path / "saved")


def test_from_the_shell(rnnlp, taggers, corpus):
    code, out, err = rnnlp("predict", *taggers, TEXTS[0])
    assert code == 0 and err == "note: the mean of 2 models answers\n"
    assert json.loads(out)["text"] == TEXTS[0]
    code, out, _ = rnnlp("evaluate", *taggers, corpus / "test.conll", "--json")
    assert code == 0 and 0.0 < json.loads(out)["f1"] <= 1.0
