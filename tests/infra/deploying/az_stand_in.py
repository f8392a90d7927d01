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
from pathlib import Path
from typing import Any, NoReturn

SUBSCRIBED = re.compile(r"^    function: '(\w+)'", re.MULTILINE)


def refuse(words: str) -> NoReturn:
    sys.stderr.write(f"ERROR: {words}\n")
    sys.exit(1)


def searched(query: str, document: object) -> Any:
    """What the query finds."""
    import site  # noqa: PLC0415 - a call of `az` costs what it loads, and most ask nothing

    site.main()
    import jmespath  # noqa: PLC0415

    return jmespath.search(query, document)


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
    """As `-o tsv` or `-o json` writes it; a truth value in small letters."""
    if form == "json":
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    rows = found if isinstance(found, list) else [found]
    texts = [str(row).lower() if isinstance(row, bool) else row for row in rows if row is not None]
    sys.stdout.writelines(f"{text}\n" for text in texts)


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
            self._do(words, given)
            self._refuse_what_is_told(named, after=True)
        finally:
            self._file.write_text(json.dumps(self.state), "utf-8")

    def _do(self, words: list[str], given: dict[str, list[str]]) -> None:
        command = next(i for i, word in enumerate(words) if word.startswith("-"))
        getattr(self, "_".join(words[:command]).replace("-", "_"))(given)

    def _refuse_what_is_told(self, named: str, *, after: bool = False) -> None:
        for refusal in self.state["refusals"]:
            if (
                refusal["times"]
                and refusal["after"] == after
                and re.search(refusal["command"], named)
            ):
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
        properties = {"outputs": outputs, "parameters": self.state["parameters"]}
        found = searched(given["--query"][0], {"properties": properties})
        show(found, given["-o"][0])

    def deployment_group_what_if(self, given: dict[str, list[str]]) -> None:
        sys.stdout.write(f"+ what would change by {given['-p'][0]}\n")

    def functionapp_function_list(self, given: dict[str, list[str]]) -> None:
        self.state["looks"] += 1
        listed = [{"name": f"{given['-n'][0]}/{name}"} for name in self._indexed()]
        show(searched(given["--query"][0], listed), given["-o"][0])

    def functionapp_list(self, given: dict[str, list[str]]) -> None:
        tags = {"azd-service-name": "relay"}
        apps = [{"name": name, "tags": tags} for name in self.state["settings"]]
        show(searched(given["--query"][0], apps), given["-o"][0])

    def functionapp_show(self, given: dict[str, list[str]]) -> None:
        found = {"defaultHostName": f"{given['-n'][0]}.azurewebsites.net"}
        show(searched(given["--query"][0], found), given["-o"][0])

    def functionapp_config_appsettings_list(self, given: dict[str, list[str]]) -> None:
        kept = self.state["settings"].get(given["-n"][0])
        if kept is None:
            refuse(f"(ResourceNotFound) Microsoft.Web/sites/{given['-n'][0]} was not found.")
        listed = [{"name": name, "value": value} for name, value in kept.items()]
        show(searched(given["--query"][0], listed), given["-o"][0])

    def functionapp_keys_list(self, given: dict[str, list[str]]) -> None:
        found = {"systemKeys": {"eventgrid_extension": self.state["key"]}}
        show(searched(given["--query"][0], found), given["-o"][0])

    def rest(self, given: dict[str, list[str]]) -> None:
        """As the host answers who sends an event; `@-` is read from the standard input."""
        pairs = (text.split("=", 1) for text in given["--headers"])
        headers = {k: sys.stdin.read().rstrip("\n") if v == "@-" else v for k, v in pairs}
        if headers.get("x-functions-key") != self.state["key"]:
            refuse("Unauthorized()")
        (url,) = given["--url"]
        (event,) = json.loads(given["--body"][0])
        self.state["probes"].append({"url": url, "event": event, "headers": sorted(headers)})

    def functionapp_deployment_source_config_zip(self, given: dict[str, list[str]]) -> None:
        if given["--build-remote"] != ["true"]:
            refuse("nothing would be built")
        import zipfile  # noqa: PLC0415 - a call of `az` costs what it imports, and most need it not

        with zipfile.ZipFile(given["--src"][0]) as package:
            self.state["package"] = package.namelist()


if __name__ == "__main__":
    Cloud(Path(sys.argv[1])).run(sys.argv[2:])
