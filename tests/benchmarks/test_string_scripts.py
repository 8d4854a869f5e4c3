"""The scripts that are about letters, sounds and forms."""

from .conftest import script


def test_rules_of_strings(tmp_path, run):
    rules = script("string_rules")
    sounds = [["shab", "ʃ a b"], ["bash", "b a ʃ"], ["sab", "s a b"], ["bas", "b a s"]]
    assert rules.pronounce(sounds, ["shas", "abba"]) == [["ʃ", "a", "s"], ["a", "b", "b", "a"]]
    forms = [["walk", "PST", "walked"], ["bake", "PST", "baked"], ["cry", "PST", "cried"]]
    forms += [["do", "NEG", "undo"]]
    asked = [("talk", "PST"), ("fry", "PST"), ("tie", "NEG"), ("tie", "FUT")]
    assert rules.inflect(forms, asked) == ["talked", "fried", "untie", "tie"]
    (tmp_path / "train").write_text("".join("\t".join(row) + "\n" for row in forms))
    (tmp_path / "dev").write_text("talk\tPST\ttalked\nfry\tPST\tfryed\n")
    out = run("string_rules", "inflection", str(tmp_path / "train"), str(tmp_path / "dev"))
    assert "word error rate 50.0, symbol error rate 9.09, exact 50.0" in out


def test_seen_lemmas_are_those_of_training(run, tmp_path):
    out = run("seen_lemmas", tmp_path)
    lemmas = {}
    for name in ("train", "seen", "unseen"):
        rows = [line.split("\t") for line in (tmp_path / f"{name}.tsv").open()]
        assert all(len(row) == 3 for row in rows) and f"{name}.tsv: {len(rows)} forms" in out
        lemmas[name] = {row[0] for row in rows}
    assert lemmas["seen"] < lemmas["train"] and lemmas["unseen"].isdisjoint(lemmas["train"])
    read = (tmp_path / "train.tsv").read_text() + (tmp_path / "seen.tsv").read_text()
    assert len(set(read.splitlines())) == read.count("\n") == 2000
