"""Parameters that nobody can have meant, with the words that must be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, product
from typing import TYPE_CHECKING

from tests.infra.sets import (
    GROUP,
    SUBNET,
    SUBSCRIPTION,
    TEMPLATES,
    WORKSPACE,
    from_environment,
    given,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.infra.sets import Wanted

VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/theirs"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/evgt"
# Each parameter that is a resource id, with one that it takes and the template it belongs to.
IDS = {
    "vaultId": ("main", VAULT),
    "integrationSubnetId": ("main", f"{SUBNET}/app"),
    "endpointSubnetId": ("main", f"{SUBNET}/endpoints"),
    "dnsZonesGroupId": ("main", f"{SUBSCRIPTION}/resourceGroups/dns"),
    "functionAppId": ("events", f"{GROUP}/providers/Microsoft.Web/sites/func-relay"),
    "storageId": ("events", f"{GROUP}/providers/Microsoft.Storage/storageAccounts/strelay"),
    "topicIds": ("events", TOPIC),
    "workspaces": ("main", WORKSPACE),
}
GUIDS = ("operatorsGroupId", "readersGroupId", "operationsClientId", "rotatorId")
# What becomes of an id that is right.
SPOILT = {
    "a name": lambda one: one.rpartition("/")[2],
    "a slash at its end": lambda one: f"{one}/",
    "another type": lambda one: (
        one.replace("Microsoft.", "Other.") if "/pro" in one else f"{one}/x"
    ),
    "a subscription's name": lambda one: one.replace(SUBSCRIPTION, "/subscriptions/mine"),
    "no name": lambda one: f"{one.rpartition('/')[0]}/",
    "a blank": lambda one: f"{one} ",
    "a child": lambda one: f"{one}/secrets/x",
}
PREFIXES = ("re_lay", "relay-", "9relay", "-relay", "re--lay", "Relay", "re lay")
ORGANIZED = (
    "https://dev.azure.com/contoso",
    "https://dev.azure.com/contoso/",
    "https://contoso.visualstudio.com",
    "https://contoso.dev.azure.com",
    "HTTPS://Dev.Azure.com/contoso",
)
NO_ADDRESSES = ("dev.azure.com", "https://name:word@example.com", "https://example.com/?a=b", "a b")


def as_given(name: str, value: str) -> object:
    """A value as a parameter takes it."""
    return [{"id": value}] if name == "workspaces" else [value] if name == "topicIds" else value


@dataclass(frozen=True)
class Case:
    """Parameters of a template or variables of a parameter file, and the words of their refusal."""

    of: str
    given: Mapping[str, object]
    words: tuple[str, ...]
    alone: bool = False  # Azure itself refuses it, before it asks what else is wrong


def cases() -> dict[str, Case]:
    """What is refused, by what it is."""
    return dict(chain(_ids(), _names(), _addresses(), _networks(), _twice(), _variables()))


def asked() -> list[tuple[Wanted, list[str]]]:
    """Predictions that refuse all cases: many at once, since all that is wrong is told at once."""
    packs: list[tuple[str, dict[str, object], list[str], bool]] = []
    for name, case in cases().items():
        together = [pack for pack in packs if pack[0] == case.of and not (case.alone or pack[3])]
        fits = (pack for pack in together if not case.given.keys() & pack[1])
        pack = next(fits, None) or (case.of, {}, [], case.alone)
        pack[1].update(case.given)
        pack[2].append(name)
        if len(pack[2]) == 1:
            packs.append(pack)
    return [(_wanted(of, given), names) for of, given, names, _ in packs]


def _wanted(of: str, parameters: Mapping[str, object]) -> Wanted:
    if of in TEMPLATES:
        return given(of, **parameters)
    return from_environment(of, **{name: str(value) for name, value in parameters.items()})


def _ids() -> Iterator[tuple[str, Case]]:
    for (name, (template, right)), (how, spoil) in product(IDS.items(), SPOILT.items()):
        wrong = spoil(right)
        given = {name: as_given(name, wrong)}
        yield f"{name}: {how}", Case(template, given, (f"{name} '{wrong}'",))
    for name, wrong in product(GUIDS, ("mlops", "abcdef22-2222-2222-2222-22222222222g")):
        yield f"{name}: {wrong}", Case("main", {name: wrong}, (f"{name} '{wrong}'",))
    yield "workspaces: empty", Case("main", {"workspaces": [{"id": ""}]}, ("workspaces ''",))


def _names() -> Iterator[tuple[str, Case]]:
    for name, wrong in (
        *product(["namePrefix"], PREFIXES),
        *product(["ledgerTable"], ("my-table", "9table")),
    ):
        yield f"{name}: {wrong}", Case("main", {name: wrong}, (f"{name} '{wrong}'",))
    for wrong in ("contoso fabrikam", "https://contoso@dev.azure.com/contoso", "*"):
        words = (f"policy.waitsOrganizations '{wrong}'",)
        policy = {"waitsOrganizations": ["contoso", wrong]}
        yield f"waitsOrganizations: {wrong}", Case("main", {"policy": policy}, words)
    wrong = "https://hooks.contoso.com"
    words = (f"policy.notifyHosts '{wrong}'",)
    yield "notifyHosts", Case("main", {"policy": {"notifyHosts": [wrong]}}, words)
    for name, wrong in (("githubSecret", "a/b"), ("githubAppId", "run relay")):
        words = (f"policy.{name} '{wrong}'",)
        yield f"{name}: {wrong}", Case("main", {"policy": {name: wrong}}, words)
    yield "vaultSecrets: a/b", Case("main", {"vaultSecrets": ["a/b"]}, ("vaultSecrets 'a/b'",))
    yield "patName: my_pat", Case("main", {"patName": "my_pat"}, ("patName 'my_pat'",))
    for field, wrong in (("topicName", TOPIC), ("topicResourceGroup", GROUP), ("topicName", "a_b")):
        workspace = {"id": WORKSPACE, field: wrong}
        words = (f"{field} '{wrong}'",)
        yield f"{field}: {wrong}", Case("main", {"workspaces": [workspace]}, words)
    ready = [{"name": "on run", "instanceCount": 1}]
    yield "alwaysReady: on run", Case("main", {"alwaysReady": ready}, ("alwaysReady 'on run'",))


def _addresses() -> Iterator[tuple[str, Case]]:
    for wrong in ORGANIZED:
        words = (f"policy.devopsUrl '{wrong}' has an organization",)
        yield f"devopsUrl: {wrong}", Case("main", {"policy": {"devopsUrl": wrong}}, words)
    for name, wrong in product(("devopsUrl", "githubUrl", "resourceManagerUrl"), NO_ADDRESSES):
        words = (f"policy.{name} '{wrong}'",)
        yield f"{name}: {wrong}", Case("main", {"policy": {name: wrong}}, words)


def _networks() -> Iterator[tuple[str, Case]]:
    closed = {"publicNetworkAccess": "Disabled", "endpointSubnetId": ""}
    words = ("publicNetworkAccess 'Disabled' without endpointSubnetId",)
    yield "closed without endpoints", Case("main", closed, words)
    one_way = {"endpointSubnetId": f"{SUBNET}/endpoints", "integrationSubnetId": ""}
    words = (f"endpointSubnetId '{SUBNET}/endpoints' without integrationSubnetId",)
    yield "endpoints without a way in", Case("main", one_way, words)


def _twice() -> Iterator[tuple[str, Case]]:
    for other in (str, str.upper):
        both = {"workspaces": [{"id": WORKSPACE}, {"id": other(WORKSPACE)}]}
        words = (f"workspaces may not have twice: {WORKSPACE.lower()}",)
        yield f"workspaces twice, {other.__name__}", Case("main", both, words)
        topics = {"topicIds": [TOPIC, other(TOPIC)]}
        words = (f"topicIds may not have twice: {TOPIC.lower()}",)
        yield f"topics twice, {other.__name__}", Case("events", topics, words)
    ready = [{"name": "function:on_run_completed", "instanceCount": n} for n in (1, 2)]
    words = ("alwaysReady may not have twice: function:on_run_completed",)
    yield "alwaysReady twice", Case("main", {"alwaysReady": ready}, words)
    mails = {"alertEmails": ["one@example.com", "One@example.com", "mlops"]}
    both_words = ("alertEmails may not have twice: one@example.com", "alertEmails 'mlops'")
    yield "mails twice, and no mail", Case("main", mails, both_words)


def _variables() -> Iterator[tuple[str, Case]]:
    for file, (variable, parameter, wrong, alone) in product(
        ("dev.bicepparam", "prod.bicepparam"),
        (
            ("RELAY_DEVOPS_AUTH", "devopsAuth", "token", True),
            ("RELAY_PAT_ROTATOR_TYPE", "rotatorType", "Person", True),
            ("RELAY_VAULT_ID", "vaultId", "theirs", False),
            ("AML_WORKSPACE_IDS", "workspaces", "churn", False),
            ("AML_WORKSPACE_IDS", "workspaces", "", True),
        ),
    ):
        words = (f"{parameter}'" if alone else f"{parameter} '", wrong)
        yield f"{file}: {variable}={wrong}", Case(file, {variable: wrong}, words, alone)
