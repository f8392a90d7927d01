"""What `check` refuses in a gate by the kinds of its facts, and all that it goes on accepting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.gates.gate import Gate, gate_of
from functions.core.terms.words import ENDS
from tests.routes.files import HEAD
from tests.routes.test_check import relay, written

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = [
    ("run.params.epochs > 5", "`double(run.params.epochs) > 5`"),
    ("run.params.lr == 0.01", "never true: write `double(run.params.lr) == 0.01`"),
    ("0.01 != run.params.lr", "always true: write `0.01 != double(run.params.lr)`"),
    ("run['params'].lr == 1", 'never true: write `double(run["params"].lr) == 1`'),
    ("dyn(run.params.lr) == 1", "which is never true"),
    ("run.params[run.name] > 1", "`double(run.params[run.name]) > 1`"),
    ("run.params.x in [1, 2]", 'write `run.params.x in ["1", "2"]`'),
    ("run.params.on == true", "write `bool(run.params.on) == true`"),
    ("run.params.x + 1 > 2", "write `double(run.params.x) + 1.0`"),
    ("model.version > 3", "write `double(model.version) > 3`"),
    ("run.metrics.a > '0.9'", "write `run.metrics.a > 0.9`"),
    ("run.metrics.a * 2 > 1", "write `run.metrics.a * 2.0`"),
    ("run.metrics.a * 2 > 1.5", "write `run.metrics.a * 2.0`"),
    ("run.metrics.a % 2 == 0", "write `int(run.metrics.a) % 2`"),
    ("run.metrics.all(k, run.metrics[k] * 2 < 1)", "write `run.metrics[k] * 2.0`"),
    ("'x' in run.tags.t", 'write `run.tags.t.contains("x")`'),
    ("run.name.matches('[')", "invalid regular expression: missing ]"),
    ("run.name == 'a' && run.name.matches('[')", "invalid regular expression: missing ]"),
    ("duration(run.end_time) > duration('1h')", "`duration(run.end_time)` can never be worked out"),
    ("int(run.start_time) > 5", "`int(run.start_time)` can never be worked out"),
    ("double(run.status) > 1.0", "`double(run.status)` can never be worked out"),
    ("timestamp('soon') > timestamp(run.end_time)", "can never be worked out"),
    ("run.end_time > timestamp('2026-01-01T00:00:00Z')", "`timestamp(run.end_time) > "),
    ("run.end_time - run.start_time > duration('1h')", "`timestamp(run.end_time) - timestamp("),
    ("run.status == 'completed'", "did you mean Completed?"),
    ("run.status != 'FINISHED'", "it is one of Completed, Failed, Canceled, NotResponding"),
    ("run.status in ['Completed', 'canceled']", "did you mean Canceled?"),
    ("run.status == 'Failed'", "wants run.status to be Failed; on this route it is Completed"),
    ("run.tags.mlflow.user == 'x'", 'write `run.tags["mlflow.user"]`'),
    ("run.metrics.val.acc > 0.5", 'write `run.metrics["val.acc"]`'),
    ("run.metrics.val-acc > 0.5", 'is written run.metrics["val-acc"]'),
    ("run.name.first == 'x'", "nothing stands below run.name, which is text"),
    ("run.metrics.a", "gives double, but a gate is true or false: compare it"),
    ("run.metrics.a - run.metrics.b", "gives double, but a gate is true or false"),
    ("run.params.x", "gives string, but a gate is true or false: compare it"),
    ("run.metrics.a && true", "`run.metrics.a` is a number, and no condition: compare it"),
    ("run.params.on && run.metrics.a > 1", "`run.params.on` is text, and no condition: compare it"),
    ("run.metrics.a > 1 || run.metrics.b", "`run.metrics.b` is a number, and no condition"),
    ("run.params.on ? run.metrics.a > 1 : true", "`run.params.on` is text, and no condition"),
    ("model.flavors[0] == 1", "compares text with a number, which is never true"),
    ("int(run.metrics.a) == 0.5", "never true: one side is a whole number"),
    ("run.metrics.a == null", "ask `has(run.metrics.a)`"),
    ("run.metrics.a > 1 && run.metrics.a < 0", "no value of run.metrics.a makes it so"),
    ("run.metrics.a < run.metrics.a", "both sides are the same"),
    ("run.tags.s == 'a' && run.tags.s == 'b'", "no value of run.tags.s makes it so"),
    ("size(run.tags) < 0", "no size or count is less than 0"),
    ("run.children.failed < 0", "no size or count is less than 0"),
    (
        "run.children.failed / run.children.total < 0.1",
        "drops the fraction: write `double(run.children.failed) / double(run.children.total)`",
    ),
    ("run.metrics.f > run.children.failed / run.children.total", "drops the fraction"),
    ("run.children.failed * 100 / run.children.total < 10.5", "drops the fraction"),
    ("double(run.children.failed / run.children.total) < 0.1", "drops the fraction"),
    ("run.metrics.accuracy >= 95 / 100", "`95 / 100` divides whole numbers, which drops"),
    ("run.metrics.exists(k, run.metrics[k] > 1 / 2)", "write `1.0 / 2.0`"),
    (
        "run.params.epochs >= '10'",
        "where 10 comes before 9: write `double(run.params.epochs) >= 10`",
    ),
    ("'0.5' < run.params.lr", "write `0.5 < double(run.params.lr)`"),
    ("model.version > '3'", "write `double(model.version) > 3`"),
    ("model.version > champion.version", "`double(model.version) > double(champion.version)`"),
    ("run.name == ''", "never true: an empty run.name counts as not known"),
    ("1 > 2", "`1 > 2` is never true"),
    ("timestamp(run.end_time) > '2026-01-01'", 'timestamp("2026-01-01T00:00:00Z")`'),
    ("timestamp(run.end_time) - timestamp(run.start_time) > '1h'", "write `timestamp(run.end_time"),
    ("run.metrics.a > duration(run.params.d)", "compares a number with a duration"),
    ("run.name.startsWith(5)", "`startsWith` does not take text with a whole number"),
    ("(run.params.on ? 1.0 : 0.5) > 0.7", "`run.params.on` is text, and no condition"),
    ("run.params.exists_one(k, size(k))", "`size(k)` is a whole number, and no condition"),
    ("run.metrics.exists(m, m.value > 1)", "goes through names, below which nothing stands"),
    ("run.metrics.exists(k, run.metrics.k > 0.5)", "named k: write `run.metrics[k]`"),
    ("['auc', 'f1'].all(m, has(run.metrics.m))", "named m: write `m in run.metrics`"),
    ("['a', 'b'].exists(x, has(x.a))", "goes through names, below which nothing stands"),
    ("has(run.tags['a.b'])", '`"a.b" in run.tags`'),
    ("run.status.contains('complete')", "can never be true: run.status is one of Completed, "),
    ("run.status.lowerAscii() == 'Completed'", "can never be true: run.status is one of"),
    ("run.status != 'Completed'", "to be Canceled or Failed or NotResponding; on this route it is"),
    ("!(run.status in ['Completed'])", "wants run.status to be Canceled or Failed or"),
    ("run.status.startsWith('Fail') && run.metrics.a > 1", "wants run.status to be Failed; on"),
    ("run.children.failed > 0 && run.children.failed < 1", "no value of run.children.failed"),
    (".run.metrics.a > 0.5", "`.run` begins with a dot: write `run`"),
    ("run.metrics.a > 0.5 && run.status == 'Failed'", "wants run.status to be Failed"),
    ("['a'].exists(run, run == 'a')", "take another"),
    (
        "run.tags.s != 'a' || run.tags.s != 'b'",
        "is always true, whatever run.tags.s may be: is `&&` meant?",
    ),
    (
        "(run.tags.s != 'a' || run.tags.s != 'b') && run.metrics.a > 0.5",
        '`run.tags.s != "a" || run.tags.s != "b"` is always true',
    ),
    ("run.metrics.a >= 0.9 || run.metrics.a < 0.95", "is always true, whatever run.metrics.a may"),
    (
        "!(run.tags.s == 'a' && run.tags.s == 'b')",
        "is always true, whatever run.tags.s may be: is `||`",
    ),
    ("run.status != 'Failed' || run.status != 'Canceled'", "is always true, whatever run.status"),
    ("has(run.metrics.a) || !has(run.metrics.a)", "is always true, whatever run.metrics.a may be"),
    (
        "run.metrics.a > 1 && run.metrics.a < 0 && run.metrics.b > run.metrics.c",
        "can never be true: no value of run.metrics.a makes it so",
    ),
    (
        "run.name == 'x' || run.metrics.a > 1 && run.metrics.a < 0",
        "`run.metrics.a > 1 && run.metrics.a < 0` is never true: no value of run.metrics.a",
    ),
    (
        "has(run.metrics.a) ? run.params.p == 'x' && run.params.p == 'y' : true",
        "is never true: no value of run.params.p makes it so",
    ),
    ("model.version == champion.version", "never true: the champion is another version, or there"),
    ("champion.run.id == run.id || run.metrics.a > 0.5", "is never true: the champion is another"),
    ("[1, 2].all(x, x > 5)", "can never be true, and asks of no fact"),
    ("run.metrics.a < 1e999", "`run.metrics.a < 1e999` holds a number that is too large"),
    ("run.metrics.a > -1e999 || run.name == 'x'", "holds a number that is too large"),
    ("run.metrics.a == double('nan')", '`double("nan")` is no number, and no gate goes by that'),
    ("run.metrics.a < 1.0 / 0.0", "`1.0 / 0.0` is no number, and no gate goes by that"),
    ("run.children.total >= 1000", "no value of run.children.total makes it so"),
    ("run.params.x in ['1', 2]", 'write `run.params.x in ["1", "2"]`'),
    ("model.version in [3]", 'write `model.version in ["3"]`'),
    ("run.metrics.a in [1, '2']", "looks for a number in a list that holds something else"),
    ("has(run.metrics)", "`has(run.metrics)` asks for no fact: write `size(run.metrics) > 0`"),
    ("!has(run.params) || run.metrics.a > 0.5", "write `size(run.params) > 0`"),
    ("has(run.children) && run.children.failed == 0", "write `has(run.children.total)`"),
    ("0.5 < run.metrics.a < 0.9", "write `0.5 < run.metrics.a && run.metrics.a < 0.9`"),
    ("timestamp(run.end_time) - timestamp(run.start_time) > 3600", '> duration("3600s")`'),
    ("run.end_time.getHours() > 3", "write `timestamp(run.end_time).getHours()`"),
    ("model.flavors.contains('sklearn')", 'write `"sklearn" in model.flavors`'),
    ("run.metrics.a > 0.5 and run.metrics.b > 1", "mismatched input 'and'"),
    ("run.metrics.a > 0.5 and run.metrics.b > 1", ": write `&&`"),
    ("run.metrics.a > 0.5 or run.metrics.b > 1", ": write `||`"),
    ("run.metrics.a > 0.5 & run.metrics.b > 1", ": write `&&`"),
    ("run.metrics.a > 0.5 | run.metrics.b > 1", ": write `||`"),
    ("not run.metrics.a > 0.5", ": write `!`"),
    ("run.metrics.a = 0.5", ": write `==`"),
    ("run.metrics.a => 0.5", ": write `>=`"),
    ("run.tags.stage in ('a', 'b')", ": a list is written in `[ ]`"),
]
ACCEPTED = [
    "run.metrics.accuracy >= 1",
    "run.metrics.accuracy == 1",
    "1 <= run.metrics.accuracy",
    "run.metrics.accuracy in [1, 2]",
    "run.metrics.accuracy >= 0.9 && run.metrics.loss < 0.5",
    "run.metrics.a > 0.5 && run.metrics.a < 0.9 || run.metrics.a == 2",
    "(has(run.metrics.a) ? run.metrics.a : 0) > 0.5",
    "has(run.metrics.auc) && run.metrics.auc > 0.5",
    "!has(run.metrics.auc)",
    "has(model.version) && has(run.experiment) || !has(run.parent_id)",
    "has(model.name) == true",
    "has(run.metrics.auc) == false",
    "has(run.tags.stage) != true || run.tags.stage == 'x'",
    "false == has(run.name)",
    "run.metrics.all(k, run.metrics[k] < 1)",
    "run.metrics.a * 2.0 > run.metrics.b",
    "int(run.metrics.epoch) % 2 == 0",
    "int(run.params.epochs) > 5",
    "run.params.until >= '20260101' && run.params.until < 'x'",
    "run.params.epochs == '10' && run.tags.release >= '2.1'",
    "run.params.a < run.params.b",
    "model.version != champion.version",
    "int(model.version) > int(champion.version)",
    "run.children.total / 2 > run.children.failed",
    "run.children.failed * 100 / run.children.total < 10",
    "double(run.children.failed) / double(run.children.total) < 0.1",
    "run.metrics.accuracy >= 90.0 / 100.0 && size(run.name) / 2 >= 4 / 2",
    "double(run.params.lr) == 0.01",
    "run.params.lr == '0.01' || run.params.lr != '0.1'",
    "run.params.epochs in ['5', '10']",
    "run.params.note == ''",
    "run.tags['mlflow.user'] == 'x' && run.tags.`a.b` == 'y'",
    "'stage' in run.tags && run.tags.stage.startsWith('prod')",
    "run.tags.exists(k, k.startsWith('a'))",
    "run.name.matches('^a.*[0-9]+$')",
    "run.name != '' && size(run.tags) > 0 && size(run) > 1",
    "run.end_time > '2026-01-01'",
    "timestamp(run.end_time) - timestamp(run.start_time) > duration('1h')",
    "timestamp(run.end_time).getDayOfWeek() in [1, 2]",
    "timestamp(run.end_time).getHours('Nowhere/X') > 3",
    "duration(run.params.d) > duration('1h')",
    "run.status == 'Completed'",
    "run.status == 'Failed' || run.metrics.a > 0.5",
    "!(run.status == 'Failed')",
    "!(run.name == '')",
    "run.status in ['Completed', 'Failed']",
    "run.status.startsWith('Comp')",
    "run.metrics.exists(k, run.metrics[k] > run.metrics.k)",
    "run.status != 'Failed' && run.status in ['Completed', 'Canceled'] && has(run.status)",
    "run.status.lowerAscii() == 'completed' || run.status == run.name",
    "run.children.failed >= 1 && run.children.failed < 2 && run.children.total > 0.5",
    "'sklearn' in model.flavors && model.version != '1'",
    "int(model.version) > 3",
    "run.name.lowerAscii() == 'a' && run.params.list.split(',')[0] == 'b'",
    "math.abs(run.metrics.a) < 0.5",
    "type(run.metrics.a) == double",
    "is_nan(run.metrics.loss) || !is_finite(run.metrics.loss)",
    "run[run.name].lr > 0.1",
    "true",
    "run.children.failed >= 0",
    " || ".join(f"run.status == '{name}'" for name in ENDS),
    "!has(run.metrics.a) || run.metrics.a < 0.5",
    "has(run.metrics.a) ? run.metrics.a > 0.5 : true",
    "run.metrics.a > 1 && (run.metrics.b > 1 || run.metrics.a < 2)",
    "run.metrics.a >= 0.9 && run.metrics.a >= 0.95 || run.params.x != 'a' || run.name != 'b'",
    "!(model.version == champion.version)",
    "run.children.total < 1000 && run.metrics.a in [1, 2.5] && run.params.x in ['1', '2']",
    "duration('1h') < duration('2h') && run.name.contains('and') && run.name != 'a or b = c'",
]


def checked(folder: Path, gate: str) -> tuple[int, str]:
    path = written(
        folder,
        f"{HEAD}  - name: a\n    when: {json.dumps(gate)}\n"
        "    start: {pipeline: 1, correlation: id}\n"
        + ("    champion: newest\n" if "champion." in gate else ""),
    )
    code, _, told = relay("check", path)
    return code, told.replace(path, "routes.yaml")


@pytest.mark.parametrize(("gate", "said"), REFUSED)
def test_check_refuses_with_file_and_line_and_what_to_write_instead(
    tmp_path: Path, gate: str, said: str
) -> None:
    code, told = checked(tmp_path, gate)
    assert (code, told.count("\n")) == (1, 1)
    assert told.startswith("routes.yaml:5: routes[0].when: ")
    assert said in told


@pytest.mark.parametrize("gate", ACCEPTED)
def test_check_accepts_all_that_is_right(tmp_path: Path, gate: str) -> None:
    code, told = checked(tmp_path, gate)
    assert (code, [line for line in told.splitlines() if ": warning: " not in line]) == (0, [])


def test_check_tells_structure_facts_gates_and_types_in_one_round(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """\
version: 1
defaults: {organization: contoso, project: 5}
routes:
  - name: a
    limit: many
    start: {pipeline: "1", parameters: {x: "{{ run.nme }}"}}
    when: run.params.epochs > 5 && run.metric.a > 1
  - name: b
    strat: 1
    when: run.params.lr > 0.1
  - name: c
    when: run.metrics.x >=
    start: {pipeline: 1}
""",
    )
    code, _, told = relay("check", path)
    lines = [line.removeprefix(f"{path}:") for line in told.splitlines()]
    assert code == 1
    assert [line.split(": ")[1] for line in lines] == [
        "defaults.project",
        "routes[0].limit",
        "routes[0].start.parameters.x",
        "routes[0].start.pipeline",
        "routes[0].when",
        "routes[0].when",
        "routes[1].strat",
        "routes[2].when",
    ]
    whens = [line for line in lines if "].when: " in line]
    assert "`run.metric` is no fact; did you mean run.metrics.NAME?" in "".join(whens)
    typed = next(line for line in whens if "write `double(run.params.epochs) > 5`" in line)
    assert typed.endswith("; the same: routes[1].when (line 10)")
    assert "Syntax error" in whens[2]


@pytest.mark.parametrize("gate", [gate for gate, _ in REFUSED[:6]])
def test_a_gate_that_could_not_be_right_is_never_asked(gate: str) -> None:
    names = ("epochs", "lr", "x", "on")
    given = {"params": dict.fromkeys(names, "1"), "name": "lr", "metrics": {"a": 1.0}}
    verdict = Gate(gate).evaluate({"run": given})
    assert not verdict.holds
    assert verdict.error
    assert not verdict.missing


@pytest.mark.parametrize(
    "gate",
    [
        "run.metrics.a > 'high'",
        "champion.exists == 'yes'",
        "timestamp(run.end_time) > 'last week'",
        "timestamp(run.end_time) - timestamp(run.start_time) > 'an hour'",
    ],
)
def test_nothing_is_advised_that_could_not_be_followed(gate: str) -> None:
    (told,) = Gate(gate).mistakes
    assert "compares" in told
    assert "write" not in told


def test_deep_and_long_gates_are_judged_or_refused() -> None:
    for text in (
        "!" * 3_000 + "true",
        " && ".join(f"run.metrics.m{n} > {n}" for n in range(150)),
        " + ".join(["run.metrics.a"] * 250) + " > 1.0",
        "[" * 400 + "]" * 400 + " == run.name",
    ):
        try:
            Gate(text).evaluate({"run": {"metrics": {"a": 1.0}}})
        except Exception as refused:  # noqa: BLE001 - whatever it is, its kind is asserted
            assert type(refused).__name__ == "GateRefused"  # noqa: PT017 - the same


@pytest.mark.parametrize("gate", ["run.name && true", "workspace.name ? true : false"])
def test_a_single_fact_that_is_text_is_no_condition(gate: str) -> None:
    (said,) = gate_of(gate).mistakes
    assert "is text, and no condition" in said
