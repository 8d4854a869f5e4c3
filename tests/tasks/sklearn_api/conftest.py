"""A few reviews that a linear model learns in a second, and models trained on them once."""

import pytest

import rnnlp

GOOD = "a good film|I liked it|very good|great fun|really great|I loved it all|good cast"
BAD = "a bad film|I hated it|very bad|no fun|really awful|it bored me|bad cast"
FAST = {
    "random_state": 1,
    "model__recurrent": False,
    "model__ngrams": 1,
    "model__optimizer__learning_rate": 0.05,
    "data__max_sentences": 4,
    "trainer__max_epochs": 3,
    "trainer__logger": False,
}


@pytest.fixture(scope="session")
def texts():
    return [f"{text} {end}" for text in f"{GOOD}|{BAD}".split("|") for end in ("", ".", "!")]


@pytest.fixture(scope="session")
def labels():
    return ["good"] * 21 + ["bad"] * 21


@pytest.fixture(scope="session")
def model(texts, labels):
    """A classifier of integers: 1 for good, -1 for bad."""
    numbers = [1 if label == "good" else -1 for label in labels]
    return rnnlp.TextClassifier(**FAST).fit(texts, numbers)
