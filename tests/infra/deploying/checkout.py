"""A checkout of the project, and an Azure that its deployment scripts reach through `az`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from tests.infra.deploying.az_on_path import OnPath
from tests.infra.predicted import resources
from tests.running import yamlfiles
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP = "rg-run-relay"
SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
PROVIDERS = f"{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
APP = "func-relay-prod-abc"
TOPICS = [f"{PROVIDERS}/Microsoft.EventGrid/systemTopics/{name}" for name in ("one", "two")]
OUTPUTS: dict[str, Any] = {
    "AZURE_FUNCTION_NAME": APP,
    "AZURE_FUNCTION_ID": f"{PROVIDERS}/Microsoft.Web/sites/{APP}",
    "AZURE_STORAGE_ID": f"{PROVIDERS}/Microsoft.Storage/storageAccounts/strelay",
    "RELAY_TOPIC_IDS": TOPICS,
}
SUBSCRIBED: list[str] = [
    each["properties"]["destination"]["properties"]["resourceId"].rpartition("/")[2]
    for each in resources("events", "EventGrid/systemTopics/eventSubscriptions")[:5]
]
PACKED = ["function_app.py", "functions", "host.json", "requirements.txt", "routes.yaml"]
NEEDED = [*PACKED, "infra", "relay"]
SCRIPT = "infra/hooks/deploy.sh"
CREATE, SHOW, WHAT_IF = (f"deployment group {verb}" for verb in ("create", "show", "what-if"))
LIST = "functionapp function list"
UPLOAD = "functionapp deployment source config-zip"
SETTINGS, KEYS, ASK = "functionapp config appsettings list", "functionapp keys list", "rest"
LOOKS = ("functionapp list", "functionapp show", SETTINGS, KEYS, ASK)
KEY = "system-key-that-nobody-may-see"
NOBODY = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def checkout(folder: Path, *, compiled: bool = False) -> Path:
    """What a deployment needs, committed; `compiled`: for who runs the app's Python there."""
    leave = shutil.ignore_patterns(*([] if compiled else ["__pycache__"]))
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=leave)
        else:
            shutil.copy(ROOT / name, folder / name)
    (folder / ".gitignore").write_text(".cache/\n__pycache__/\n", "utf-8")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        environ = {**os.environ, **NOBODY, "GIT_CONFIG_GLOBAL": os.devnull}
        subprocess.run(["git", *words], cwd=folder, env=environ, check=True, timeout=60)  # noqa: S607
    return folder


class Azure:
    """What is deployed where, and every call of `az`, which answers while entered."""

    def __init__(self, folder: Path, **state: Any) -> None:
        self._folder = folder
        folder.mkdir()
        self.write({**EMPTY, **state})
        self._az = OnPath(folder)

    def __enter__(self) -> Self:
        self._az.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._az.__exit__()

    def environ(self, **more: str) -> dict[str, str]:
        """Where `az` is, and what else the scripts read; no wait takes time.

        The route file is checked, which takes longer than all else, only with RELAY_CHECK=yes.
        """
        path = f"{self._folder}{os.pathsep}{os.environ['PATH']}"
        here = {"PATH": path, "AZURE_RESOURCE_GROUP": GROUP, "HOME": str(self._folder)}
        here |= {"RUN_RELAY_PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
        here |= {"RELAY_LOOK_EVERY": "0", "RELAY_TRY_EVERY": "0", "RELAY_CHECK": "no"}
        return {**here, **more}

    @property
    def state(self) -> dict[str, Any]:
        """What is known now."""
        read: dict[str, Any] = json.loads((self._folder / "state.json").read_text("utf-8"))
        return read

    def write(self, state: dict[str, Any]) -> None:
        """Let this be known from now on."""
        (self._folder / "state.json").write_text(json.dumps(state), "utf-8")

    def refuse(self, command: str, words: str, times: int = 1, *, after: bool = False) -> None:
        """Answer so the next times that a command fits this pattern; `after` it was done."""
        refusal = {"command": command, "words": words, "times": times, "after": after}
        self.write({**self.state, "refusals": [*self.state["refusals"], refusal]})

    def commands(self) -> list[str]:
        """The commands, without their options, in order."""
        return [" ".join(command(words)) for words in self.state["calls"]]

    def acts(self) -> list[str]:
        """Those that do something; deployments with their names."""
        told = (SHOW, WHAT_IF, LIST, "bicep install", *LOOKS)
        calls = [words for words in self.state["calls"] if " ".join(command(words)) not in told]
        return [f"{' '.join(command(words))} {words[words.index('-n') + 1]}" for words in calls]


def without_subscriptions(azure: Azure) -> Azure:
    """Resources and code are there."""
    azure.write({**azure.state, "deployments": {"run-relay": []}, "package": ["host.json"]})
    return azure


EMPTY: dict[str, Any] = {
    "calls": [],
    "compiler": "",
    "deployments": {},
    "functions": [*SUBSCRIBED, "reconcile", "sweep"],
    "indexed_after": 0,
    "key": KEY,
    "looks": 0,
    "outputs": OUTPUTS,
    "package": [],
    "parameters": {},
    "probes": [],
    "refusals": [],
    "settings": {},
    "subscriptions": {},
}


def command(words: list[str]) -> list[str]:
    """The words before the first option."""
    first = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return words[:first]


def run(
    folder: Path, environ: dict[str, str], *steps: str, shell: str = "sh"
) -> subprocess.CompletedProcess[str]:
    """Run the script in that checkout, from elsewhere."""
    return subprocess.run(
        [shell, str(folder / SCRIPT), *steps],
        cwd=folder.parent,
        env=environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


def steps(stage: str) -> Iterator[dict[str, Any]]:
    """The steps of a stage of the pipeline."""
    pipeline = yamlfiles.read(ROOT / "pipelines/deploy.yml")
    (found,) = (each for each in pipeline["stages"] if each["stage"] == stage)
    for job in found["jobs"]:
        yield from job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]


def inline(step: dict[str, Any]) -> str:
    """The script of a step; empty for a task without one."""
    return str(step.get("bash") or step.get("inputs", {}).get("inlineScript") or "")
