"""The tasks: each row holds, and a task from a user's own file goes through all verbs."""

from dataclasses import fields
from inspect import signature

import pytest
from pytorch_lightning.cli import LightningArgumentParser

from rnnlp.tasks.base.own_parts import attribute
from rnnlp.tasks.registry import TaskSpec, options_of, register_task, task_specs
from rnnlp.tasks.translation.config import SearchConfig


@pytest.mark.parametrize("spec", task_specs(), ids=lambda spec: spec.name)
def test_every_place_is_there(spec):
    places = [spec.module, spec.data, spec.pipeline, spec.score_lines]
    for place in [*places, *([spec.evaluation] if spec.evaluation else [])]:
        assert callable(attribute(place))
    pipeline = attribute(spec.pipeline)
    assert pipeline.task == spec.name
    assert all(hasattr(attribute(spec.module), name) for name in ("monitor", "hub_name"))
    heads = {spec.name for spec in task_specs()}
    assert set(spec.heads) <= heads and (spec.evaluation is None) == bool(spec.heads)


@pytest.mark.parametrize("kind", ["EVALUATE", "PREDICT", "STREAM"])
def test_options_of_one_name_are_one(kind):
    """Where two tasks have an option of one name, it is the same option."""
    seen = {}
    for options in options_of(kind).values():
        for option in options:
            other = seen.setdefault(option.name, option)
            assert (other.type, other.repeated) == (option.type, option.repeated)


@pytest.mark.parametrize("spec", task_specs(), ids=lambda spec: spec.name)
def test_pipelines_take_every_option_that_is_offered(spec):
    pipeline = attribute(spec.pipeline)
    for kind, method in (("PREDICT", pipeline.__call__), ("STREAM", pipeline.stream)):
        taken = {*signature(method).parameters, "attention"}  # which `predict` itself draws
        if "search" in taken:  # any of these settings
            taken |= {field.name for field in fields(SearchConfig)}
        offered = {option.keyword or option.name for option in options_of(kind)[spec.name]}
        assert offered <= taken


def test_a_name_is_taken_once():
    spec = task_specs()[0]
    register_task(spec)  # the same row again changes nothing
    with pytest.raises(ValueError, match="there is a task 'tagging' already"):
        register_task(TaskSpec(**{**vars(spec), "data": "elsewhere:Data"}))


@pytest.mark.parametrize("spec", task_specs(), ids=lambda spec: spec.name)
@pytest.mark.parametrize("part", ["module", "data"])
def test_every_setting_has_a_type_and_a_meaning(spec, part, caplog):
    """Settings come from dataclasses by inheritance: each is still checked, and explained."""
    parser = LightningArgumentParser(logger={"level": "DEBUG"})
    parser.logger.propagate = True
    with caplog.at_level("DEBUG"):
        parser.add_lightning_class_args(attribute(getattr(spec, part)), part)
    assert not [record.message for record in caplog.records if "validated" in record.message]
    shown = [
        action for action in parser._actions
        if action.dest.startswith(f"{part}.") and not action.dest.endswith("help")
    ]  # fmt: skip
    assert len(shown) > 10
    assert not [action.dest for action in shown if not action.help]
