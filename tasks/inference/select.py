"""Which texts to label next: those that the model is unsure of, and that differ from each other.

Of the texts of the highest uncertainty, `BREADTH` times as many as are wanted, as many clusters are
made over the model's pooled states, weighted by the uncertainty; of each the text nearest to its
centre is taken (Zhdanov 2019). Nothing here asks anybody for labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnlp.data.errors import InputError, note

BREADTH = 10
_ROUNDS = 20  # of k-means


def select(
    model: str,
    texts: Sequence[str],
    *,
    count: int,
    seed: int = 1,
    columns: Sequence[Mapping[str, Any]] | None = None,
    pipeline: Any = None,
) -> list[int]:
    """The numbers of the texts to label, the most uncertain first.

    Args:
        model: A model folder of a classifier or a tagger.
        texts: The pool; of equal texts one is taken at most.
        count: How many.
        seed: Same seed, same choice.
        columns: Of a model that reads columns beside the text: the values of each text by name.
        pipeline: That model, where it is loaded already.

    Raises:
        InputError: The model cannot say how unsure it is, or the count is below 1.
    """
    from .encoder import encoder_of
    from .load import load

    if count < 1:
        raise InputError(f"--count is {count}: it must be 1 or more")
    pipeline = load(model) if pipeline is None else pipeline
    if pipeline.task not in ("classification", "tagging"):
        raise InputError(
            f"is a model for {pipeline.task}: classifiers and taggers tell how unsure they are",
            path=model,
        )
    first: dict[str, int] = {}
    places = [n for n, text in enumerate(texts) if text.strip() and first.setdefault(text, n) == n]
    pool = [texts[place] for place in places]
    beside = {} if columns is None else {"columns": [columns[place] for place in places]}
    answers = pipeline.predict(pool, uncertainty=True, **beside)
    unsure = np.array([_value(answer) for answer in answers])
    order = np.argsort(-unsure, kind="stable")[: BREADTH * count]
    if len(pool) <= count:
        if len(pool) < count:
            note(f"the pool has {len(pool):,} different texts, fewer than --count {count:,}")
        return [places[row] for row in order]
    try:
        vectors = encoder_of(pipeline, model).encode([pool[row] for row in order]).pooled
    except InputError as error:
        note(f"{error.message}: the most uncertain texts are chosen, without regard to likeness")
        return [places[row] for row in order[:count]]
    chosen = spread(vectors.detach().numpy(), unsure[order], count=count, seed=seed)
    return [places[order[row]] for row in sorted(chosen)]


def spread(vectors: np.ndarray, weights: np.ndarray, *, count: int, seed: int) -> list[int]:
    """The rows nearest to the centres of weighted k-means (with k-means++ to begin with).

    Args:
        vectors: `[rows, size]`; their direction counts, not their length.
        weights: `[rows]`, how much each counts, 0 or more.
        count: How many, at most as many as rows.
        seed: Same seed, same rows.
    """
    random = np.random.default_rng(seed)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    weights = weights + 1e-9
    centres = units[[int(weights.argmax())]]
    nearest = _distances(units, centres)[:, 0]
    while len(centres) < count:
        shares = weights * np.maximum(nearest, 1e-12)
        row = random.choice(len(units), p=shares / shares.sum())
        centres = np.concatenate([centres, units[[row]]])
        nearest = np.minimum(nearest, _distances(units, units[[row]])[:, 0])
    for _ in range(_ROUNDS):
        owner = _distances(units, centres).argmin(1)
        member = np.eye(count)[owner] * weights[:, None]  # [rows, count]
        mass = member.sum(0)[:, None]
        centres = np.where(mass > 0, member.T @ units / np.maximum(mass, 1e-12), centres)
    distances = _distances(units, centres)
    chosen: list[int] = []
    for column in range(count):
        distances[chosen, column] = np.inf
        chosen.append(int(distances[:, column].argmin()))
    return chosen


def _distances(units: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distances `[rows, centres]`."""
    squares = (units**2).sum(1)[:, None] + (centres**2).sum(1)
    return np.maximum(squares - 2.0 * units @ centres.T, 0.0)


def _value(answer: dict[str, Any]) -> float:
    uncertainty = answer["uncertainty"]
    value: float = uncertainty.get("entropy", uncertainty.get("expected_errors"))
    return value
