"""The model card shows what data and labels hold, and nothing in them becomes part of its form."""

from markdown_it import MarkdownIt

from rnnlp.tasks.reporting.model_card import block, escaped, model_card

HOSTILE = "neg```\n\n<script>alert(1)</script>\n\x1b[31m[x](http://a.b) **b** `c` \u202eturned"


def card(**changes):
    values = {
        "task": "classification",
        "pipeline": "text-classification",
        "title": "m",
        "summary": "A classifier.",
        "data": {"train": "t.csv", "hub": None},
        "notes": [],
        "scores": {"validation": {"f1": 1.0}},
        "heads": (),
        "table": lambda scores: "f1 100",
        "folder": "runs/m",
        "usage": ('"A film"', '"A film" --seed 1'),
        "seed": 1,
        "versions": {"rnnlp": "1", "torch": "2"},
        "seconds": 60.0,
        "epoch": 3,
    }
    return model_card(**(values | changes))


def test_what_it_says():
    text = card()
    assert text.startswith("---\nlibrary_name: rnnlp\npipeline_tag: text-classification\n")
    assert "# m\n\nA classifier.\n" in text and "- train: t.csv\n" in text and "hub" not in text
    assert 'rnnlp.load("runs/m")\nmodel("A film")\n```' in text
    assert 'rnnlp predict runs/m "A film" --seed 1\n' in text
    assert "rnnlp evaluate runs/m FILE\n```" in text
    assert "rnnlp fit --config runs/m/config.yaml --output DIR\n```" in text
    heads = card(heads=("tagging", "classification"))
    assert "FILE --task tagging\nrnnlp evaluate runs/m FILE --task classification\n" in heads


def test_nothing_breaks_out():
    plain = MarkdownIt().parse(card(notes=["odd"]))
    places = [
        {"title": HOSTILE}, {"summary": HOSTILE}, {"data": {"train": HOSTILE}},
        {"notes": [HOSTILE]}, {"folder": HOSTILE}, {"table": lambda scores: f"```\n{HOSTILE}"},
    ]  # fmt: skip
    for change in places:
        text = card(**{"notes": ["odd"], **change})
        assert "\x1b" not in text and "\u202e" not in text
        tokens = MarkdownIt().parse(text)
        assert [token.type for token in tokens] == [token.type for token in plain], change
        inner = {child.type for token in tokens for child in token.children or ()}
        assert inner <= {"text", "softbreak", "code_inline", "image", "text_special"}, change


def test_a_folder_is_quoted_for_python_and_the_shell():
    text = card(folder='my "runs"/a b')
    assert 'rnnlp.load("my \\"runs\\"/a b")' in text
    assert "rnnlp predict 'my \"runs\"/a b' " in text


def test_escapes_and_fences():
    assert escaped("a_b *c* <d> [e] `f` \\") == "a_b \\*c\\* \\<d\\> \\[e\\] \\`f\\` \\\\"
    assert MarkdownIt().renderInline(escaped("*c* <d>")) == "*c* &lt;d&gt;"
    assert block("x", "sh") == "```sh\nx\n```"
    assert block("````") == "`````\n````\n`````"
