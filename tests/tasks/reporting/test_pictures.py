"""Pictures of labels and logs that hold anything at all."""

import pytest

from rnnlp.tasks.reporting.attention_map import draw_alignment
from rnnlp.tasks.reporting.confusion_matrix import draw_confusion
from rnnlp.tasks.reporting.learning_curves import draw_curves, read_logs
from rnnlp.tasks.reporting.picture import picture

LABELS = ["$", "$$", "$$$", "$\\frac$", "a_b^{", "\x1b[31m\n", "好", "\ud800"]
HEADER = "epoch,step,train_loss,validation_f1,validation_$x$\n"


@pytest.mark.filterwarnings("error::UserWarning")
def test_labels_are_no_formulas(tmp_path):
    counts = [[1] * len(LABELS) for _ in LABELS]
    draw_confusion(LABELS, counts, tmp_path / "c.png", title="$runs$")
    draw_alignment(["$", "$$"], ["$\\frac$"], [[0.5, 0.5]], tmp_path / "a.png")
    for name in ("a.png", "c.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_text_stays_as_it_is(tmp_path):
    with picture(tmp_path / "p.png", width=2, height=2) as figure:
        assert not figure.suptitle("$x$").get_parse_math()


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize(
    ("rows", "steps"),
    [
        ("0,1,0.5,,\n0,2,0.25,0.5,0.5\n", [1, 2]),
        ("0,1,0.5,,\n0,2,0.2", [1]),  # cut by a kill: 0.2 may have been 0.25
        ("0,1,0.5,,\n0,2", [1]),
        ("0,1,0.5,,\n\0\0\0\0\n0,3,0.5,,\n", [1, 3]),
        ("0,1,0.5,,\n0,,0.7,,\n0,x,0.7,,\n0,2,y,,\n0,3\n,,,,,,,\n", [1]),
        ("", None),
    ],
)
def test_logs_that_were_cut_short(tmp_path, rows, steps):
    (tmp_path / "logs" / "run").mkdir(parents=True)
    (tmp_path / "logs" / "run" / "metrics.csv").write_text(HEADER + rows)
    series = read_logs(tmp_path / "logs")
    assert series.get("train_loss") == (steps and {s: series["train_loss"][s] for s in steps})
    draw_curves(tmp_path / "logs", tmp_path / "p.png", title="$", best_step=1)
    (tmp_path / "logs" / "run" / "metrics.csv").write_text("")
    assert read_logs(tmp_path / "logs") == {}
