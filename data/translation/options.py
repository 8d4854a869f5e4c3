"""The settings of data for translation.

Annotations are real types here, since LightningCLI reads those of inherited fields.
"""

from dataclasses import dataclass
from typing import Literal

from rnnlp.data.datamodule.options import SequenceOptions


@dataclass(frozen=True, kw_only=True)
class TranslationOptions(SequenceOptions):
    """All that can be said about data for translation.

    Args:
        train: Training data: the common prefix of two files, or one file; without it and without
            `hub`, the sample corpus is made.
        tokenizer_from: Folder of a trained model whose tokenizer reads the sources, instead of one
            that is learned; that of both sides where `joint_vocabulary`. `model.encoder_from` sets
            it.
        source: Language to translate from: suffix of its file, name of its column, or JSON key.
        target: Language to translate into.
        format: Format of the files: pair, tsv, jsonl, or a reader of your own, module.function;
            "auto" recognises it.
        source_column: Column of the sources, by name or by number from 1; that of the language if
            not given.
        target_column: Column of the targets, likewise.
        features_column: Column of features that a source comes with, such as `V;PST`, parted by
            `;` or `|`; needs level lemma.
        level: What a token is: sub-words (bpe), words, characters, symbols parted by blanks
            (symbol), or characters with features after a tab (lemma); of targets only where the
            tokenizer of the sources comes from elsewhere.
        target_level: What a token of a target is; as `level` if not given (character for lemma).
        joint_vocabulary: Have one vocabulary for both sides.
        vocabulary_size: Most tokens of a side, or of both together where `joint_vocabulary`; null
            for all, or for 8000 sub-words.
        min_frequency: Words seen less often in training are unknown; of sub-words, pairs that are
            seen less often are not merged.
        lowercase: Read the sources in lower case; the targets always keep their case.
        bpe_dropout: Probability that a merge of sub-words is left out, anew at each reading of
            a training pair; batches then hold somewhat more tokens than their budget.
        max_length: Leave training pairs out that have a side of more tokens; null for none.
            Validation and test keep them.
        copy: Whether tokens of the sources can be copied into the targets; `model.decoder.copy`
            sets it.
        shortlist: How many target tokens a source token proposes to searches, learned from the
            training pairs; 0 for none. `model.search.shortlist` sets it.
        max_tokens: Most positions of a side in a training batch, padding included.
        max_sentences: Most pairs in a training batch.
        evaluation_max_tokens: Most positions of a side in a validation or test batch.
        seed: Decides the order of batches, the validation share, sub-word dropout and the sample
            corpus.
    """

    source: str = "zh"
    target: str = "en"
    format: str = "auto"
    source_column: str | int | None = None
    target_column: str | int | None = None
    features_column: str | int | None = None
    level: Literal["bpe", "word", "character", "symbol", "lemma"] = "bpe"
    target_level: Literal["bpe", "word", "character", "symbol"] | None = None
    joint_vocabulary: bool = False
    vocabulary_size: int | None = 8000
    bpe_dropout: float = 0.0
    max_length: int | None = 100
    copy: bool = False
    shortlist: int = 0
    max_sentences: int | None = 64
