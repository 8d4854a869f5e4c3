"""A tagger and a classifier on one encoder: each as if it stood alone, and the shared part once."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.classification.pooling import Pooling
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.joint import JointNetwork
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.models.tagging.tagger import Tagger

LENGTHS = torch.tensor([5, 3])
TOKENS = torch.tensor([[4, 5, 6, 7, 8], [9, 4, 2, 0, 0]])


def embedding():
    return Embedding(vocabulary_size=10, size=6, character_vocabulary_size=0, characters="none")


def encoder():
    return Encoder(input_size=6, cell="gru", hidden_size=5, bidirectional=True)


def tagger(words, reader):
    every = torch.ones(3, 3, dtype=torch.bool)
    output = ConstrainedSoftmax(tags=3, allowed=every, start=every[0], end=every[0])
    return Tagger(embedding=words, encoder=reader, output=output)


def classifier(words, reader):
    return Classifier(
        embedding=words, encoder=reader, pooling=Pooling(size=10, ways=["max"]), classes=2
    )


def fresh(seed=0):
    torch.manual_seed(seed)
    words, reader = embedding(), encoder()
    network = JointNetwork(tagger=tagger(words, reader), classifier=classifier(words, reader))
    return network.eval()


def outputs(network):
    return (
        network.tagger.emissions(TOKENS, None, None, LENGTHS),
        network.classifier(TOKENS, None, None, LENGTHS).logits,
    )


def test_shared_weights_are_saved_once_and_loaded_into_both(tmp_path):
    network, other = fresh(), fresh(seed=1)
    state = network.state_dict()
    assert {name.split(".")[0] for name in state} == {
        "embedding",
        "encoder",
        "tagger",
        "classifier",
    }
    assert not [name for name in state if ".embedding." in name or ".encoder." in name]
    assert len({tensor.data_ptr() for tensor in state.values()}) == len(state)
    save_file(state, tmp_path / "weights")  # which refuses tensors that share memory
    assert not any(map(torch.equal, outputs(network), outputs(other)))
    other.load_state_dict(load_file(tmp_path / "weights"), strict=True)
    assert all(map(torch.equal, outputs(network), outputs(other)))
    assert other.tagger.encoder is other.classifier.encoder is other.encoder


def test_inside_another_module():
    """As Lightning keeps it: under a prefix."""
    outer, other = (torch.nn.ModuleDict({"network": fresh(seed)}) for seed in (0, 1))
    state = outer.state_dict()
    assert "network.encoder.weight_hh_l0" in state
    assert "network.tagger.encoder.weight_hh_l0" not in state
    other.load_state_dict(state, strict=True)
    assert all(map(torch.equal, outputs(outer["network"]), outputs(other["network"])))


def test_missing_and_foreign_weights_are_still_found():
    state = fresh().state_dict()
    missing = {name: tensor for name, tensor in state.items() if name != "encoder.bias_hh_l0"}
    with pytest.raises(RuntimeError, match=r"encoder\.bias_hh_l0"):
        fresh().load_state_dict(missing)
    with pytest.raises(RuntimeError, match="stray"):
        fresh().load_state_dict({**state, "encoder.stray": torch.zeros(1)})


def test_each_head_stands_for_itself():
    network = fresh()
    alone = tagger(embedding(), encoder()).eval()
    state = network.state_dict()
    own = {name.removeprefix("tagger."): w for name, w in state.items() if "classifier" not in name}
    alone.load_state_dict(own, strict=True)
    ids = (TOKENS, None, None, LENGTHS)
    assert torch.equal(alone.emissions(*ids), network.tagger.emissions(*ids))


def test_both_losses_reach_the_shared_part():
    network = fresh()
    for number, output in enumerate(outputs(network)):
        network.zero_grad()
        output.square().sum().backward()
        assert all(p.grad.abs().sum() > 0 for p in network.encoder.parameters())
        silent = (network.classifier.projection, network.tagger.projection)[number]
        assert silent.weight.grad is None
    shared = list(network.embedding.parameters()) + list(network.encoder.parameters())
    heads = [network.tagger.projection, network.classifier.projection]
    assert len(list(network.parameters())) == len(shared) + sum(
        len(list(head.parameters())) for head in heads
    )


def test_two_encoders_are_refused():
    words = embedding()
    with pytest.raises(ValueError, match="an encoder of their own"):
        JointNetwork(tagger=tagger(words, encoder()), classifier=classifier(words, encoder()))
