"""Searches that look at a shortlist, from fit to export: what they find, and what is refused."""

import io
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from itertools import islice

import pytest

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.translation.sample import sample_translation
from rnnlp.tasks.cli import main as cli

FIT = (
    "fit", "--config", "translation", "--data.vocabulary_size", "400",
    "--model.embedding.size", "24", "--model.encoder.hidden_size", "24",
    "--model.decoder.hidden_size", "24", "--trainer.max_epochs", "2",
    "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false",
)  # fmt: skip
TEXTS = [pair.source for pair in islice(sample_translation("test"), 20)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of some pairs, and what was printed."""
    folder = tmp_path_factory.mktemp("shortlist")
    for split in ("train", "validation"):
        pairs = islice(sample_translation(split), 400 if split == "train" else 20)
        rows = "".join(f"{pair.source}\t{pair.target}\n" for pair in pairs)
        (folder / f"{split}.tsv").write_text(f"zh\ten\n{rows}", encoding="utf-8")
    files = [f"--data.{split}={folder / split}.tsv" for split in ("train", "validation")]
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        arguments = [*FIT, *files, "--model.search.shortlist=6", f"--output={folder / 'model'}"]
        assert cli.run(arguments) == 0
    return folder / "model", printed.getvalue()


@pytest.fixture(scope="module")
def folder(trained):
    return trained[0]


@pytest.fixture(scope="module")
def model(folder):
    return package.load(folder)


def said(model, text, **search):
    """The tokens of the best hypotheses."""
    (hypotheses,) = model.search([text], nbest=3, **search)
    return {token for one in hypotheses for token in one.tokens}


def test_fit_says_what_it_leaves_out(trained):
    assert re.search(
        r"shortlist: searches look at \d+ of 400 target tokens for a sentence of validation, on "
        r"average; \d\d\.\d % of the tokens of its targets are among them",
        trained[1],
    )


def test_only_candidates_are_said(model):
    for text in TEXTS:
        source = model.featurizer.encode(text)[0].tokens
        for count in (1, 6):
            allowed = {*model.shortlist.candidates([source], count)[0].tolist()}
            assert said(model, text, shortlist=count) <= allowed
    wide = [said(model, text, shortlist=0) for text in TEXTS]
    assert wide != [said(model, text, shortlist=1) for text in TEXTS]


def test_neither_batch_nor_order_changes_a_result(model):
    together = model(TEXTS, nbest=2)
    assert model(TEXTS[::-1], nbest=2)[::-1] == together
    for text, wanted in zip(TEXTS, together, strict=True):
        (alone,) = model([text], nbest=2)
        assert [one["translation_text"] for one in alone["translations"]] == [
            one["translation_text"] for one in wanted["translations"]
        ]


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("shortlist", [0, 3, 6])
def test_an_exported_model_says_the_same(int8, shortlist, folder, model, tmp_path):
    exported = package.load(package.export(folder, tmp_path / "exported", int8=int8))
    theirs, ours = (one(TEXTS, shortlist=shortlist) for one in (model, exported))
    if not int8:  # where scores differ a little, and this one is sure of nothing
        assert [one["translation_text"] for one in ours] == [
            one["translation_text"] for one in theirs
        ]
    for text in TEXTS if shortlist else ():
        source = model.featurizer.encode(text)[0].tokens
        allowed = {*model.shortlist.candidates([source], shortlist)[0].tolist()}
        assert said(exported, text, shortlist=shortlist) <= allowed


def test_members_of_an_ensemble_look_at_the_same(folder, model):
    both = package.load([folder, folder])
    assert both(TEXTS) == model(TEXTS)


def test_a_copy_keeps_it(folder, model, tmp_path):
    (tmp_path / "copy").mkdir()
    model.save_tokenizers(tmp_path / "copy")
    copied = (tmp_path / "copy" / "shortlist.npz").read_bytes()
    assert copied == (folder / "shortlist.npz").read_bytes()


def test_more_than_it_keeps_is_refused(model):
    with pytest.raises(InputError, match="shortlist is 7, and the model keeps 6 proposals"):
        model(TEXTS, shortlist=7)
    with pytest.raises(InputError, match="shortlist is -1: it must be 0"):
        model(TEXTS, shortlist=-1)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 is cut"])
def test_a_damaged_file_is_named(content, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    file = tmp_path / "model" / "shortlist.npz"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"shortlist\.npz: cannot be read"):
        package.load(tmp_path / "model")


@pytest.mark.parametrize("count", [-1, 400])
def test_no_number_of_target_tokens(count, tmp_path):
    arguments = [*FIT, f"--model.search.shortlist={count}", f"--output={tmp_path}"]
    with pytest.raises(InputError, match=f"shortlist is {count}: give 0 for all 400 target"):
        cli.run(arguments)


@pytest.mark.parametrize(
    "option", ["--model.decoder.copy=true", "--model.decoder.attention=monotonic"]
)
def test_decoders_that_have_none(option, tmp_path):
    level = ["--data.level=word", "--data.bpe_dropout=0", "--model.decoder.lexical=false"]
    arguments = [*FIT, *level, option, "--model.search.shortlist=5", f"--output={tmp_path}"]
    with pytest.raises(InputError, match=r"shortlist does not go with model\.decoder\.copy, nor"):
        cli.run(arguments)
