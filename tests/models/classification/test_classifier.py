import pytest
import torch
from torch.nn import functional as F

from rnnlp.models.classification.calibration import fit_temperature
from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.classification.pooling import Pooling
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.losses import classification_loss


def make(ways=("max",), recurrent=True, classes=2, multilabel=False):
    torch.manual_seed(0)
    embedding = Embedding(vocabulary_size=30, size=12, word_dropout=0.0)
    encoder = (
        Encoder(input_size=12, cell="gru", hidden_size=12)
        if recurrent
        else BagEncoder(input_size=12)
    )
    pooling = Pooling(size=encoder.output_size, ways=ways, attention_size=8)
    return Classifier(
        embedding=embedding,
        encoder=encoder,
        pooling=pooling,
        classes=classes,
        multilabel=multilabel,
    )


def texts(count, generator, length=8):
    """The class is 1 where word 5 comes before word 6: no bag of words can tell."""
    tokens = torch.randint(7, 30, (count, length), generator=generator)
    places = torch.stack(
        [torch.randperm(length, generator=generator)[:2].sort().values for _ in range(count)]
    )
    classes = torch.randint(2, (count,), generator=generator)
    tokens.scatter_(1, places, torch.stack([6 - classes, 5 + classes], 1))
    return tokens, classes, torch.full((count,), length)


def accuracy(model, steps):
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(steps):
        tokens, classes, lengths = texts(64, generator)
        loss = classification_loss(model(tokens, None, None, lengths).logits, classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    tokens, classes, lengths = texts(300, generator)
    return float((model(tokens, None, None, lengths).logits.argmax(1) == classes).float().mean())


@pytest.mark.parametrize("way", ["last", "max", "mean", "attention"])
def test_learns_an_order_that_a_bag_cannot(way):
    assert accuracy(make([way]), 120) > 0.95


def test_a_bag_sees_no_order():
    assert accuracy(make(["mean"], recurrent=False), 60) < 0.65


@pytest.mark.parametrize("recurrent", [False, True])
def test_padding_and_company_change_nothing(recurrent):
    model = make(["last", "max", "mean", "attention"], recurrent).eval()
    tokens = torch.randint(4, 30, (3, 9))
    lengths = torch.tensor([9, 2, 5])
    tokens *= torch.arange(9) < lengths.unsqueeze(1)
    together = model(tokens, None, None, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = model(tokens[row : row + 1, :length], None, None, lengths[row : row + 1])
        torch.testing.assert_close(alone.logits[0], together.logits[row])
        torch.testing.assert_close(alone.weights[0], together.weights[row, :length])


def test_loss():
    logits = torch.randn(4, 3)
    targets = torch.tensor([0, 2, -1, 1])
    weights = torch.tensor([1.0, 2.0, 3.0])
    expected = F.cross_entropy(
        logits[[0, 1, 3]], targets[[0, 1, 3]], weight=weights, label_smoothing=0.1
    )
    actual = classification_loss(logits, targets, smoothing=0.1, class_weights=weights)
    torch.testing.assert_close(actual, expected)
    half = classification_loss(  # of a model in bfloat16, whose n-grams have their full precision
        logits, targets, smoothing=0.1, class_weights=weights.bfloat16()
    )
    torch.testing.assert_close(half, expected)
    multilabel = torch.tensor([[0.0, 1.0, 1.0]] * 4)
    torch.testing.assert_close(
        classification_loss(logits, multilabel),
        F.binary_cross_entropy_with_logits(logits, multilabel),
    )
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        classification_loss(logits, targets, smoothing=1.0)


def test_temperature_makes_scores_probabilities():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20_000, 3, generator=generator)
    targets = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    for factor in (0.3, 1.0, 4.0):
        actual = fit_temperature(logits * factor, targets, multilabel=False)
        assert actual == pytest.approx(factor, rel=0.05)
    unknown = torch.full_like(targets, -1)
    both = fit_temperature(
        torch.cat([logits, logits]), torch.cat([targets, unknown]), multilabel=False
    )
    assert both == pytest.approx(1.0, rel=0.05)
    assert fit_temperature(logits, unknown, multilabel=False) == 1.0


def test_temperature_with_several_labels():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20_000, 3, generator=generator)
    targets = (torch.rand(logits.shape, generator=generator) < logits.sigmoid()).float()
    assert fit_temperature(logits * 2.5, targets, multilabel=True) == pytest.approx(2.5, rel=0.05)
    model = make(classes=3, multilabel=True)
    model.temperature.fill_(2.5)
    torch.testing.assert_close(model.probabilities(logits * 2.5), logits.sigmoid())


def test_temperature_is_saved_with_the_weights():
    model = make()
    model.temperature.fill_(1.7)
    other = make()
    other.load_state_dict(model.state_dict())
    assert float(other.temperature) == pytest.approx(1.7)


def test_too_few_classes():
    with pytest.raises(ValueError, match="1 classes"):
        make(classes=1)
    make(classes=1, multilabel=True)
