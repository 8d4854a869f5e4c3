"""Settings of earlier versions: what they are called today, and what came later."""

import pytest

from rnnlp.tasks.model_folder.versions import upgraded_settings


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("task", "before", "today"),
    [
        ("translation", {"decoder": {"copy": True}}, {"decoder": {"copy": True, "lexical": False}}),
        ("translation", {"decoder": {"lexical": True}}, {"decoder": {"lexical": True}}),
        ("translation", {"size": 3}, {"size": 3, "decoder": {"lexical": False}}),
        ("translation", {"decoder": None}, {"decoder": None}),  # whoever reads it refuses it
        ("mine", {"decoder": {"copy": True}}, {"decoder": {"copy": True}}),
    ],
)
def test_a_setting_that_came_later_is_as_models_were_before(version, task, before, today):
    assert upgraded_settings(before, version, task) == today


def test_what_is_read_is_not_changed():
    before = {"decoder": {"layers": 2}}
    upgraded = upgraded_settings(before, 1, "translation")
    assert upgraded == {"decoder": {"num_layers": 2, "lexical": False}}
    upgraded["decoder"]["lexical"] = True
    assert before == {"decoder": {"layers": 2}}
    assert not upgraded_settings({}, 2, "translation")["decoder"]["lexical"]
