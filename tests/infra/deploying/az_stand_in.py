"""An Azure CLI for tests; what it knows is in a folder.

It keeps deployments, indexes functions after a number of looks, refuses what it is told to refuse,
and evaluates --query as the Azure CLI does.
https://learn.microsoft.com/cli/azure/deployment/group
https://learn.microsoft.com/cli/azure/functionapp/function#az-functionapp-function-list
"""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import jmespath

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIBED = re.compile(r"^    function: '(\w+)'", re.MULTILINE)


class Typed(NamedTuple):
    """A command: its words, and what the process that types it has.

    `own_compiler`: the value of AZURE_BICEP_USE_BINARY_FROM_PATH.
    """

    words: list[str]
    folder: Path
    own_compiler: str
    stdin: str


class Refused(Exception):
    """The command ends in an error."""


def refuse(words: str) -> NoReturn:
    raise Refused(f"ERROR: {words}\n")


def searched(query: str, document: object) -> Any:
    """What the query finds."""
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


def shown(found: Any, form: str) -> str:
    """As `-o tsv` or `-o json` writes it; a truth value in small letters."""
    if form == "json":
        return json.dumps(found, indent=2) + "\n"
    rows = found if isinstance(found, list) else [found]
    texts = [str(row).lower() if isinstance(row, bool) else row for row in rows if row is not None]
    return "".join(f"{text}\n" for text in texts)


class Cloud:
    """What was deployed, and the commands that the scripts use, of which one is typed."""

    def __init__(self, folder: Path, typed: Typed) -> None:
        self._file, self._typed = folder / "state.json", typed
        self.state: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        self.said = ""

    def run(self) -> None:
        """Do what is asked for; raises Refused. What it says is in `said` in any case."""
        words = self._typed.words
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

    def _show(self, given: dict[str, list[str]], document: object) -> None:
        self.said += shown(searched(given["--query"][0], document), given["-o"][0])

    def _file_of(self, named: list[str]) -> Path:
        return self._typed.folder / named[0]

    def _indexed(self) -> list[str]:
        names: list[str] = self.state["functions"]
        is_late = self.state["looks"] < self.state["indexed_after"]
        return [] if is_late or not self.state["package"] else names

    def bicep_install(self, given: dict[str, list[str]]) -> None:
        if self._typed.own_compiler != "false":
            refuse("the compiler of the agent would be taken")
        (self.state["compiler"],) = given["--version"]

    def deployment_group_create(self, given: dict[str, list[str]]) -> None:
        (name,) = given["-n"]
        parameters = given["-p"]
        if "-f" not in given:
            self.state["deployments"][name] = parameters
            return
        for function in SUBSCRIBED.findall(self._file_of(given["-f"]).read_text("utf-8")):
            if function not in self._indexed():
                refuse("(Endpoint validation) Destination endpoint not found.")
            self.state["subscriptions"][function] = dict(p.split("=", 1) for p in parameters)
        self.state["deployments"][name] = parameters

    def deployment_group_show(self, given: dict[str, list[str]]) -> None:
        if given["-n"][0] not in self.state["deployments"]:
            refuse(f"(DeploymentNotFound) Deployment '{given['-n'][0]}' could not be found.")
        outputs = {name: {"value": value} for name, value in self.state["outputs"].items()}
        properties = {"outputs": outputs, "parameters": self.state["parameters"]}
        self._show(given, {"properties": properties})

    def deployment_group_what_if(self, given: dict[str, list[str]]) -> None:
        self.said += f"+ what would change by {given['-p'][0]}\n"

    def functionapp_function_list(self, given: dict[str, list[str]]) -> None:
        self.state["looks"] += 1
        listed = [{"name": f"{given['-n'][0]}/{name}"} for name in self._indexed()]
        self._show(given, listed)

    def functionapp_list(self, given: dict[str, list[str]]) -> None:
        tags = {"azd-service-name": "relay"}
        apps = [{"name": name, "tags": tags} for name in self.state["settings"]]
        self._show(given, apps)

    def functionapp_show(self, given: dict[str, list[str]]) -> None:
        found = {"defaultHostName": f"{given['-n'][0]}.azurewebsites.net"}
        self._show(given, found)

    def functionapp_config_appsettings_list(self, given: dict[str, list[str]]) -> None:
        kept = self.state["settings"].get(given["-n"][0])
        if kept is None:
            refuse(f"(ResourceNotFound) Microsoft.Web/sites/{given['-n'][0]} was not found.")
        listed = [{"name": name, "value": value} for name, value in kept.items()]
        self._show(given, listed)

    def functionapp_keys_list(self, given: dict[str, list[str]]) -> None:
        found = {"systemKeys": {"eventgrid_extension": self.state["key"]}}
        self._show(given, found)

    def rest(self, given: dict[str, list[str]]) -> None:
        """As the host answers who sends an event; `@-` is read from the standard input."""
        pairs = (text.split("=", 1) for text in given["--headers"])
        headers = {k: self._typed.stdin.rstrip("\n") if v == "@-" else v for k, v in pairs}
        if headers.get("x-functions-key") != self.state["key"]:
            refuse("Unauthorized()")
        (url,) = given["--url"]
        (event,) = json.loads(given["--body"][0])
        self.state["probes"].append({"url": url, "event": event, "headers": sorted(headers)})

    def functionapp_deployment_source_config_zip(self, given: dict[str, list[str]]) -> None:
        if given["--build-remote"] != ["true"]:
            refuse("nothing would be built")
        with zipfile.ZipFile(self._file_of(given["--src"])) as package:
            self.state["package"] = package.namelist()
