"""What checkov, a judge of security from outside, says of the predicted deployments.

It takes a compiled template for one without resources, since the compiler names them; a prediction
it reads. `make infra-outside` asks it, in an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.infra.predicted import everything

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
PUBLIC = "open to whoever has a role; endpointSubnetId and publicNetworkAccess close it"
FLEX = "Flex Consumption refuses many properties of a site; nobody has tried this one on it"
PART = "a part of the configuration of a site, which the rule takes for a site"
# Rules that are left out, each with its reason.
LEFT_OUT = {
    "CKV_AZURE_13": PART,
    "CKV_AZURE_17": "Event Grid and browsers have no certificate; functions ask for keys",
    "CKV_AZURE_18": FLEX,
    "CKV_AZURE_35": PUBLIC,
    "CKV_AZURE_59": PUBLIC,
    "CKV_AZURE_63": PART,
    "CKV_AZURE_65": PART,
    "CKV_AZURE_66": PART,
    "CKV_AZURE_67": FLEX,
    "CKV_AZURE_78": "off by a policy of its own; Flex refuses ftpsState",
    "CKV_AZURE_80": PART,
    "CKV_AZURE_88": PART,
    "CKV_AZURE_109": PUBLIC,
    "CKV_AZURE_189": PUBLIC,
    "CKV_AZURE_191": "the topic of outcomes hands events out and signs in nowhere",
    "CKV_AZURE_193": "the topic takes identities only, of which one may send",
    "CKV_AZURE_206": "storageSku says how many copies; dev has one to be cheap",
    "CKV_AZURE_212": "Flex scales by itself; alwaysReady says the least",
    "CKV_AZURE_213": FLEX,
    "CKV_AZURE_222": "Event Grid has no private way to a function",
    "CKV_AZURE_225": "zoneRedundant, which costs some 330 dollars a month",
}


def findings(checkov: str, name: str) -> tuple[int, set[tuple[str, str]]]:
    """How much of a set of parameters holds, and each rule that fails with what it says."""
    template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0"}
    words = ["--framework", "arm", "--skip-download", "--quiet", "-o", "json"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.json"
        resources = everything(name)["predictedResources"]
        path.write_text(json.dumps(template | {"resources": resources}), "utf-8")
        ran = subprocess.run(
            [checkov, "-f", path, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    said: dict[str, Any] = json.loads(ran.stdout)
    assert said["summary"]["parsing_errors"] == 0
    failed = said["results"]["failed_checks"]
    return said["summary"]["passed"], {(each["check_id"], each["check_name"]) for each in failed}


def main(checkov: str) -> int:
    """Say what fails and is not left out, and which rule is left out for nothing."""
    met: dict[str, str] = {}
    passed = 0
    for name in ("dev", "prod", "private", "entra"):
        holds, failed = findings(checkov, name)
        passed, met = passed + holds, met | dict(failed)
    wrong = [f"{rule}: {met[rule]}" for rule in sorted(met.keys() - LEFT_OUT)]
    wrong += [f"{rule} is left out and never fails" for rule in sorted(LEFT_OUT.keys() - met)]
    sys.stdout.write("\n".join([*wrong, f"{passed} checks hold, {len(met)} rules fail", ""]))
    return bool(wrong) or not passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
