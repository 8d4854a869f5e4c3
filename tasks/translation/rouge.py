"""ROUGE of summaries, by the library `rouge-score`, in every language.

The library's own words are runs of a to z and digits, which most languages have few of. Ours are
runs of letters and digits of any script, the same for plain English; where a language is written
without blanks, characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnnlp.data.errors import InputError

ROUGE = ("rouge_1", "rouge_2", "rouge_l")
_WORDS = re.compile(r"[^\W_]+")


class _Tokens:
    """What the library asks of a tokenizer."""

    def __init__(self, *, by_character: bool) -> None:
        self._by_character = by_character

    def tokenize(self, text: str) -> list[str]:
        words: list[str] = _WORDS.findall(text.lower())
        return list("".join(words)) if self._by_character else words


def check_rouge() -> None:
    """Refuses to go on without the library.

    Raises:
        InputError: It is not installed.
    """
    try:
        import rouge_score.rouge_scorer  # noqa: F401
    except ImportError as error:
        raise InputError(
            "ROUGE needs the package rouge-score: pip install 'rnnlp[rouge]', or choose another "
            "model.metric"
        ) from error


def rouge(
    summaries: Sequence[str], references: Sequence[Sequence[str]], *, by_character: bool
) -> dict[str, float]:
    """ROUGE-1, -2 and -L (Lin 2004): F measures in per cent, the mean over the summaries.

    Args:
        summaries: What is scored.
        references: Those of each; the nearest counts.
        by_character: Whether a character counts as a word.

    Raises:
        InputError: The library is not installed.
    """
    check_rouge()
    from rouge_score.rouge_scorer import RougeScorer

    names = {name: name.replace("_", "").replace("l", "L") for name in ROUGE}
    scorer = RougeScorer([*names.values()], tokenizer=_Tokens(by_character=by_character))
    scores = [
        scorer.score_multi(right, summary)
        for summary, right in zip(summaries, references, strict=True)
    ]
    return {
        name: 100.0 * sum(one[key].fmeasure for one in scores) / max(len(scores), 1)
        for name, key in names.items()
    }
