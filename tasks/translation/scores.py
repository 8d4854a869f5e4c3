"""BLEU and chrF of translations as text, by sacrebleu, and whether two systems really differ.

Short strings are better judged as a whole, and by how many of their symbols are wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any
from unicodedata import normalize

from rapidfuzz.distance import Levenshtein
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from rnnlp.data.text.tokenizer import Level
from rnnlp.tasks.base.ratios import interval_lines

from .rouge import ROUGE, rouge

RESAMPLES = 1000
_MOST_RESAMPLED = 20_000  # sentences; the resamples of more take gigabytes, and are much alike
# Languages that are written without blanks, by all that they are called: 13a would take a sentence
# of theirs for a word.
_CHINESE = "zh zho chi cmn yue wuu nan hak lzh cn chinese mandarin cantonese 中文 汉语"
_BY_CHARACTER = (
    "ja jpn jp japanese 日本語 th tha thai km khm khmer lo lao my mya bur burmese "
    "bo bod tib tibetan dz dzo dzongkha"
)
_TOKENIZERS = dict.fromkeys(_CHINESE.split(), "zh") | dict.fromkeys(_BY_CHARACTER.split(), "char")


def bleu_for(language: str) -> BLEU:
    """BLEU with the tokenizer for a target language, cased: "zh" for Chinese, else "13a".

    Args:
        language: Such as "de", "zh", "zh-CN", "cmn_Hans", or "Chinese".
    """
    # "force" says that our text is no tokenised text, and silences a guess about it.
    return BLEU(tokenize=_TOKENIZERS.get(_main(language), "13a"), force=True)


def _main(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _composed(text: str) -> str:
    """A text as most write it, and as words and characters of a model are: NFC."""
    return normalize("NFC", text)


def policy_of(beam_size: int) -> str:
    """How the scores are counted, where translations are searched for with so many hypotheses."""
    return (
        f"translations as text (NFC) with beam {beam_size}; perplexity per target token of this "
        "model's vocabulary, the end included"
    )


_SEVERAL = (
    "; of several references BLEU and chrF take all, the other scores the nearest one, and "
    "perplexity the first"
)


class TranslationScores:
    """Gathers translations and their references.

    Args:
        language: Of both.
        level: Of the target tokens.
        beam_size: Hypotheses that are followed in the search for a translation.
        rouge: Whether ROUGE is counted as well.
    """

    def __init__(self, *, language: str, level: Level, beam_size: int, rouge: bool = False) -> None:
        self.language = language
        self.level = level
        self.rouge = rouge
        self.beam_size = beam_size
        self.translations: list[str] = []
        self.references: list[Sequence[str]] = []
        self.log_probability = 0.0
        self.tokens = 0

    def add(
        self,
        translations: Sequence[str],
        references: Sequence[Sequence[str]],
        *,
        log_probability: float,
        tokens: int,
    ) -> None:
        """Adds sentences.

        Args:
            translations: What the model says.
            references: What it should say: of each source the translations that are right.
            log_probability: Of the first one of each, in nats, all together.
            tokens: Of the first one of each, their ends counted.
        """
        self.translations += map(_composed, translations)
        self.references += [list(map(_composed, right)) for right in references]
        self.log_probability += log_probability
        self.tokens += tokens

    def merge(self, other: TranslationScores) -> None:
        """Adds what was gathered elsewhere."""
        self.translations += other.translations
        self.references += other.references
        self.log_probability += other.log_probability
        self.tokens += other.tokens

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        counts = {len(right) for right in self.references}
        return policy_of(self.beam_size) + (_SEVERAL if max(counts, default=1) > 1 else "")

    def result(self) -> dict[str, Any]:
        """The scores under the names that `evaluate --json` prints."""
        by_character = _main(self.language) in _TOKENIZERS
        return {
            **translation_scores(self.translations, self.references, language=self.language),
            **(
                rouge(self.translations, self.references, by_character=by_character)
                if self.rouge
                else {}
            ),
            "exact_match": exact_match(self.translations, self.references),
            "symbol_error_rate": symbol_error_rate(
                self.translations, self.references, level=self.level, by_character=by_character
            ),
            "perplexity": math.exp(min(-self.log_probability / max(self.tokens, 1), 700.0)),
        }


def translation_scores(
    translations: Sequence[str], references: Sequence[Sequence[str]], *, language: str
) -> dict[str, Any]:
    """Scores of a corpus of detokenised text.

    Args:
        translations: What is scored.
        references: Those of each.
        language: Of both.

    Returns:
        `bleu` and `chrf` from 0 to 100, their signatures, and as `interval` the ends between which
        BLEU lies with 95 % confidence, by bootstrap resampling (Koehn 2004), of up to 20,000
        sentences.
    """
    bleu, chrf = bleu_for(language), CHRF()
    resamples = RESAMPLES if 1 < len(references) <= _MOST_RESAMPLED else 1
    streams: Any = list(zip_longest(*references))  # sacrebleu leaves None out
    score = bleu.corpus_score(translations, streams, n_bootstrap=resamples)
    scores: dict[str, Any] = {
        "bleu": score.score,
        "chrf": chrf.corpus_score(translations, streams).score,
    }
    if resamples > 1:
        half = score._ci  # which sacrebleu prints after ±, and has no other name for
        ends = max(0.0, score.score - half), min(100.0, score.score + half)
        scores["interval"] = {"bleu": ends}
    signature = f"BLEU {bleu.get_signature().format()}; chrF {chrf.get_signature().format()}"
    return {**scores, "signature": signature}


def exact_match(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Share of outputs that equal a reference, in per cent; 100 less the word error rate."""
    right = sum(output in gold for output, gold in zip(outputs, references, strict=True))
    return 100.0 * right / max(len(references), 1)


def symbol_error_rate(
    outputs: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    level: Level,
    by_character: bool = False,
) -> float:
    """Symbol error rate: edits (Levenshtein) over the symbols of the references, in per cent.

    Args:
        outputs: What the model says.
        references: What it should say; of several the one with the fewest edits counts.
        level: Symbols are what blanks part at level ``symbol`` (phones), characters at level
            ``character``, else words.
        by_character: Whether the language is written without blanks: characters then, not words.
    """
    characters = level == "character" or (by_character and level != "symbol")
    split: Callable[[str], Sequence[str]] = list if characters else str.split
    edits = symbols = 0
    for output, gold in zip(outputs, references, strict=True):
        nearest = min((Levenshtein.distance(split(output), split(one)), one) for one in gold)
        edits += nearest[0]
        symbols += len(split(nearest[1]))
    return 100.0 * edits / max(symbols, 1)


def compare(
    translations: Sequence[str],
    others: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    language: str,
) -> dict[str, Any]:
    """Scores of other translations of the same text, and how likely the difference is chance.

    Paired bootstrap resampling (Koehn 2004) of the test set, as sacrebleu does it.

    Args:
        translations: Ours, the baseline of the test.
        others: Theirs, compared in NFC.
        references: Those of each.
        language: Of all.

    Returns:
        `bleu` and `chrf` of the others, and the probabilities `bleu_p` and `chrf_p` of a difference
        as large as this by chance.
    """
    test = PairedTest(
        [("ours", list(translations)), ("theirs", list(map(_composed, others)))],
        {"bleu": bleu_for(language), "chrf": CHRF()},
        list(zip_longest(*references)),
        test_type="bs",
        n_samples=RESAMPLES,
    )
    _, scores = test()
    compared: dict[str, Any] = {}
    for name, key in (("bleu", "BLEU"), ("chrf", "chrF2")):
        ours, theirs = scores[key]  # type: Any, Any
        compared[name] = round(theirs.score, 2)
        # sacrebleu gives the smallest p there is to systems that never differ.
        compared[f"{name}_p"] = 1.0 if theirs.score == ours.score else round(theirs.p_value, 4)
    return compared


def score_lines(result: Mapping[str, Any], policy: str) -> list[str]:
    """The scores as lines for people."""
    lines = [
        f"BLEU {result['bleu']:.2f}  chrF {result['chrf']:.2f}  "
        f"exact match {result['exact_match']:.2f}  "
        f"symbol error rate {result['symbol_error_rate']:.2f}  "
        f"perplexity {result['perplexity']:.2f}",
        *interval_lines(result, percent=False),
    ]
    if "rouge_l" in result:
        lines.append("  ".join(f"ROUGE-{name[6:].upper()} {result[name]:.2f}" for name in ROUGE))
    if other := result.get("against"):
        lines.append(
            f"against: BLEU {other['bleu']:.2f} (p {other['bleu_p']:.3f})  chrF "
            f"{other['chrf']:.2f} (p {other['chrf_p']:.3f}), by paired bootstrap"
        )
    return [*lines, f"signature: {result['signature']}", f"policy: {policy}"]
