"""Every shipped config starts: it is read, its data made, one batch trained and validated."""

import pytest

from rnnlp.data.samples.grammar import SIZES
from rnnlp.data.translation.sample import TRANSLATION_SIZES
from rnnlp.tasks.fit.config_files import find_config, key_lines, shipped_configs

NAMES = [name for name, _ in shipped_configs()]


@pytest.fixture
def small_samples(monkeypatch):
    """Sample corpora with all that they have, but little of it: one batch is read of each."""
    for sizes in (SIZES, TRANSLATION_SIZES):
        for split, size in (("train", 300), ("validation", 10), ("test", 10)):
            monkeypatch.setitem(sizes, split, size)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["english", "chinese"])
def test_config_starts(rnnlp, small_samples, tmp_path, name, language):
    sample = ["--data.sample", language]
    if name in ("g2p", "inflection", "normalisation", "summarisation"):  # samples of their own
        sample = []
    elif name.startswith("translation"):
        source, target = ("en", "zh") if language == "english" else ("zh", "en")
        sample = ["--data.source", source, "--data.target", target]
    code, out, err = rnnlp(
        *("fit", "--config", name, "--output", tmp_path / "model"),
        *(*sample, "--trainer.fast_dev_run", "true"),
    )
    assert (code, out) == (0, ""), err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", NAMES)
def test_config_says_what_it_is_for(name):
    lines = find_config(name).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ") and lines[0].endswith(".")
    assert f"#   rnnlp fit --config {name}" in "\n".join(lines)


@pytest.mark.parametrize("name", ["ner", "sentiment", "translation", "generation", "joint"])
def test_the_manuals_name_every_key_with_a_comment(rnnlp, name):
    code, printed, _ = rnnlp("fit", "--config", name, "--print_config")
    assert code == 0
    text = find_config(name).read_text(encoding="utf-8")
    documented = {key for key, _ in key_lines(find_config(name))}
    for section in ("data", "model"):
        full = {key for key in keys_of(printed) if key.startswith(f"{section}.")}
        assert full <= documented, sorted(full - documented)
    assert text.count("#") > len([key for key in documented if "." in key]) / 2


def keys_of(text):
    import yaml

    def walk(node, prefix):
        for key, value in node.items():
            yield f"{prefix}{key}"
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{key}.")

    return set(walk(yaml.safe_load(text), ""))
