"""Pieces of exports in the shape that annotation tools write, and what is read of a whole one."""

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter


def entities(path):
    """Each text as tokens, what is marked in it, and the notes."""
    notes = Notes()
    actual = [
        (
            " ".join(example.tokens),
            [(" ".join(example.tokens[s.start : s.end]), s.type) for s in example.spans],
        )
        for example in read_tagging(path, split=splitter("word"), notes=notes)
    ]
    return actual, "\n".join(notes.lines())


def labels(path):
    notes = Notes()
    return [(e.text, e.labels) for e in read_classification(path, notes=notes)], "\n".join(
        notes.lines()
    )


def region(start, end, text, label, **more):
    return {
        "value": {"start": start, "end": end, "text": text, "labels": [label]},
        "id": "Dx_aB91ISN", "from_name": "label", "to_name": "text", "type": "labels",
        "origin": "manual", **more,
    }  # fmt: skip


def choice(*choices):
    return {
        "value": {"choices": list(choices)}, "id": "x", "from_name": "tone", "to_name": "text",
        "type": "choices", "origin": "manual",
    }  # fmt: skip


def annotation(*results, by=1, **more):
    return {
        "id": 1001, "completed_by": by, "result": list(results), "was_cancelled": False,
        "ground_truth": False, "created_at": "2021-03-09T22:16:08.728353Z", "lead_time": 4.2,
        **more,
    }  # fmt: skip


def task(text, *annotations):
    return {"id": 7, "annotations": list(annotations), "predictions": [], "data": {"text": text}}


def flat(number, text, **answers):
    return {
        "id": number, "text": text, **answers, "annotator": 1, "annotation_id": number,
        "created_at": "2021-03-09T22:16:08.728353Z", "updated_at": "2021-03-09", "lead_time": 4.2,
    }  # fmt: skip


def prodigy(text, answer="accept", task=1, session="db-anna", **more):
    return {
        "text": text, "_input_hash": hash(text), "_task_hash": task, "_session_id": session,
        "_view_id": "ner_manual", "answer": answer, **more,
    }  # fmt: skip
