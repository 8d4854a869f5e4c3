"""When one cell is better, what becomes of the textbook's claims, what is recommended."""

import random
from dataclasses import replace
from statistics import mean

import pytest

from rnnlp.tasks.compare.claims import CLAIMS, verdicts
from rnnlp.tasks.compare.recommendation import advice, choose
from rnnlp.tasks.compare.results import Cell, Comparison, Run, Score

SPEED = {"rnn": 900.0, "lstm": 500.0, "gru": 700.0, "mingru": 1200.0}
WEIGHTS = {"rnn": 10, "lstm": 40, "gru": 30, "mingru": 20}


def run(quality, *, seed=1, training=500.0, latency=2.0):
    return Run(
        seed=seed, quality=quality, test=None, best_epoch=3, curve=[[1, quality]],
        training_seconds=60.0, training_tokens_per_second=training,
        inference_tokens_per_second=4 * training, latency_ms=latency, peak_mib=500.0,
        added_mib=20.0, device="cpu", threads=1, torch="2",
    )  # fmt: skip


def cell(name, *qualities):
    kind, both = name.removeprefix("bi"), 1 + name.startswith("bi")
    runs = [
        run(quality, seed=seed, training=SPEED[kind] / both, latency=2.0 * both)
        for seed, quality in enumerate(qualities, 1)
    ]
    weights = both * WEIGHTS[kind]
    return Cell(
        name=name, hidden_size=8, parameters=100 + weights, encoder_parameters=weights, runs=runs
    )


def comparison(*cells, task="tagging", length=12, match="hidden", name="f1", higher=True):
    return Comparison(
        task=task, score=Score(name=name, higher_is_better=higher), match=match, budget="little",
        length=length, cells=cells,
    )  # fmt: skip


def verdict_of(compared, words):
    (verdict,) = [verdict for verdict in verdicts(compared) if words in verdict.claim]
    return verdict


TEXTBOOK = (
    cell("rnn", 0.80, 0.81, 0.80), cell("lstm", 0.88, 0.89, 0.88), cell("gru", 0.88, 0.88, 0.88),
    cell("bilstm", 0.93, 0.93, 0.94), cell("bigru", 0.93, 0.94, 0.93),
)  # fmt: skip


def test_margin_is_that_of_the_analysis_of_variance():
    """Two cells, three seeds: the margin is that of the paired t test."""
    first, second = (0.90, 0.92, 0.91), (0.88, 0.91, 0.87)
    differences = [100 * (a - b) for a, b in zip(first, second, strict=True)]
    variance = sum((d - mean(differences)) ** 2 for d in differences) / 2
    compared = comparison(cell("lstm", *first), cell("gru", *second))
    assert compared.margin == pytest.approx(4.30 * (variance / 3) ** 0.5)


def test_chance_alone_exceeds_the_margin_once_in_twenty_times():
    draw = random.Random(1)
    exceeded = 0
    for _ in range(2000):
        seeds = [draw.gauss(0.9, 0.05) for _ in range(3)]  # what a seed does to all is no matter
        rows = [[base + draw.gauss(0, 0.01) for base in seeds] for _ in range(5)]
        names = ("rnn", "lstm", "gru", "bilstm", "bigru")
        compared = comparison(*(cell(n, *row) for n, row in zip(names, rows, strict=True)))
        exceeded += abs(compared.gain(compared.cells[0], compared.cells[1])) > compared.margin
    assert 0.03 < exceeded / 2000 < 0.07


def test_a_stream_takes_the_recommended_cell_where_it_can():
    compared = comparison(cell("mingru", 0.907), cell("gru", 0.914), cell("bigru", 0.921))
    assert choose(compared, compared.cells).name == "gru"
    assert "text is not there yet: `gru` again." in advice(compared)[2]


def test_one_seed_stands_on_a_point():
    compared = comparison(cell("lstm", 0.900), cell("gru", 0.892), cell("rnn", 0.88))
    lstm, gru, rnn = compared.cells
    assert compared.margin == 1.0 and not compared.better(lstm, gru) and compared.better(lstm, rnn)
    assert "differences below 1.0 points may be chance" in advice(compared)[-1]
    assert "`--seeds 4`" in advice(compared)[-1]


def test_lower_is_better():
    compared = comparison(
        cell("lstm", 1.50, 1.51, 1.50), cell("gru", 1.60, 1.61, 1.59),
        task="generation", name="bits_per_character", higher=False,
    )  # fmt: skip
    lstm, gru = compared.cells
    assert compared.ranked()[0] is lstm
    assert compared.better(lstm, gru) and not compared.better(gru, lstm)
    assert "Take `lstm`: 1.503 ± 0.006 bits per character, clearly the best" in advice(compared)[0]
    assert "token written" in " ".join(advice(compared))


def test_claims_of_the_textbook_on_its_own_figures():
    claimed = {verdict.claim: verdict for verdict in verdicts(comparison(*TEXTBOOK))}
    assert [verdict.verdict for verdict in claimed.values()] == [
        "confirmed",  # parameters
        "confirmed",  # RNN trains fastest
        "confirmed",  # GRU before LSTM
        "confirmed",  # one direction before two
        "not tested",  # no minGRU
        "not tested",  # short texts say nothing about memory
        "confirmed",  # GRU is as good on short texts
        "not tested",
        "confirmed",  # scarce resources
        "confirmed",  # context
        "confirmed",  # latency
    ]
    assert len(claimed) == len(CLAIMS)
    figures = verdict_of(comparison(*TEXTBOOK), "depends on context").figures
    assert "F1: bilstm 93.3, lstm 88.3" in figures and "bigru" in figures


@pytest.mark.parametrize(
    ("cells", "changes", "words", "verdict"),
    [
        (TEXTBOOK, {"match": "parameters"}, "fewest parameters", "not tested"),
        (TEXTBOOK[:2], {}, "fewest parameters", "not tested"),
        (TEXTBOOK, {"task": "classification"}, "depends on context", "not tested"),
        (TEXTBOOK, {"length": 60}, "Short texts", "not tested"),
        (TEXTBOOK, {"length": 200}, "remember over long texts", "confirmed"),
        (TEXTBOOK, {"length": 200}, "take the LSTM", "not confirmed"),  # no better than the GRU
        ((cell("gru", 0.9), cell("mingru", 0.8)), {}, "in parallel", "not confirmed"),
        ((cell("lstm", 0.93), cell("bilstm", 0.93)), {}, "depends on context", "not confirmed"),
        ((cell("lstm", 0.93), cell("gru", 0.90)), {}, "Scarce resources", "not confirmed"),
        ((cell("lstm", 0.93), cell("gru", 0.90)), {}, "Short texts", "not confirmed"),
    ],
)
def test_claims_on_other_figures(cells, changes, words, verdict):
    assert verdict_of(comparison(*cells, **changes), words).verdict == verdict


def test_recommendation_of_cells_that_are_equally_good():
    """The fastest of those as good as the best, and what streams and small machines take."""
    compared = comparison(*TEXTBOOK)
    assert choose(compared, compared.cells).name == "bigru"
    main, scarce, stream, quick = advice(compared)
    assert main.startswith("Take `bigru`: 93.3 ± 0.6 F1") and "`bilstm`" in main
    assert "`bigru` again" in scarce
    assert "`gru`" in stream and "loses 5.3 points" in stream
    assert "`rnn`, 2 ms for one text against 4 ms" in quick and "losing 13.0 points" in quick


def test_recommendation_where_one_is_clearly_the_best():
    compared = comparison(cell("lstm", 0.95, 0.95, 0.96), cell("gru", 0.90, 0.90, 0.91))
    text = advice(compared)[0]
    assert text.startswith("Take `lstm`") and "clearly the best; the next is `gru`" in text


def test_a_smaller_cell_within_a_point_is_named():
    compared = comparison(
        cell("lstm", 0.950, 0.951, 0.950),
        cell("rnn", 0.943, 0.944, 0.943),
        cell("gru", 0.9, 0.9, 0.9),
    )
    assert choose(compared, compared.cells).name == "lstm"
    assert "Scarce resources: `rnn` has 110 parameters (79% of" in advice(compared)[1]


def test_sizes_decide_nothing_where_they_were_matched():
    compared = comparison(*TEXTBOOK, match="parameters")
    assert not any("smallest" in text or "Scarce" in text for text in advice(compared))


def test_nothing_is_recommended_where_nothing_was_learned():
    def idle(one):
        return replace(one, runs=[replace(run, learned=False) for run in one.runs])

    cells = cell("lstm", 0.5, 0.5), cell("gru", 0.51, 0.5)
    (text,) = advice(comparison(*map(idle, cells)))
    assert text.startswith("None: no cell learned anything")
    advised = advice(comparison(cells[0], idle(cells[1])))
    assert advised[0].startswith("Take `lstm`") and "Learned nothing: `gru`." in advised
