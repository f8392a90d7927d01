"""A promotion, as the commands tell of it: it has a key as any other news."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.flow.promoting.registries import follow, registered, swept

if TYPE_CHECKING:
    from tests.relay.conftest import Desk


def test_a_promotion_is_listed_shown_explained_and_replayed_by_its_key(desk: Desk) -> None:
    follow(desk.stage, "{alias: production}", "when: model.version == '9'")
    registered(desk.stage, 3, 4)
    swept(desk.stage)
    desk.stage.aml.set_alias("defects", "production", 4)
    swept(desk.stage)
    (one,) = json.loads(desk.type("list", "--json").out)["continuations"]
    assert one["run"].startswith("defects:4:production:20")
    shown = desk.type("show", one["key"])
    assert "ModelPromoted" in shown.out
    assert "model.version = 4" in desk.type("why", one["run"]).out.replace('"', "")
    follow(desk.stage, "{alias: production}")
    desk.stage.deploy()
    assert desk.type("replay", one["key"]).code == 0
    desk.stage.reconcile()
    (run,) = desk.stage.devops.runs
    assert run.template_parameters == {"name": "defects", "version": "4"}
