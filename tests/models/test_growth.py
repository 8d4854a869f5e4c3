"""A network that has grown gives what it knew before the very scores that it had."""

import pytest
import torch

from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.classification.linear import LinearClassifier
from rnnlp.models.classification.pooling import Pooling
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.growth import grown
from rnnlp.models.layers.ngrams import NGrams, hashed
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.models.tagging.tagger import Tagger

UNKNOWN = 1
OLD, NEW = [2, 0, 1], 5  # where the old labels stand among the new ones, and how many these are
PLACES = torch.tensor([1, 2, 0, -1, -1])


def layers(grown):
    more = 4 if grown else 0
    embedding = Embedding(
        vocabulary_size=9 + more,
        size=6,
        characters="cnn",
        character_vocabulary_size=7 + more,
        character_size=3,
        character_features=4,
        token_feature_vocabulary_sizes=[5 + more],
        token_feature_size=2,
    )
    return embedding, Encoder(input_size=embedding.output_size, cell="gru", hidden_size=5)


def tagger(grown, output):
    embedding, encoder = layers(grown)
    head = output(tags=NEW if grown else 3)
    return Tagger(embedding=embedding, encoder=encoder, output=head)


def ngrams(grown, order=2):
    texts = torch.tensor([[2, 3, 4, 5], [6, 7, 8, 3]] + [[9, 10, 11, 12]] * grown)
    actual = hashed(texts, order)
    hashes = actual[actual >= 0].unique().to(torch.int32)
    part = NGrams(order=order, rows=len(hashes), classes=NEW if grown else 3)
    part.count_only(hashes)
    torch.nn.init.normal_(part.table.weight)
    return part


def classifier(grown, multilabel):
    classes = NEW if grown else 3
    if multilabel is None:
        model = LinearClassifier(ngrams=ngrams(grown), classes=classes)
        torch.nn.init.normal_(model.bias)
        return model
    embedding, encoder = layers(grown)
    return Classifier(
        embedding=embedding,
        encoder=encoder,
        pooling=Pooling(size=encoder.output_size, ways=["max", "attention"], attention_size=3),
        classes=classes,
        ngrams=ngrams(grown),
        multilabel=multilabel,
    )


def batch():
    torch.manual_seed(3)
    tokens = torch.tensor([[2, 3, 4, 5, 8], [6, 7, UNKNOWN, 0, 0]])
    characters = torch.randint(1, 7, (2, 5, 4))
    features = torch.randint(1, 5, (2, 5, 1))
    return tokens, characters, features, torch.tensor([5, 3])


def grow(build):
    torch.manual_seed(1)
    old, new = build(False).eval(), build(True).eval()
    weights = grown(old.state_dict(), new.state_dict(), places=PLACES, label_axes=new.label_axes)
    new.load_state_dict(weights)
    return old, new


def close(actual, wanted):
    """A product of matrices rounds by their widths on some processors."""
    torch.testing.assert_close(actual, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("output", [CRF, ConstrainedSoftmax])
def test_a_tagger(output):
    def build(grown):
        made = tagger(grown, output)
        for parameter in made.output.parameters():
            torch.nn.init.normal_(parameter)
        return made

    old, new = grow(build)
    inputs = batch()
    before, after = old.emissions(*inputs), new.emissions(*inputs)
    close(after[:, :, OLD], before)
    close(after[:, :, 3:], after[0, 0, 3].expand_as(after[:, :, 3:]))  # the same everywhere
    assert after[0, 0, 3] < old.projection.bias.min() - 6  # and improbable
    # Words, characters and attributes that came later read like unknown ones.
    tokens, characters, features, lengths = inputs
    later, spelt, told = tokens.clone(), characters.clone(), features.clone()
    later[0, 1], later[1, 0], spelt[0, 0, 1], told[1, 1, 0] = 12, 9, 10, 8
    unknown = [torch.where(ids < size, ids, UNKNOWN)
               for ids, size in ((later, 9), (spelt, 7), (told, 5))]  # fmt: skip
    close(new.emissions(later, spelt, told, lengths)[:, :, OLD], old.emissions(*unknown, lengths))
    if output is CRF:
        assert torch.equal(new.output.transitions[OLD][:, OLD], old.output.transitions)
        assert torch.equal(new.output.start[OLD], old.output.start)
        assert torch.equal(new.output.end[OLD], old.output.end)
    tags = new.decode(*inputs)
    assert torch.equal(old.decode(*inputs), PLACES[tags].where(tags >= 0, torch.tensor(-1)))


@pytest.mark.parametrize("multilabel", [False, True, None])
def test_a_classifier(multilabel):
    old, new = grow(lambda grown: classifier(grown, multilabel))
    old.temperature.fill_(1.7)
    new.load_state_dict(
        grown(old.state_dict(), new.state_dict(), places=PLACES, label_axes=new.label_axes)
    )
    before, after = old(*batch()).logits, new(*batch()).logits
    close(after[:, OLD], before)
    assert (after[:, 3:] < before.min() - 1).all()
    assert new.temperature == old.temperature
