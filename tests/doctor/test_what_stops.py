"""The doctor tells whom alerts reach, which timers were not seen, and what the ledger knows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.rounds.watch import ROUNDS
from local.arm.alerts import ActionGroup, Rule
from tests.doctor.conftest import APP, OPERATORS, RULES
from tests.stage.azure import completed, now

if TYPE_CHECKING:
    from tests.doctor.conftest import Patient

TEAM = "team@contoso.example"


def alerts(patient: Patient) -> tuple[str, str]:
    """What is said of the alerts."""
    (said,) = patient.examined("--no-probe").of("alerts")
    return said


def test_alerts_that_reach_somebody_are_well(patient: Patient) -> None:
    assert alerts(patient) == ("ok", "2 alerts reach 1 receivers")


def test_alerts_that_reach_nobody_are_warned_of(patient: Patient) -> None:
    for nobody in (
        ActionGroup(OPERATORS),
        ActionGroup(OPERATORS, [TEAM], enabled=False),
        ActionGroup(OPERATORS, [TEAM], unsubscribed=[TEAM]),
    ):
        patient.cloud.arm.groups.add(nobody)
        status, said = alerts(patient)
        told = "alerts reach nobody: 2 of 2 (Run Relay: parked, Run Relay: silent)"
        assert (status, said) == ("warning", told)
    shown = patient.typed("--app", APP, "--no-probe")
    assert "→ set RELAY_ALERT_EMAILS, then: sh infra/hooks/deploy.sh resources" in shown.stdout


def test_a_rule_without_a_group_and_one_whose_group_is_gone_are_named(patient: Patient) -> None:
    patient.cloud.arm.rules.add(
        Rule(f"{RULES}/silent", "Run Relay: silent", [f"{OPERATORS}-gone"]),
        Rule(f"{RULES}/other", "Somebody else's"),
    )
    told = "alerts reach nobody: 1 of 2 (Run Relay: silent)"
    assert alerts(patient) == ("warning", told)


def test_where_there_is_no_alert_that_is_said(patient: Patient) -> None:
    for name in ("parked", "silent"):
        patient.cloud.arm.rules.add(Rule(f"{RULES}/{name}", f"Run Relay: {name}", enabled=False))
    status, said = alerts(patient)
    assert (status, said.partition(":")[2]) == ("warning", " nobody is told of anything")


def test_each_timer_that_was_not_seen_is_listed(patient: Patient) -> None:
    patient.stage.reconcile()
    patient.stage.app.sweep.sweep()
    (_, round_), (status, swept) = patient.examined("--no-probe").of("rounds")
    assert round_.startswith("the last round ended at ")
    assert (status, swept.startswith("the last sweep ended at ")) == ("ok", True)
    ledger = patient.stage.ledger
    row, long_ago = ledger.shared(ROUNDS), f"{now() - timedelta(hours=5)}"
    ledger.share(row, {"ended": long_ago, "by": "timer", "timer": long_ago, "swept": long_ago})
    found = patient.examined("--no-probe").of("rounds")
    assert [status for status, _ in found] == ["warning"] * 2
    assert found[1][1].startswith("The last sweep ended at ")


def test_what_the_ledger_knows_is_a_warning_and_no_failure(patient: Patient) -> None:
    stage = patient.stage
    good = stage.routes_file.read_text("utf-8")
    stage.routes(good.replace("organization:", "organisation:"))
    stage.deliver(completed("r1"))
    stage.reconcile()
    stage.routes(good)  # here it can be read: what the app has is told by its ledger
    report = patient.examined("--no-probe")
    ((status, said),) = report.of("what stops")
    assert (report.code, status) == (0, "warning")
    assert said.startswith("The app's route file cannot be read, so no event is looked at. ")
    assert "routes.yaml:3: " in said
    assert "1 event waits in the inbox since " in said
