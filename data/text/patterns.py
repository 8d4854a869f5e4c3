"""What a token is at each level that needs no vocabulary: regular expressions of `tokenizers`."""

from __future__ import annotations

# Scripts in which every character is a token; the last two are the long-vowel marks of Katakana.
ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\x{30FC}\x{FF70}"
_LETTER = rf"[\p{{L}}\p{{N}}_&&[^{ALONE}]]"
INNER = r"[\p{M}\x{200C}\x{200D}\x{00AD}]"  # marks, joiners and soft hyphens inside a word
# Repetition is bounded or gives nothing back (`*+`): time grows with the text, not with its square.
_WORD = rf"(?:{_LETTER}{INNER}*+)"
_LONG = "{1,10000}"  # letters of a word; what is longer is no word, and is split there
_CLITIC = r"['’](?i:s|m|d|re|ve|ll)(?![\p{L}\p{N}])"
_NOT = r"(?i:n['’]t)(?![\p{L}\p{N}])"
# A pair of regional indicators with what extends it: `\X` alone counts from the first of them all.
_FLAG = (
    r"[\x{1F1E6}-\x{1F1FF}]{2}"
    r"[\p{M}\x{200C}\x{200D}\x{FF9E}\x{FF9F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]*+"
)
_BLANK = r"[\s\p{Z}\p{Cc}\p{Cf}]"  # white space, controls and invisible format characters

_WORDS = "|".join(
    (
        r"(?i:https?://|www\.)[!-~]*[A-Za-z0-9/]",
        r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})+",
        rf"[@#]{_WORD}{_LONG}",
        r"[0-9#*]\x{FE0F}?\x{20E3}",  # keycap emoji
        r"\p{Nd}+(?:[.,:]\p{Nd}+)+",  # 1,234.5 and 10:30
        rf"(?:\p{{Lu}}\.){{2,}}|(?:Mrs?|Ms|Dr|Prof|St|Jr|Sr)\.(?!{_LETTER})",
        rf"{_NOT}|{_CLITIC}",
        rf"{_WORD}{_LONG}?(?={_NOT})",  # do|n't
        rf"{_WORD}{_LONG}(?:(?!{_CLITIC})['’]{_WORD}{_LONG})*",  # O'Neill, l'eau
        rf"[{ALONE}]{INNER}*",
        r"\.{2,}|-{2,}",
        rf"{_FLAG}|(?!{_BLANK})\X",  # any other character with what belongs to it
    )
)
_CHARACTERS = rf"{_FLAG}|\X"  # extended grapheme clusters (UAX 29)
PATTERNS = {
    "word": _WORDS,
    "character": _CHARACTERS,
    "symbol": r"\S+",
    "lemma": rf"[\t;][^\t;]+|{_CHARACTERS}",  # a feature is told from a letter by its mark
}
