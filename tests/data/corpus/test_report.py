"""What a reader tells of its file: counts with the first place, and remarks, each once."""

from rnnlp.data.corpus.report import Notes


def test_notes_keep_the_first_place_and_say_a_thing_once():
    notes = Notes()
    notes.count("losses", "a:1")
    notes.count("losses", "a:9", 1999)
    notes.count("nothing", "a:1", 0)
    notes.add("Said.")
    notes.add("Said.")
    assert notes.lines() == ["Said.", "losses: 2,000 (first at a:1)"]
    assert (notes["losses"], notes["nothing"]) == (2000, 0)
