"""The moving average of the weights: from step to step, and short trainings do not keep a draw."""

import copy

import pytest
import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.demos.boring_classes import BoringModel

from rnnlp.tasks.fit.averaging import ExponentialMovingAverage

STEPS = 40


class Recorder(Callback):
    """Keeps the weights after each step."""

    def __init__(self):
        self.weights = []

    def on_train_batch_end(self, trainer, module, *_):
        self.weights.append(copy.deepcopy(module.state_dict()))


def trained(tmp_path, *, decay):
    """The averaged weights, and those after each step."""
    seed_everything(1, verbose=False)
    model, recorder = BoringModel(), Recorder()
    model.register_buffer("mask", torch.tensor([True, False]))
    model.register_buffer("count", torch.tensor(3))
    Trainer(
        max_steps=STEPS, callbacks=[recorder, ExponentialMovingAverage(decay=decay)],
        default_root_dir=tmp_path, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, accelerator="cpu",
    ).fit(model)  # fmt: skip
    return model.state_dict(), recorder.weights


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_each_step_moves_it(decay, tmp_path):
    """decay, or (1 + t) / (10 + t) as long as that is less."""
    averaged, weights = trained(tmp_path, decay=decay)
    assert len(weights) == STEPS
    for name in ("layer.weight", "layer.bias"):
        expected = weights[0][name]
        for t, after in enumerate(weights[1:], 1):
            share = min(decay, (1 + t) / (10 + t))
            expected = share * expected + (1 - share) * after[name]
        torch.testing.assert_close(averaged[name], expected)
        assert not torch.allclose(expected, weights[-1][name], atol=1e-4)
    assert averaged["mask"].tolist() == [True, False]
    assert averaged["count"] == 3


def test_a_share_is_asked_for():
    with pytest.raises(ValueError, match="decay"):
        ExponentialMovingAverage(decay=1.5)
