import itertools

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from rnnlp.data.datamodule.loader import ResumableLoader
from rnnlp.data.datamodule.samplers import BucketBatchSampler, Share

LENGTHS = np.random.default_rng(0).integers(1, 60, size=300)


def sampler(lengths=LENGTHS, **options):
    return BucketBatchSampler(**{"lengths": lengths, "max_tokens": 200, "seed": 1, **options})


class Rows(torch.utils.data.Dataset):
    """A dataset whose batch is its row numbers."""

    def __len__(self):
        return len(LENGTHS)

    def __getitem__(self, rows):
        return torch.tensor(rows, dtype=torch.float32)


def loader(batches=None, num_workers=0):
    return ResumableLoader(
        Rows(), batches=batches or sampler(), collate=lambda rows: rows, num_workers=num_workers
    )


@given(
    lengths=st.lists(st.integers(1, 300), min_size=5, max_size=200),
    budget=st.integers(1, 400),
    most=st.none() | st.integers(1, 20),
    shuffle=st.booleans(),
    processes=st.integers(1, 5),
)
def test_processes_share_every_batch(lengths, budget, most, shuffle, processes):
    shares = [
        BucketBatchSampler(
            lengths=lengths,
            max_tokens=budget,
            max_sentences=most,
            shuffle=shuffle,
            share=Share(rank, processes),
        )
        for rank in range(processes)
    ]
    steps = list(zip(*(list(share) for share in shares), strict=True))
    assert len(steps) == len(shares[0])
    assert sorted(row for step in steps for rows in step for row in rows) == list(
        range(len(lengths))
    )
    for step in steps:
        rows = [len(share) for share in step]
        assert min(rows) >= 1 and max(rows) - min(rows) <= 1
        for share in step:  # at most one example above the budget, where numbers do not divide
            longest = max(lengths[row] for row in share)
            assert len(share) <= 2 or (len(share) - 1) * longest <= budget
            assert most is None or len(share) <= most + 1


def test_fewer_examples_than_processes_are_refused():
    with pytest.raises(ValueError, match="2 examples for 3 processes"):
        sampler([5, 4], share=Share(0, 3))


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=200),
    budget=st.integers(1, 400),
    most=st.none() | st.integers(1, 20),
    shuffle=st.booleans(),
    epoch=st.integers(0, 3),
)
def test_batches_cover_everything_once_and_keep_the_budget(lengths, budget, most, shuffle, epoch):
    batches = BucketBatchSampler(
        lengths=lengths, max_tokens=budget, max_sentences=most, seed=3, shuffle=shuffle
    )
    batches.set_epoch(epoch)
    rows = list(batches)
    assert len(rows) == len(batches)
    assert sorted(itertools.chain(*rows)) == list(range(len(lengths)))
    for batch in rows:
        assert len(batch) <= (most or len(batch))
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_order_depends_on_seed_and_epoch_only():
    batches = sampler()
    first = list(batches)
    assert first == list(batches) == sampler().batches(0)
    batches.set_epoch(1)
    second = list(batches)
    assert second == sampler().batches(1)
    assert second != first
    assert {frozenset(b) for b in second} != {frozenset(b) for b in first}
    assert sampler(seed=2).batches(0) != first


def test_without_shuffling_rows_go_from_short_to_long():
    batches = sampler(shuffle=False)
    lengths = [LENGTHS[i] for batch in batches for i in batch]
    assert lengths == sorted(lengths)
    assert batches.batches(0) == batches.batches(1)


def test_padding_is_small():
    batches = sampler(lengths=np.random.default_rng(0).integers(1, 50, 5000), max_tokens=1024)
    positions = sum(len(b) * batches._lengths[b].max() for b in batches)
    assert batches.padding() == pytest.approx(1 - batches._lengths.sum() / positions)
    assert batches.padding() < 0.05


def test_errors_give_the_numbers():
    with pytest.raises(ValueError, match="there are 3, of which 1 are empty"):
        sampler(lengths=[1, 0, 2])
    with pytest.raises(ValueError, match="there are 0"):
        sampler(lengths=[])
    with pytest.raises(ValueError, match="not 0"):
        sampler(max_tokens=0)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_loader_resumes_in_mid_epoch(num_workers):
    whole = loader()
    whole.sampler.set_epoch(4)
    expected = [batch.tolist() for batch in whole]

    interrupted = loader(num_workers=num_workers)
    interrupted.sampler.set_epoch(4)
    iterator = iter(interrupted)
    before = [next(iterator).tolist() for _ in range(7)]
    state = interrupted.state_dict()
    assert state == {"epoch": 4, "batch": 7, "batches": len(whole)}
    del iterator

    resumed = loader(num_workers=num_workers)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    iter(resumed)  # not used: changes nothing
    resumed.sampler.set_epoch(4)
    assert before + [batch.tolist() for batch in resumed] == expected
    assert [batch.tolist() for batch in resumed] == expected  # from the start again


def test_a_state_is_of_no_use_in_another_epoch():
    resumed = loader()
    resumed.load_state_dict({"epoch": 4, "batch": 7, "batches": len(resumed)})
    resumed.sampler.set_epoch(5)
    assert [batch.tolist() for batch in resumed] == sampler().batches(5)


def test_a_changed_number_of_batches_is_refused():
    with pytest.raises(ValueError, match="3 batches an epoch, now there are"):
        loader().load_state_dict({"epoch": 0, "batch": 1, "batches": 3})


def test_loader_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    list(loader())
    assert torch.equal(before, torch.get_rng_state())


class Recorder(pl.LightningModule):
    """Learns something that depends on the order of the batches."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def training_step(self, batch):
        self.seen.append((self.current_epoch, batch.int().tolist()))
        return (self.weight - batch.mean() / 100).square()

    def validation_step(self, batch):
        pass

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.1)

    def train_dataloader(self):
        return loader()

    def val_dataloader(self):
        return loader(sampler(shuffle=False))


class Crash(Callback):
    def __init__(self, step):
        self.step = step

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        if trainer.global_step == self.step:
            raise KeyboardInterrupt


def fit(folder, *callbacks, ckpt=None, epochs=3, **options):
    module = Recorder()
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=list(callbacks) or None,
        enable_checkpointing=bool(callbacks),
        **options,
    )
    try:
        trainer.fit(module, ckpt_path=ckpt)
    except (KeyboardInterrupt, SystemExit):
        assert ckpt is None
    return module


@pytest.mark.filterwarnings("error:.*not resumable.*")
@pytest.mark.parametrize("interval", [1.0, 0.5])
@pytest.mark.parametrize("saved_at", [10, "end of epoch 1", 75])
def test_lightning_resumes_bit_exactly(saved_at, interval, tmp_path):
    """Killed in an epoch, at the end of one, in a later one: the same batches, the same weight."""
    options = {"val_check_interval": interval}
    whole = fit(tmp_path, **options)
    batches = len(sampler())
    steps = batches if isinstance(saved_at, str) else saved_at
    save = ModelCheckpoint(dirpath=tmp_path, every_n_train_steps=steps, filename="c", save_top_k=-1)
    fit(tmp_path, save, Crash(steps + 3), **options)
    path = sorted(tmp_path.glob("c*.ckpt"))[0]
    assert torch.load(path, weights_only=True)["global_step"] == steps
    resumed = fit(tmp_path, ckpt=path, **options)
    assert resumed.seen == whole.seen[steps:]
    assert torch.equal(resumed.weight, whole.weight)
