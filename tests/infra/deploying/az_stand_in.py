"""An Azure CLI for tests: python az_stand_in.py FOLDER WORDS...; what it knows is in FOLDER.

It keeps deployments, indexes functions after a number of looks, refuses what it is told to refuse,
and evaluates --query as the Azure CLI does.
https://learn.microsoft.com/cli/azure/deployment/group
https://learn.microsoft.com/cli/azure/functionapp/function#az-functionapp-function-list
"""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import jmespath

SUBSCRIBED = re.compile(r"^    function: '(\w+)'", re.MULTILINE)


def refuse(words: str) -> NoReturn:
    sys.stderr.write(f"ERROR: {words}\n")
    sys.exit(1)


def options(words: list[str]) -> dict[str, list[str]]:
    """What follows each option."""
    found: dict[str, list[str]] = {}
    values: list[str] = []
    for word in words:
        if word.startswith("-"):
            values = found.setdefault(word, [])
        else:
            values.append(word)
    return found


def show(found: Any, form: str) -> None:
    """As `-o tsv` or `-o json` writes it."""
    if form == "json":
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    rows = found if isinstance(found, list) else [found]
    sys.stdout.writelines(f"{row}\n" for row in rows if row is not None)


class Cloud:
    """What was deployed, and the commands that the scripts use."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "state.json"
        self.state: dict[str, Any] = json.loads(self._file.read_text("utf-8"))

    def run(self, words: list[str]) -> None:
        named, given = " ".join(words), options(words)
        self.state["calls"].append(words)
        try:
            self._refuse_what_is_told(named)
            command = next(i for i, word in enumerate(words) if word.startswith("-"))
            getattr(self, "_".join(words[:command]).replace("-", "_"))(given)
        finally:
            self._file.write_text(json.dumps(self.state), "utf-8")

    def _refuse_what_is_told(self, named: str) -> None:
        for refusal in self.state["refusals"]:
            if refusal["times"] and re.search(refusal["command"], named):
                refusal["times"] -= 1
                refuse(refusal["words"])

    def _indexed(self) -> list[str]:
        names: list[str] = self.state["functions"]
        is_late = self.state["looks"] < self.state["indexed_after"]
        return [] if is_late or not self.state["package"] else names

    def bicep_install(self, given: dict[str, list[str]]) -> None:
        if os.environ.get("AZURE_BICEP_USE_BINARY_FROM_PATH") != "false":
            refuse("the compiler of the agent would be taken")
        (self.state["compiler"],) = given["--version"]

    def deployment_group_create(self, given: dict[str, list[str]]) -> None:
        (name,) = given["-n"]
        parameters = given["-p"]
        if "-f" not in given:
            self.state["deployments"][name] = parameters
            return
        for function in SUBSCRIBED.findall(Path(given["-f"][0]).read_text("utf-8")):
            if function not in self._indexed():
                refuse("(Endpoint validation) Destination endpoint not found.")
            self.state["subscriptions"][function] = dict(p.split("=", 1) for p in parameters)
        self.state["deployments"][name] = parameters

    def deployment_group_show(self, given: dict[str, list[str]]) -> None:
        if given["-n"][0] not in self.state["deployments"]:
            refuse(f"(DeploymentNotFound) Deployment '{given['-n'][0]}' could not be found.")
        outputs = {name: {"value": value} for name, value in self.state["outputs"].items()}
        found = jmespath.search(given["--query"][0], {"properties": {"outputs": outputs}})
        show(found, given["-o"][0])

    def deployment_group_what_if(self, given: dict[str, list[str]]) -> None:
        sys.stdout.write(f"+ what would change by {given['-p'][0]}\n")

    def functionapp_function_list(self, given: dict[str, list[str]]) -> None:
        self.state["looks"] += 1
        listed = [{"name": f"{given['-n'][0]}/{name}"} for name in self._indexed()]
        show(jmespath.search(given["--query"][0], listed), given["-o"][0])

    def functionapp_deployment_source_config_zip(self, given: dict[str, list[str]]) -> None:
        if given["--build-remote"] != ["true"]:
            refuse("nothing would be built")
        with zipfile.ZipFile(given["--src"][0]) as package:
            self.state["package"] = package.namelist()


if __name__ == "__main__":
    Cloud(Path(sys.argv[1])).run(sys.argv[2:])
