"""What a value of the route file becomes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from functions.core.facts.placeholders import FACTS, LONGEST_TEXT, MissingFact, render, unknown
from functions.core.facts.unusable import Unusable
from functions.core.terms.reasons import Reason

FACTS_OF_A_RUN: dict[str, Any] = {
    "run": {
        "id": "train_1",
        "name": "",
        "parent_id": None,
        "metrics": {"accuracy": 0.93, "epochs": 12.0, "val/acc": 1e-9},
        "params": {"lr": "0.10"},
        "tags": {"azureml.git.commit": "abc", "Stage": "one", "stage": "two", "githuB_REPO": "r"},
        "properties": {"done": True},
    },
    "model": {"name": "defects", "flavors": ["python_function", "sklearn"]},
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("{{ run.id }}", "train_1"),
        ("{{run.id}}", "train_1"),
        ("run {{ run.id }} of {{ model.name }}!", "run train_1 of defects!"),
        ("{{ run.metrics.accuracy }}", "0.93"),
        ("{{ run.metrics.val/acc }}", "0.000000001"),
        ("lr {{ run.metrics.val/acc }}", "lr 0.000000001"),
        (2e-05, "0.00002"),
        (-1.5e-07, "-0.00000015"),
        (1e16, "10000000000000000"),
        (math.inf, "Infinity"),
        ("{{ run.params.lr }}", "0.10"),
        ("{{ run.properties.done }}", "true"),
        ("{{ model.flavors }}", '["python_function","sklearn"]'),
        ("{{ run.tags.azureml.git.commit }}", "abc"),
        ("plain", "plain"),
        ("", ""),
        ("ä", "ä"),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        (None, "null"),
        ([1, "{{ run.id }}"], '[1,"train_1"]'),
        ({"a": {"b": "{{ run.metrics.accuracy }}"}}, '{"a":{"b":"0.93"}}'),
    ],
)
def test_a_value_becomes_text(value: object, text: str) -> None:
    assert render(value, FACTS_OF_A_RUN) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [("Stage", "one"), ("stage", "two"), ("STAGE", "one"), ("GITHUB_REPO", "r")],
)
def test_a_tag_is_found_in_any_case_but_its_own_case_goes_first(name: str, text: str) -> None:
    assert render(f"{{{{ run.tags.{name} }}}}", FACTS_OF_A_RUN) == text


@pytest.mark.parametrize(
    "name",
    [
        "run.parent_id",  # known to be none
        "run.name",  # empty
        "run.url",  # absent
        "run.metrics.Accuracy",  # metrics have one case
        "run.tags.missing",
        "run.id.more",
        "model.version",
        "event.id",
        "nonsense",
    ],
)
def test_a_fact_that_is_not_known_never_becomes_an_empty_text(name: str) -> None:
    with pytest.raises(MissingFact) as caught:
        render(f"x {{{{ {name} }}}}", FACTS_OF_A_RUN)

    assert caught.value.name == name
    assert str(caught.value) == f"{name} is not known"


def test_what_a_fact_holds_is_never_looked_at_again() -> None:
    facts = {"run": {"id": "{{ run.name }}", "name": "secret"}}

    assert render("{{ run.id }}", facts) == "{{ run.name }}"
    assert render({"a": "{{ run.id }}"}, facts) == '{"a":"{{ run.name }}"}'


@pytest.mark.parametrize("text", ["{{ run.id * 7 }}", "{{ run.id|upper }}", "{{ ''.join(x) }}"])
def test_nothing_but_a_name_stands_between_the_braces(text: str) -> None:
    with pytest.raises(MissingFact):
        render(text, FACTS_OF_A_RUN)


def test_a_result_is_bounded() -> None:
    facts = {"run": {"id": "x" * 50_000}}

    assert len(render("{{ run.id }}" * 3, facts)) == LONGEST_TEXT
    assert len(render(["{{ run.id }}"], facts)) == LONGEST_TEXT


def test_a_fact_that_is_missing_behind_the_bound_is_still_missing() -> None:
    with pytest.raises(MissingFact):
        render("{{ run.id }}{{ run.name }}", {"run": {"id": "x" * 50_000}})


def test_half_a_character_does_not_reach_the_request() -> None:
    assert render("{{ run.id }}", {"run": {"id": "a\ud800b"}}) == "a?b"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "run.metrics.loss is NaN: the training diverged"),
        (math.inf, "run.metrics.loss is infinite: the training diverged"),
        (-math.inf, "run.metrics.loss is infinite: the training diverged"),
    ],
)
def test_a_metric_that_is_no_number_is_never_rendered(value: float, said: str) -> None:
    with pytest.raises(Unusable) as refused:
        render("loss {{ run.metrics.loss }}", {"run": {"metrics": {"loss": value}}})
    assert (str(refused.value), refused.value.reason) == (said, Reason.NOT_A_NUMBER)


@pytest.mark.parametrize(("fact", "cut_at"), [("run.params.a", 6_000), ("run.tags.a", 8_000)])
def test_a_text_that_mlflow_may_have_cut_is_never_rendered(fact: str, cut_at: int) -> None:
    family = fact.split(".")[1]
    facts: dict[str, Any] = {"run": {family: {"a": "x" * cut_at}}}
    with pytest.raises(Unusable) as refused:
        render(f"{{{{ {fact} }}}}", facts)
    assert refused.value.reason is Reason.CUT
    for length in (cut_at - 1, cut_at + 1):
        facts["run"][family]["a"] = "x" * length
        assert render(f"{{{{ {fact} }}}}", facts) == "x" * length


@pytest.mark.parametrize("name", [fact.replace("*", "a.b") for fact in FACTS])
def test_every_fact_of_the_list_can_be_named(name: str) -> None:
    assert unknown(name) is None
