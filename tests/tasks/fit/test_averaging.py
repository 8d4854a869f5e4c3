"""The moving average of the weights is that of Lightning."""

import pytest
import torch
from pytorch_lightning import Trainer, seed_everything
from pytorch_lightning.callbacks import EMAWeightAveraging
from pytorch_lightning.demos.boring_classes import BoringModel

from rnnlp.tasks.fit.averaging import ExponentialMovingAverage


def averaged(callback, tmp_path):
    seed_everything(1, verbose=False)
    model = BoringModel()
    model.register_buffer("mask", torch.tensor([True, False]))
    model.register_buffer("count", torch.tensor(3))
    Trainer(
        max_steps=7, callbacks=[callback], default_root_dir=tmp_path, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        accelerator="cpu",
    ).fit(model)  # fmt: skip
    return model.state_dict()


@pytest.mark.filterwarnings("ignore")
def test_it_is_lightnings_own(tmp_path):
    ours = averaged(ExponentialMovingAverage(decay=0.8), tmp_path)
    theirs = averaged(EMAWeightAveraging(decay=0.8), tmp_path)
    last = averaged(EMAWeightAveraging(decay=0.0), tmp_path)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value)
    assert not torch.allclose(ours["layer.weight"], last["layer.weight"], atol=1e-4)
