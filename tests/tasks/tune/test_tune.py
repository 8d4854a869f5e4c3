"""`rnnlp tune`, driven as a user does, on a tiny corpus."""

import json

import pytest

pytest.importorskip("optuna")


def test_searches_goes_on_and_gives_a_config_for_fit(rnnlp, corpus, tmp_path):
    space, output = tmp_path / "space.yaml", tmp_path / "out"
    space.write_text("model.encoder.hidden_size: [4, 8]\nmodel.dropout: {low: 0.1, high: 0.5}\n")
    command = [
        "tune", "--config", corpus / "tiny.yaml", "--space", space, "--output", output,
        "--seeds=1", "--trainer.max_epochs=1",
    ]  # fmt: skip
    code, out, err = rnnlp(*command, "--trials=1")
    assert code == 0, err
    assert "given: f1" in out
    first = json.loads((output / "results.json").read_text())["trials"]
    code, _, err = rnnlp(*command, "--trials=2")
    assert code == 2 and "--resume" in err
    code, _, err = rnnlp(*command, "--trials=2", "--resume")
    assert code == 0, err
    trials = json.loads((output / "results.json").read_text())["trials"]
    assert len(trials) == 2 and trials[:1] == first
    assert "The trials" in (output / "report.html").read_text(encoding="utf-8")
    fit = ["fit", "--config", output / "best.yaml", "--output", tmp_path / "model"]
    code, _, err = rnnlp(*fit, "--trainer.max_epochs=1")
    assert code == 0, err


def test_another_best_trial_is_trained_anew(rnnlp, corpus, tmp_path, monkeypatch):
    """What other seeds give is that of the best trial, also where it is another one than before."""
    from rnnlp.tasks.tune import search

    fitted = []

    def of_width(request, arguments, folder, seed, score, callbacks):
        (width,) = [int(a.split("=")[1]) for a in arguments] or [0]
        fitted.append(folder.name)
        folder.mkdir(parents=True, exist_ok=True)
        found = (8 - width if len(trials) == 1 else width) / 10
        (folder / "metrics.json").write_text(json.dumps({"validation": {score: found}}))
        return found

    space, output = tmp_path / "space.yaml", tmp_path / "out"
    space.write_text("model.encoder.hidden_size: {low: 4, high: 8}\n")
    monkeypatch.setattr(search, "fitted", of_width)
    command = ["tune", "--config", corpus / "tiny.yaml", "--space", space, "--output", output]
    for trials in ([1], list(range(9))):
        more = ["--trials", len(trials), "--seeds", 1, *(["--resume"] if fitted else [])]
        code, _, err = rnnlp(*command, *more)
        assert code == 0, err
        found = json.loads((output / "results.json").read_text())
        best = max(found["trials"], key=lambda trial: trial["score"])
        assert found["best"]["values"] == {
            "model.encoder.hidden_size": best["model.encoder.hidden_size"]
        }
        assert f"trial-{best['number']}-2" in fitted
        assert found["chance"]["best"] == [found["best"]["score"]]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("model.encoder.hiden_size: [4]", "there is no key"),
        ("model.dropout: {low: 0.5, high: 0.1}", "must be below high"),
        ("model.dropout: {kind: normal}", "wants a list of choices"),
    ],
)
def test_a_wrong_space_is_refused_with_its_line(rnnlp, corpus, tmp_path, line, said):
    space = tmp_path / "space.yaml"
    space.write_text(f"# mine\n{line}\n")
    command = ["tune", "--config", corpus / "tiny.yaml", "--space", space]
    code, _, err = rnnlp(*command, "--output", tmp_path / "out")
    assert code == 2 and f"{space}:2: " in err and said in err
