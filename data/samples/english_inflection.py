"""Forms of English words, as far as the sample corpus needs them; no general morphology."""

from __future__ import annotations

import re
from typing import NamedTuple


class Pronoun(NamedTuple):
    """The forms of a personal pronoun, and the Chinese one that it stands for."""

    object: str
    own: str
    again: str


PRONOUNS = {
    "I": Pronoun("me", "my", "我"),
    "you": Pronoun("you", "your", "你"),
    "he": Pronoun("him", "his", "他"),
    "she": Pronoun("her", "her", "她"),
    "we": Pronoun("us", "our", "我们"),
    "they": Pronoun("them", "their", "他们"),
}

# Past and participle; one word where both are the same.
_VERBS = {
    "be": "was been", "buy": "bought", "come": "came come", "do": "did done",
    "drink": "drank drunk", "drive": "drove driven", "eat": "ate eaten", "feed": "fed",
    "find": "found", "get": "got gotten", "give": "gave given", "go": "went gone", "have": "had",
    "lend": "lent", "lose": "lost", "make": "made", "pay": "paid", "read": "read",
    "ride": "rode ridden", "run": "ran run", "see": "saw seen", "sell": "sold", "send": "sent",
    "sing": "sang sung", "sleep": "slept", "speak": "spoke spoken", "swim": "swam swum",
    "take": "took taken", "teach": "taught", "write": "wrote written",
}  # fmt: skip

# Plurals of nouns, and the third person of verbs.
_WITH_S = {
    "do": "does", "go": "goes", "have": "has", "potato": "potatoes",
    "scarf": "scarves", "sheep": "sheep", "tomato": "tomatoes",
}  # fmt: skip

_COMPARISONS = {"quiet": "quieter quietest", "good": "better best"}

_BE = {"I": "am", "you": "are", "we": "are", "they": "are"}
_VOWELS = re.compile(r"[aeiouy]+")
_CLOSED = re.compile(r"[^aeiou][aeiou][^aeiouwxy]$")
_SIBILANT = re.compile(r"(s|x|z|ch|sh)$")
_CONSONANT_Y = re.compile(r"[^aeiou]y$")
_ARTICLE = re.compile(r"\b([Aa])(?= (?:[aeio]|hour|u(?!ni|s)))")


def inflect(word: str, form: str, subject: str | None = None) -> str:
    """A form of a word.

    Args:
        word: In its base form.
        form: "now", "past", "done" (participle) or "ing" of a verb, "plural" of a noun, "more" or
            "most" of an adjective; the empty string is the word as it is.
        subject: The pronoun of the subject that "now" and "past" agree with.

    Raises:
        ValueError: For a form that is not known.
    """
    if form == "":
        return word
    if form == "now":
        return _present(word, subject)
    if form == "past" and word == "be":
        return "were" if subject in ("you", "we", "they") else "was"
    if form in ("past", "done"):
        forms = _VERBS.get(word, "").split() or [_past(word)]
        return forms[-1] if form == "done" else forms[0]
    if form == "ing":
        return _ing(word)
    if form == "plural":
        return _with_s(word)
    if form in ("more", "most"):
        return _compared(word, form)
    raise ValueError(f"no form {form!r} of {word!r} is known")


def with_articles(text: str) -> str:
    """The text with `an` for `a` before words that begin with the sound of a vowel."""
    return _ARTICLE.sub(r"\1n", text)


def _present(word: str, subject: str | None) -> str:
    if word == "be":
        return _BE.get(subject or "", "is")
    return word if subject in _BE else _with_s(word)


def _with_s(word: str) -> str:
    *before, last = word.split(" ")
    if last in _WITH_S:
        last = _WITH_S[last]
    elif _CONSONANT_Y.search(last):
        last = last[:-1] + "ies"
    else:
        last += "es" if _SIBILANT.search(last) else "s"
    return " ".join((*before, last))


def _past(word: str) -> str:
    if word.endswith("e"):
        return word + "d"
    if _CONSONANT_Y.search(word):
        return word[:-1] + "ied"
    return _doubled(word) + "ed"


def _ing(word: str) -> str:
    silent = word.endswith("e") and not word.endswith(("ee", "be"))
    return word[:-1] + "ing" if silent else _doubled(word) + "ing"


def _compared(word: str, form: str) -> str:
    if word in _COMPARISONS:
        return _COMPARISONS[word].split()[form == "most"]
    ending = "er" if form == "more" else "est"
    if _CONSONANT_Y.search(word):
        return word[:-1] + "i" + ending
    if len(_VOWELS.findall(word.removesuffix("e"))) > 1:
        return f"{form} {word}"
    return word + ending[1:] if word.endswith("e") else _doubled(word) + ending


def _doubled(word: str) -> str:
    """The word with its last letter twice if it is short and closed: run, runn."""
    short = len(_VOWELS.findall(word)) == 1
    return word + word[-1] if short and _CLOSED.search(word) else word
