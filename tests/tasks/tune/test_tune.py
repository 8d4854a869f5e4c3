"""`rnnlp tune`, driven as a user does, on a tiny corpus."""

import json
import signal
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
import yaml

import rnnlp as package
from rnnlp.tasks.fit.config_files import key_lines
from rnnlp.tasks.fit.resume import flat
from rnnlp.tasks.tune import search as tune_search
from rnnlp.tasks.tune.space import Range, read_space, shipped_space

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

    def of_width(request, arguments, folder, seed, watch):
        (width,) = [int(a.split("=")[1]) for a in arguments] or [0]
        fitted.append(folder.name)
        return (8 - width if len(trials) == 1 else width) / 10

    space, output = tmp_path / "space.yaml", tmp_path / "out"
    space.write_text("model.encoder.hidden_size: {low: 4, high: 8}\n")
    monkeypatch.setattr(search, "fitted", of_width)
    command = ["tune", "--config", corpus / "tiny.yaml", "--space", space, "--output", output]
    for trials in ([1], list(range(9))):
        more = ["--trials", len(trials), "--seeds", 1, *(["--resume"] if fitted else [])]
        code, _, err = rnnlp(*command, *more)
        assert code == 0, err
        actual = json.loads((output / "results.json").read_text())
        best = max(actual["trials"], key=lambda trial: trial["score"])
        assert actual["best"]["values"] == {
            "model.encoder.hidden_size": best["model.encoder.hidden_size"]
        }
        assert f"trial-{best['number']}-2" in fitted
        assert actual["chance"]["best"] == [actual["best"]["score"]]


@pytest.fixture
def search(corpus, tmp_path):
    """The command of a search over one key, with a few epochs of the tiny config."""
    space = tmp_path / "space.yaml"
    space.write_text("model.encoder.hidden_size: {low: 4, high: 8}\n")
    return [
        "tune", "--config", corpus / "tiny.yaml", "--space", space, "--output", tmp_path / "out",
        "--seeds=0", "--trainer.max_epochs=1",
    ]  # fmt: skip


def trials_in(folder):
    """The trials that the report of a search is about."""
    return json.loads((folder / "results.json").read_text())["trials"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--model.dropout=0.3"], "model.dropout was 0.1"),
        (["--trainer.max_epochs=2"], "trainer.max_epochs was 1"),
        (["--data.train={0}/test.conll"], "other data (data.train"),
        (["--space={1}/wider.yaml"], "other search space (model.encoder.hidden_size"),
    ],
)
def test_a_study_of_something_else_is_refused(
    rnnlp, search, corpus, tmp_path, monkeypatch, more, said
):
    from rnnlp.tasks.tune import search as module

    monkeypatch.setattr(module, "fitted", lambda *_: 0.5)
    (tmp_path / "wider.yaml").write_text("model.encoder.hidden_size: {low: 4, high: 80}\n")
    assert rnnlp(*search, "--trials=1")[0] == 0
    more = [part.format(corpus, tmp_path) for part in more]
    code, _, err = rnnlp(*search, "--trials=2", "--resume", *more)
    assert code == 2 and said in err


def test_a_trial_that_was_interrupted_does_not_count(rnnlp, search, tmp_path, monkeypatch):
    from rnnlp.tasks.tune.search import Watch

    def ctrl_c(self, trial, module):
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "on_validation_end", ctrl_c)
        code, _, err = rnnlp(*search, "--trials=1")
    assert code == 130 and "--resume" in err
    assert not list((tmp_path / "out" / "trials").iterdir())
    code, _, err = rnnlp(*search, "--trials=1", "--resume")
    assert code == 0, err
    assert [trial["state"] for trial in trials_in(tmp_path / "out")] == [
        "interrupted",
        "complete",
    ]


def test_values_that_do_not_go_together_fail_one_trial(rnnlp, search, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text("model.encoder.hidden_size: [8, -1]\n")
    code, _, err = rnnlp(*search, "--trials=6")
    assert code == 0, err
    trials = trials_in(tmp_path / "out")
    failed = [trial for trial in trials if trial["state"] == "fail"]
    assert len(trials) == 6 and 0 < len(failed) < 6
    assert all("hidden_size" in trial["why"] for trial in failed)
    assert f"trial {failed[0]['number']} failed (--model.encoder.hidden_size=-1)" in err
    assert failed[0]["why"] in (tmp_path / "out" / "report.md").read_text().replace("\\", "")


def test_hopeless_trials_are_pruned(rnnlp, search, tmp_path, monkeypatch):
    """After four whole trials, one whose score lies below their median is ended."""
    from rnnlp.tasks.tune import search as module

    def scores(search, arguments, folder, seed, watch):
        number, lost = watch.trial.number, watch.trial.number > 5
        for step in range(3):
            watch.trial.report(0.1 if lost else 0.5 + number / 100, step)
            if watch.trial.should_prune():
                raise module.optuna.TrialPruned
        return 0.5

    monkeypatch.setattr(module, "fitted", scores)
    assert rnnlp(*search, "--trials=8")[0] == 0
    states = [trial["state"] for trial in trials_in(tmp_path / "out")]
    assert states[:4] == ["complete"] * 4 and states[6:] == ["pruned"] * 2


def test_a_pruned_training_leaves_nothing(rnnlp, search, tmp_path, monkeypatch):
    """Lightning passes the end of a trial on, and the next one is trained as ever."""
    from rnnlp.tasks.tune import study

    prune = [False, True, False]

    class Pruner(study.optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return prune[trial.number]

    monkeypatch.setattr(study.optuna.pruners, "MedianPruner", lambda **_: Pruner())
    code, _, err = rnnlp(*search, "--trials=3")
    assert code == 0, err
    states = [trial["state"] for trial in trials_in(tmp_path / "out")]
    assert states == ["complete", "pruned", "complete"]
    assert not list((tmp_path / "out" / "trials").iterdir())


def test_minutes_end_the_running_trial_and_the_runs_after_it(rnnlp, search, tmp_path, monkeypatch):
    looks = count()  # a clock that goes on by a second whenever it is looked at
    monkeypatch.setattr(tune_search, "time", SimpleNamespace(time=looks.__next__))
    code, _, err = rnnlp(
        *search, "--seeds=50", "--trials=1", "--minutes=1", "--trainer.max_epochs=1"
    )
    assert code == 0, err
    assert "no time for" in err and 60 < next(looks) < 80
    code, _, err = rnnlp(
        *search, "--trials=2", "--minutes=0.02", "--trainer.max_epochs=10000",
        "--output", tmp_path / "long",
    )  # fmt: skip
    assert code == 2 and "give more --trials or --minutes" in err


def test_time_is_kept_for_the_runs_with_other_seeds():
    end_of_trials = tune_search.end_of_trials
    done = [SimpleNamespace(duration=timedelta(seconds=seconds)) for seconds in (10, 20)]
    study = SimpleNamespace(get_trials=lambda **_: done)
    assert end_of_trials(SimpleNamespace(end=1000.0, seeds=3), study) == 1000 - 2 * 3 * 15
    assert end_of_trials(SimpleNamespace(end=None, seeds=3), study) is None


@pytest.mark.parametrize("storage", ["sqlite:///{0}/study.db", "{0}/shared.journal"])
def test_a_shared_study_counts_the_trials_of_all(rnnlp, search, tmp_path, monkeypatch, storage):
    from rnnlp.tasks.tune import search as module

    monkeypatch.setattr(module, "fitted", lambda *_: 0.5)
    search += ["--storage", storage.format(tmp_path)]
    for machine, (trials, every) in {"a": (3, 3), "b": (4, 4), "c": (2, 4)}.items():
        output = tmp_path / machine / "tune-tiny"
        code, _, err = rnnlp(*search, "--output", output, "--trials", trials)
        assert code == 0, err
        assert ("joins the study tune-tiny" in err) == (machine != "a")
        assert len(trials_in(output)) == every


def test_a_storage_that_is_none(rnnlp, search):
    code, _, err = rnnlp(*search, "--storage", "nothing://here", "--trials=1")
    assert code == 2 and "the study cannot be opened" in err and err.count("\n") == 1


def test_workers_share_the_trials_from_python_as_well(corpus, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text("model.encoder.hidden_size: {low: 4, high: 8}\n")
    results = package.tune(
        corpus / "tiny.yaml", space=space, trials=3, seeds=0, workers=2, output=tmp_path / "out",
        arguments=["--trainer.max_epochs=1"],
    )  # fmt: skip
    assert [trial["state"] for trial in results["trials"]] == ["complete"] * 3


def test_a_killed_process_leaves_no_trial_that_runs_for_ever(tmp_path):
    from rnnlp.tasks.tune.study import drop_unfinished, open_study, taken

    study = open_study(str(tmp_path / "journal"), name="one", higher=True, seed=1)
    study.ask()
    assert taken(study) == 1
    drop_unfinished(study)
    assert taken(study) == 0


def test_the_report_has_pictures_of_history_and_importance(rnnlp, search, tmp_path, monkeypatch):
    """The key that decides the score is the important one."""
    from rnnlp.tasks.tune import search as module

    def of_width(search, arguments, folder, seed, watch):
        widths = [float(a.split("=")[1]) for a in arguments if "hidden_size" in a]
        return sum(widths) / 10

    with (tmp_path / "space.yaml").open("a") as space:
        space.write("model.dropout: {low: 0.1, high: 0.5}\n")
    monkeypatch.setattr(module, "fitted", of_width)
    assert rnnlp(*search, "--trials=12", "--seeds=2")[0] == 0
    output = tmp_path / "out"
    shares = json.loads((output / "results.json").read_text())["importance"]
    assert shares["model.encoder.hidden_size"] > shares["model.dropout"]
    page = (output / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2 and all(
        name in page for name in ("best so far", "given config", "best config")
    )


@pytest.mark.parametrize(
    ("task", "config"),
    [
        ("tagging", "ner"), ("classification", "sentiment"), ("translation", "translation"),
        ("generation", "generation"), ("joint", "joint"),
    ],
)  # fmt: skip
def test_shipped_spaces_hold_what_their_task_takes(rnnlp, task, config):
    space = read_space(shipped_space(task), dict(key_lines(shipped_space(task))).keys())
    ends = {k: v.high if isinstance(v, Range) else v[-1] for k, v in space.items()}
    arguments = [f"--{key}={value}" for key, value in ends.items()]
    code, printed, err = rnnlp("fit", "--config", config, *arguments, "--print_config")
    assert code == 0, err
    assert ends.items() <= dict(flat(yaml.safe_load(printed))).items()


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
