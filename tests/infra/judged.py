"""What the compiler makes of infra/: asked once, kept until a file changes, shared by all workers.

`make infra` asks and says what is wrong; the tests read the same answers.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.infra import compiler, refused
from tests.infra.refused import VAULT
from tests.infra.sets import INFRA, KEPT, TEMPLATES, Wanted, given, kept, own
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASKING = ("compiler", "judged", "refused", "sets")


@dataclass
class Judged:
    """The answers of one compiler to all that is asked of it."""

    templates: dict[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    snapshots: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)


def sources() -> list[Path]:
    """Every file that the compiler puts into its form."""
    ours = [*INFRA.rglob("*.bicep"), *INFRA.glob("*.bicepparam")]
    return sorted([*ours, *KEPT.glob("*.bicepparam")])


@cache
def judged() -> Judged:
    """The answers, from a run before where nothing has changed since.

    FileNotFoundError: there is no compiler.
    """
    path = compiler.compiler()
    if not path:
        raise FileNotFoundError(compiler.NONE)
    compiler.FOLDER.mkdir(parents=True, exist_ok=True)
    with (compiler.FOLDER / "asking").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker asks, the others read
        said = compiler.FOLDER / f"said-{_digest(path)}.json"
        if not said.is_file():
            for old in compiler.FOLDER.glob("said-*.json"):
                old.unlink()
            said.write_text(json.dumps(asdict(_ask(path))), "utf-8")
        return Judged(**json.loads(said.read_text("utf-8")))


def _digest(path: Path) -> str:
    found = hashlib.sha256(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    asking = [ROOT / "tests" / "infra" / f"{name}.py" for name in ASKING]
    ours = [each for each in INFRA.rglob("*") if each.is_file()]
    for file in sorted([*ours, *KEPT.glob("*.bicepparam"), *asking]):
        found.update(str(file).encode() + file.read_bytes())
    return found.hexdigest()[:16]


def _ask(path: Path) -> Judged:
    packs = {f"refused-{n}": pack for n, pack in enumerate(refused.asked())}
    asked = kept() | letters() | vaults() | {name: wanted for name, (wanted, _) in packs.items()}
    found = Judged()
    with compiler.Compiler(path, _environ(asked)) as asking:
        found.complaints += _compiled(asking, found.templates)
        found.complaints += _unformed(asking)
        for name, wanted in asked.items() if len(found.templates) == len(TEMPLATES) else ():
            file = wanted.written(name)
            if name in kept():
                found.complaints += map(_told, asking.parameters(file)["diagnostics"])
            snapshot, why = asking.snapshot(file, **wanted.place)
            found.snapshots[name] = snapshot
            found.refusals |= dict.fromkeys(packs[name][1] if name in packs else [name], why)
    return found


def _environ(asked: dict[str, Wanted]) -> dict[str, str]:
    found = {
        f"{own(file)}_{variable}": value
        for file, wanted in asked.items()
        for variable, value in wanted.environ.items()
    }
    return compiler.surroundings(**found)


def _compiled(asking: compiler.Compiler, templates: dict[str, Any]) -> Iterator[str]:
    (compiler.FOLDER / "sets").mkdir(exist_ok=True)
    for name in TEMPLATES:
        said = asking.compile(INFRA / f"{name}.bicep")
        yield from map(_told, said["diagnostics"])
        if said.get("contents"):
            templates[name] = json.loads(said["contents"])
            (compiler.FOLDER / "sets" / f"{name}.json").write_text(said["contents"], "utf-8")


def _unformed(asking: compiler.Compiler) -> Iterator[str]:
    for path in sources():
        if asking.formatted(path) != path.read_text("utf-8"):
            name = path.relative_to(ROOT)
            yield f"{name}: not in its form: bicep format {name}"


def _told(said: dict[str, Any]) -> str:
    line = said["range"]["start"]["line"] + 1
    return f"{said['source']}({line}): {said['level']} {said['code']}: {said['message']}"


def letters() -> dict[str, Wanted]:
    """One deployment in the letters of two people."""
    one = kept()["roles"].text
    loud = "\n".join(_louder(line) for line in one.splitlines())
    return {"quiet": Wanted(one), "loud": Wanted(loud, place={"resourceGroup": "RELAY"})}


def vaults() -> dict[str, Wanted]:
    """Deployments that read several secrets of a vault, made or there before."""
    more = {"WAITS_KEY_SECRET": "our-key"}
    secrets = {"vaultSecrets": ["pat-of-fabrikam"], "moreSettings": more}
    github = {"devopsAuth": "entra", "policy": {"githubSecret": "github-app-key"}}
    return {
        "secrets": given("main", vaultId=VAULT, policy={"waits": True}, **secrets),
        "github": given("main", **github),
        "github elsewhere": given("main", vaultId=VAULT, **github),
        "channels": given("main", devopsAuth="entra", vaultSecrets=["relay-teams"]),
    }


def _louder(line: str) -> str:
    if "/subscriptions/" not in line and "2222" not in line:
        return line
    name, quote, rest = line.partition("'")
    return name + quote + rest.upper()


def differences(found: Judged) -> Iterator[str]:
    """What is predicted otherwise than it is kept, property by property."""
    for name in kept():
        path = KEPT / f"{name}.snapshot.json"
        if found.refusals.get(name):
            yield f"{name}: {found.refusals[name]}"
        elif not path.is_file():
            yield f"{name}: nothing is kept: make infra SNAPSHOTS=keep"
        elif json.loads(path.read_text("utf-8")) != json.loads(found.snapshots[name]):
            yield f"{name}: {_validated(name, path)}"


def _validated(name: str, path: Path) -> str:
    wanted, asked = kept()[name], compiler.compiler()
    assert asked
    file = wanted.written(name)
    shutil.copy(path, file.with_name(path.name))
    flags = {
        "tenantId": "--tenant-id",
        "subscriptionId": "--subscription-id",
        "resourceGroup": "--resource-group",
        "location": "--location",
        "deploymentName": "--deployment-name",
    }
    place = [word for name, value in compiler.PLACE.items() for word in (flags[name], value)]
    said = subprocess.run(
        [asked, "snapshot", file, "--mode", "validate", *place],
        env=_environ({name: wanted}),
        capture_output=True,
        check=False,
        text=True,
    )
    return re.sub(r"\x1b\[[\d;]*m", "", said.stdout + said.stderr)


def _keep(found: Judged) -> None:
    for name in kept():
        predicted = json.loads(found.snapshots[name])
        # The compiler writes outputs in another order each time.
        predicted["outputs"] = dict(sorted(predicted["outputs"].items()))
        text = json.dumps(predicted, indent=2, ensure_ascii=False)
        (KEPT / f"{name}.snapshot.json").write_text(f"{text}\n", "utf-8")


def main() -> int:
    """Say what is wrong with infra/, or keep what is predicted: `keep`."""
    try:
        found = judged()
    except FileNotFoundError as none:
        sys.stderr.write(f"{none}\n")
        return 1
    if "keep" in sys.argv[1:]:
        _keep(found)
    wrong = [*found.complaints, *differences(found)]
    sys.stdout.write("".join(f"{line}\n" for line in wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
