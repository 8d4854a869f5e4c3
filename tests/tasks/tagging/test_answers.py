"""What a tagger of plain tags answers is training data of plain tags."""

import json

from rnnlp.data.corpus.report import Notes
from rnnlp.data.tagging.readers import read_tagging

from ..random_models import TEXTS, tagger


def test_answers_of_plain_tags_are_read_back(tmp_path):
    model = tagger(scheme=None)
    answers = model([*TEXTS, ""], min_score=0.9)
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    notes = Notes()
    read = list(read_tagging(path, split=model.featurizer.split, notes=notes))
    sentences = [[text[a:b] for a, b in model.featurizer.split(text)] for text in TEXTS]
    assert [one.tokens for one in read] == sentences
    assert [one.tags for one in read] == model.tags(sentences)
    assert notes["texts without a token, left out"] == 1
    assert "tags" not in tagger()(TEXTS[0])
