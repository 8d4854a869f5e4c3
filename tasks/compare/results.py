"""What a comparison of cells measured, and when one cell is better than another.

Plain numbers: nothing here trains, draws or words anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import mean, median, stdev
from typing import Any

# 97.5 % points of Student's t for 1 to 10 degrees of freedom; beyond them 1.96 + 2.4 / degrees is
# right to 0.01.
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
CONTROL = "linear"  # what stands beside the cells of a classifier
ONE_SEED = 1.0  # points, or per cent, below which a difference of single runs counts for nothing
AS_FAST = 1.05  # ratio of times or speeds up to which two cells count as equally fast


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one training run came to.

    Args:
        seed: Its seed.
        quality: The score that decides, on the validation data, of the weights that were kept.
        test: The same on the test data, where there is some.
        best_epoch: The epoch, from 1, whose weights were kept.
        curve: Epoch, from 1, and score of each validation.
        training_seconds: Time of training, validations included.
        training_tokens_per_second: Of training steps, reading the data left out.
        inference_tokens_per_second: Of labelling and scoring validation data in batches.
        latency_ms: Milliseconds from one text to its answer, median; of a generator, a token.
        peak_mib: Most memory of the training process (of the GPU where it used one), MiB.
        added_mib: By how much it grew above what it was when the first step began, MiB.
        device: "cpu" or "cuda".
        threads: Threads of torch.
        torch: Version of torch.
        learned: Whether the score rose above what a model gives that has learned nothing.
    """

    seed: int
    quality: float
    test: float | None
    best_epoch: int
    curve: Sequence[Sequence[float]]
    training_seconds: float
    training_tokens_per_second: float
    inference_tokens_per_second: float
    latency_ms: float
    peak_mib: float
    added_mib: float
    device: str
    threads: int
    torch: str
    learned: bool = True


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The runs of one cell with all seeds.

    Args:
        name: Its name, such as `bilstm`.
        hidden_size: Width of the state of each direction.
        parameters: Of the whole model.
        encoder_parameters: Of its recurrent layers.
        runs: One for each seed.
    """

    name: str
    hidden_size: int
    parameters: int
    encoder_parameters: int
    runs: Sequence[Run]

    @property
    def bidirectional(self) -> bool:
        """Whether it reads in both directions."""
        return self.name.startswith("bi")

    @property
    def learned(self) -> bool:
        """Whether it learned anything with any seed."""
        return any(run.learned for run in self.runs)

    def average(self, value: Callable[[Run], float]) -> float:
        """The mean over the seeds."""
        return mean(value(run) for run in self.runs)

    def middle(self, value: Callable[[Run], float]) -> float:
        """The median over the seeds, which a busy moment of the machine does not change."""
        return median(value(run) for run in self.runs)

    def spread(self, value: Callable[[Run], float]) -> float | None:
        """The standard deviation over the seeds; None for a single one."""
        return stdev(map(value, self.runs)) if len(self.runs) > 1 else None

    @property
    def quality(self) -> float:
        """Mean validation score."""
        return self.average(lambda run: run.quality)

    @property
    def training(self) -> float:
        """Tokens per second in training."""
        return self.middle(lambda run: run.training_tokens_per_second)

    @property
    def inference(self) -> float:
        """Tokens per second in use."""
        return self.middle(lambda run: run.inference_tokens_per_second)

    @property
    def latency(self) -> float:
        """Milliseconds from one text to its answer."""
        return self.middle(lambda run: run.latency_ms)

    @property
    def peak(self) -> float:
        """Most memory, MiB."""
        return max(run.peak_mib for run in self.runs)

    @property
    def added(self) -> float:
        """What training added to it, MiB."""
        return max(run.added_mib for run in self.runs)

    @property
    def epochs_to_best(self) -> float:
        """Epochs until the weights that were kept."""
        return self.average(lambda run: run.best_epoch)


@dataclass(frozen=True, kw_only=True)
class Score:
    """The score that decides.

    Args:
        name: As `metrics.json` names it.
        higher_is_better: Its direction.
    """

    name: str
    higher_is_better: bool

    @property
    def factor(self) -> float:
        """What makes points of the score: shares are shown in per cent, others as they are."""
        return 100.0 if self.higher_is_better and self.name != "bleu" else 1.0

    @property
    def title(self) -> str:
        """Its name for people, with the unit."""
        names = {"f1": "F1 (%)", "bleu": "BLEU", "macro_f1": "macro F1 (%)"}
        words = self.name.replace("_", " ")
        return names.get(self.name, f"{words} (%)" if self.factor > 1 else words)

    @property
    def short(self) -> str:
        """Its name for people, without the unit."""
        return self.title.removesuffix(" (%)")

    def show(self, value: float) -> str:
        """A value as people read it."""
        return f"{self.factor * value:.{1 if self.higher_is_better else 3}f}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All that was measured.

    Args:
        task: Name of the task.
        score: The score that decides.
        match: What all cells have in common: "hidden" size or number of "parameters".
        budget: How long a run might take, in words.
        length: Median number of tokens of a validation example.
        cells: The cells, in the order in which they were named.
        control: A linear model on n-grams, of classifiers.
    """

    task: str
    score: Score
    match: str
    budget: str
    length: int
    cells: Sequence[Cell]
    control: Run | None = None

    def get(self, name: str) -> Cell | None:
        """The cell of this name, if it is among those compared."""
        return next((cell for cell in self.cells if cell.name == name), None)

    @property
    def seeds(self) -> int:
        """How often each cell was trained."""
        return len(self.cells[0].runs)

    def gain(self, cell: Cell, other: Cell) -> float:
        """By how much a cell is better than another one, in points."""
        points = self.score.factor * (cell.quality - other.quality)
        return points if self.score.higher_is_better else -points

    def ranked(self) -> list[Cell]:
        """The cells, the best one first."""
        return sorted(
            self.cells, key=lambda cell: cell.quality, reverse=self.score.higher_is_better
        )

    @property
    def tolerance(self) -> float:
        """One point; of scores without bounds, such as bits per character, one per cent."""
        return 1.0 if self.score.higher_is_better else 0.01 * self.ranked()[0].quality

    @property
    def margin(self) -> float:
        """The difference of two means, in points, that chance alone exceeds once in twenty times.

        From the spread that is left in the scores when the mean of each cell and of each seed is
        taken out (Fisher's least significant difference). With one seed nothing is known of the
        spread, and a point stands in for it.
        """
        cells, seeds = len(self.cells), self.seeds
        freedom = (cells - 1) * (seeds - 1)
        if freedom == 0:
            return ONE_SEED * self.tolerance
        scores = [[run.quality for run in cell.runs] for cell in self.cells]
        of_cells = [mean(row) for row in scores]
        of_seeds = [mean(column) for column in zip(*scores, strict=True)]
        whole = mean(of_cells)
        rest = sum(
            (value - of_cells[i] - of_seeds[j] + whole) ** 2
            for i, row in enumerate(scores)
            for j, value in enumerate(row)
        )
        student = STUDENT[freedom - 1] if freedom <= len(STUDENT) else 1.96 + 2.4 / freedom
        return self.score.factor * student * sqrt(2 * rest / freedom / seeds)

    def better(self, cell: Cell, other: Cell) -> bool:
        """Whether a cell is better than another one by more than chance gives."""
        return self.gain(cell, other) > self.margin

    def to_json(self) -> dict[str, Any]:
        """Everything, and the figures of each cell over its seeds."""
        content = asdict(self)
        content["margin_points"] = self.margin
        for kept, cell in zip(content["cells"], self.cells, strict=True):
            kept["summary"] = {
                "quality_mean": cell.quality,
                "quality_spread": cell.spread(lambda run: run.quality),
                "training_tokens_per_second": cell.training,
                "inference_tokens_per_second": cell.inference,
                "latency_ms": cell.latency,
                "peak_mib": cell.peak,
                "added_mib": cell.added,
                "epochs_to_best": cell.epochs_to_best,
            }
        return content


def comparison_of(plan: Mapping[str, Any], runs: Mapping[str, Sequence[Run]]) -> Comparison:
    """The comparison of the runs of each cell.

    Args:
        plan: What was found out before training, as `run.py` keeps it.
        runs: The runs of each cell, in the order of their seeds.
    """
    return Comparison(
        task=plan["settings"]["task"],
        score=Score(name=plan["score"], higher_is_better=plan["higher_is_better"]),
        match=plan["settings"]["match"],
        budget=plan["budget"],
        length=plan["length"],
        cells=[
            Cell(name=name, runs=of_cell, **plan["cells"][name])
            for name, of_cell in runs.items()
            if name != CONTROL
        ],
        control=next(iter(runs.get(CONTROL, ())), None),
    )
