"""A tiny corpus, a tiny config, and models trained once for all tests of this folder."""

from itertools import islice

import pytest

from rnnlp.data.tagging.sample import sample_tagging
from rnnlp.data.tagging.schemes import spans_to_tags
from rnnlp.tasks.cli import main as cli

TINY = """\
task: tagging
data: {{train: {0}/train.conll, validation: {0}/validation.conll, max_tokens: 200}}
model:
  embedding: {{size: 16, characters: cnn, character_size: 8, character_features: 8, dropout: 0.1}}
  encoder: {{hidden_size: 16, dropout: 0.1}}
  dropout: 0.1
  optimizer: {{learning_rate: 0.03}}
trainer: {{max_epochs: 3, log_every_n_steps: 1, enable_progress_bar: false, accelerator: cpu}}
"""


@pytest.fixture(scope="session", autouse=True)
def without_curves(undrawn):
    """Trainings in this folder draw none; a test that looks at them patches the drawing back."""


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A folder with train, validation and test files in CoNLL columns, and the tiny config."""
    folder = tmp_path_factory.mktemp("corpus")
    for split, count in (("train", 120), ("validation", 40), ("test", 40)):
        lines = []
        for example in islice(sample_tagging("english", split), count):
            tags = example.tags or spans_to_tags(example.spans, len(example.tokens), "IOB2")
            lines += [f"{token} {tag}" for token, tag in zip(example.tokens, tags, strict=True)]
            lines.append("")
        (folder / f"{split}.conll").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "tiny.yaml").write_text(TINY.format(folder), encoding="utf-8")
    return folder


@pytest.fixture
def rnnlp(capsys):
    """Runs a command line in this process: gives its exit code, stdout and stderr."""

    def run(*arguments):
        capsys.readouterr()
        code = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def train(folder, corpus, *settings):
    """Trains the tiny config into a folder."""
    arguments = ["fit", "--config", str(corpus / "tiny.yaml"), "--output", str(folder), *settings]
    assert cli.run(arguments) == 0
    return folder


@pytest.fixture(scope="session")
def english(tmp_path_factory, corpus):
    """A model folder trained on the tiny corpus, well enough to find something."""
    folder = tmp_path_factory.mktemp("models") / "english"
    return train(folder, corpus, "--trainer.max_epochs=12", f"--data.test={corpus / 'test.conll'}")
