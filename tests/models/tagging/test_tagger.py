"""The whole tagger: it learns a rule that needs its parts, and padding changes nothing."""

import pytest
import torch

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.models.tagging.spans import SpanRules
from rnnlp.models.tagging.tagger import Tagger


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors this small only lose time by being shared out among cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make(cell="lstm", output=CRF, characters="cnn", tags=3, dropout=0.0, **rules):
    torch.manual_seed(0)
    embedding = Embedding(
        vocabulary_size=300,
        size=8,
        characters=characters,
        character_vocabulary_size=14,
        character_size=10,
        character_features=16,
        word_dropout=0.3,
    )
    encoder = Encoder(input_size=embedding.output_size, cell=cell, hidden_size=16)
    return Tagger(
        embedding=embedding,
        encoder=encoder,
        output=output(tags=tags, **rules),
        dropout=dropout,
    )


def sentences(count, generator, known):
    """Tag 2 after a word that ends in letter 13, else 0 or 1 by the last letter of the word."""
    lengths = torch.randint(1, 9, (count,), generator=generator)
    characters = torch.randint(4, 14, (count, 8, 5), generator=generator)
    widths = torch.randint(2, 6, (count, 8), generator=generator)
    last = characters.gather(2, (widths - 1)[:, :, None])[:, :, 0]
    tags = (last % 2).clone()
    tags[:, 1:][last[:, :-1] == 13] = 2
    inside = torch.arange(8) < lengths[:, None]
    characters = characters * (torch.arange(5) < widths[:, :, None]) * inside[:, :, None]
    tokens = (
        torch.randint(4, 300, (count, 8), generator=generator)
        if known
        else torch.ones(count, 8, dtype=torch.int64)
    )
    tags = tags.masked_fill(~inside, -1)
    return dict(
        tokens=tokens * inside, characters=characters, token_features=None, lengths=lengths
    ), tags


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("output", [CRF, ConstrainedSoftmax])
def test_learns_tag_by_suffix_and_neighbour(cell, output):
    tagger = make(cell, output)
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(tagger.parameters(), 0.02)
    for _ in range(100):
        features, tags = sentences(32, generator, known=True)
        optimizer.zero_grad()
        tagger.loss(**features, tags=tags).backward()
        optimizer.step()
    tagger.eval()
    features, tags = sentences(200, generator, known=False)  # words never seen
    actual = tagger.decode(**features)
    assert (actual == tags)[tags >= 0].float().mean() > 0.97
    assert (actual[tags < 0] == -1).all()


@pytest.mark.parametrize("output", [CRF, ConstrainedSoftmax])
@pytest.mark.parametrize("characters", ["cnn", "rnn", "none"])
def test_batch_order_size_and_padding_change_nothing(output, characters):
    tagger = make(output=output, characters=characters).eval()
    features, _ = sentences(12, torch.Generator().manual_seed(2), known=True)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    pad = torch.nn.functional.pad
    mixed = dict(
        tokens=pad(features["tokens"], (0, 2))[order],
        characters=pad(features["characters"], (0, 3, 0, 2))[order],
        token_features=None,
        lengths=features["lengths"][order],
    )
    together, shuffled = tagger.decode(**features), tagger.decode(**mixed)
    assert torch.equal(together[order], shuffled[:, :8])
    scored = decoded(tagger, features)
    assert (scored.tags == together.numpy()).all()
    for row, length in enumerate(features["lengths"].tolist()):
        one = dict(
            tokens=features["tokens"][row : row + 1, :length],
            characters=features["characters"][row : row + 1, :length],
            token_features=None,
            lengths=features["lengths"][row : row + 1],
        )
        alone = tagger.decode(**one)
        assert torch.equal(alone[0], together[row, :length])
        rules = path_rules(alone[0].tolist())
        assert decoded(tagger, one).span_scores([(0, 0, length, rules)]) == pytest.approx(
            scored.span_scores([(row, 0, length, rules)]), abs=1e-6
        )


def decoded(tagger, features):
    """On arrays, as pipelines do."""
    with torch.no_grad():
        emissions = tagger.emissions(**features)
    return tagger.output.paths().decode(emissions.numpy(), features["lengths"].numpy())


def path_rules(path):
    """Those of any span of these tags."""
    some = dict.fromkeys(path, ())
    return SpanRules(some, dict.fromkeys(path, tuple(set(path))), some)


def test_span_scores_are_probabilities_of_the_spans():
    tagger = make().double().eval()
    features, _ = sentences(4, torch.Generator().manual_seed(4), known=True)
    actual = decoded(tagger, features)
    row = int(features["lengths"].argmax())
    length = int(features["lengths"][row])
    emissions = torch.from_numpy(actual.emissions)
    marginals = tagger.output.marginals(emissions, features["lengths"])
    path = actual.tags[row, :length].tolist()
    singles = actual.span_scores(
        [(row, t, t + 1, SpanRules({tag: ()}, {}, {tag: ()})) for t, tag in enumerate(path)]
    )
    assert singles == pytest.approx(marginals[row, range(length), path].tolist())
    assert actual.span_scores([]) == []


def test_weights_hold_no_rules_and_reload_exactly():
    rules = dict(allowed=[[True, True, False]] + [[True] * 3] * 2, start=[True, True, False])
    tagger, other = make(**rules).eval(), make(**rules).eval()
    assert not any("allowed" in name for name in tagger.state_dict())
    with torch.no_grad():
        for parameter in tagger.parameters():
            parameter.uniform_(-1, 1)
    other.load_state_dict(tagger.state_dict())
    features, _ = sentences(20, torch.Generator().manual_seed(5), known=True)
    assert torch.equal(tagger.emissions(**features), other.emissions(**features))
    assert torch.equal(tagger.decode(**features), other.decode(**features))


def test_under_autocast_scores_stay_in_full_precision():
    tagger = make(dropout=0.1)
    features, tags = sentences(8, torch.Generator().manual_seed(6), known=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert tagger.emissions(**features).dtype == torch.float32
        loss = tagger.loss(**features, tags=tags)
    loss.backward()
    assert loss.dtype == torch.float32
    assert all(p.grad is None or p.grad.isfinite().all() for p in tagger.parameters())
