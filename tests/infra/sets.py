"""Sets of parameters: those whose deployments are kept as predicted, and those that are refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.infra.compiler import FOLDER
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INFRA = ROOT / "infra"
TEMPLATES = ("main", "events")
KEPT = ROOT / "tests" / "infra" / "snapshots"
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUP = f"{SUBSCRIPTION}/resourceGroups/ml"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/Churn_Models"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets"
PRINCIPAL = "abcdef22-2222-2222-2222-22222222222"
READ = re.compile(r"readEnvironmentVariable\('(\w+)'")
# The variables of the parameter files as somebody sets them who wants all of it.
ALL_SET = {
    "AML_WORKSPACE_IDS": f" {WORKSPACE}, {WORKSPACE}-2 ,",
    "AZURE_ENV_NAME": "live",
    "RELAY_ALERT_EMAILS": "one@example.com, two@example.com,",
    "RELAY_DEVOPS_AUTH": "pat",
    "RELAY_DEVOPS_URL": "https://devops.example.com/tfs",
    "RELAY_DNS_ZONES_GROUP_ID": f"{SUBSCRIPTION}/resourceGroups/dns",
    "RELAY_ENDPOINT_SUBNET_ID": f"{SUBNET}/endpoints",
    "RELAY_GITHUB_APP_ID": "Iv23liAbC4dEfGh",
    "RELAY_GITHUB_SECRET": "github-token",
    "RELAY_GITHUB_URL": "https://github.example.com/api/v3",
    "RELAY_INTEGRATION_SUBNET_ID": f"{SUBNET}/app",
    "RELAY_OPERATIONS_CLIENT_ID": f"{PRINCIPAL}3",
    "RELAY_OPERATORS_GROUP_ID": f"{PRINCIPAL}1",
    "RELAY_PAT_ROTATOR_ID": f"{PRINCIPAL}4",
    "RELAY_PAT_ROTATOR_TYPE": "ServicePrincipal",
    "RELAY_READERS_GROUP_ID": f"{PRINCIPAL}2",
    "RELAY_VAULT_ID": f"{GROUP}/providers/Microsoft.KeyVault/vaults/theirs",
}
# As a pipeline or azd sets them who knows of none but the one that is required.
ALL_EMPTY = dict.fromkeys(ALL_SET, "") | {"AML_WORKSPACE_IDS": WORKSPACE}


@dataclass(frozen=True)
class Wanted:
    """A prediction that is asked for: a parameter file's text and what it is predicted with."""

    text: str
    environ: Mapping[str, str] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)

    def written(self, name: str) -> Path:
        """The file, which takes compiled templates and variables that are only its own."""
        text = re.sub(r"^using '.*?(\w+)\.bicep'", r"using '\1.json'", self.text)
        path = FOLDER / "sets" / f"{name}.bicepparam"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(READ.sub(rf"readEnvironmentVariable('{own(name)}_\1'", text), "utf-8")
        return path


def own(name: str) -> str:
    """What the variables of a set begin with, since one process reads those of all sets."""
    return re.sub(r"\W", "_", name).upper()


def kept() -> dict[str, Wanted]:
    """The deployments that are kept as files, by the names of the files."""
    files = {path.stem: Wanted(path.read_text("utf-8")) for path in KEPT.glob("*.bicepparam")}
    files["dev"] = Wanted((INFRA / "dev.bicepparam").read_text("utf-8"), ALL_EMPTY)
    files["prod"] = Wanted((INFRA / "prod.bicepparam").read_text("utf-8"), ALL_SET)
    return files


def given(template: str = "main", **parameters: object) -> Wanted:
    """A parameter file with these, and with what must be given."""
    site = f"{GROUP}/providers/Microsoft.Web/sites/func-relay"
    needed: dict[str, dict[str, object]] = {
        "main": {"workspaces": [{"id": WORKSPACE}]},
        "events": {
            "functionAppId": site,
            "storageId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/strelay",
            "topicIds": [f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/evgt"],
        },
    }
    lines = [f"param {n} = {literal(v)}" for n, v in (needed[template] | parameters).items()]
    return Wanted("\n".join([f"using '{template}.bicep'", *lines, ""]))


def from_environment(file: str, **variables: str) -> Wanted:
    """A parameter file of ours, with these variables and no others."""
    return Wanted((INFRA / file).read_text("utf-8"), ALL_EMPTY | variables)


def literal(value: Any) -> str:
    """A value as Bicep writes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "'" + re.sub(r"(['\\]|\$\{)", r"\\\1", value) + "'"
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
        case dict():
            return "{ " + ", ".join(f"{k}: {literal(v)}" for k, v in value.items()) + " }"
    return str(value)
