"""A made-up event to the function's own address: it arrives, and the ledger shows it.

https://learn.microsoft.com/azure/azure-functions/event-grid-how-tos
https://learn.microsoft.com/rest/api/appservice/web-apps/list-host-keys
"""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any

import requests

from functions.core.texts.bounds import bounded
from relay import version
from relay.deployment.deployed import LOOPBACK, WEB_VERSION
from relay.doctor.findings import failure, ok, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

FUNCTION = "on_run_completed"
EVENT_TYPE = "RunRelay.Probe"
ROW = "probe"  # the shared row that shows the last probe
KEY = "eventgrid_extension"
LIST_KEYS = "Microsoft.Web/sites/host/listkeys/action"
TIMES = (5, 120)  # seconds to connect, and to wait for an app that starts
LOOK_EVERY = 0.5

_HOST = re.compile(
    r"[a-z0-9-]+(\.[a-z0-9-]+)?\.(azurewebsites\.(net|us)|chinacloudsites\.cn)", re.IGNORECASE
)
_LOCAL = re.compile(r"(?P<host>localhost|127\.0\.0\.1)(:[0-9]{1,5})?")


def recorded(case: Case) -> Iterator[Finding]:
    """Whether an event reaches the function, and what the function writes reaches the ledger."""
    host = str((case.site.get("properties") or {}).get("defaultHostName"))
    if not (_HOST.fullmatch(host) or _LOCAL.fullmatch(host)):
        yield failure(f"{host} is no host name of a function app", "see who answered for Azure")
        return
    key = _key(case)
    if not key:
        said = f"the app has no key {KEY}: no Event Grid function was loaded yet"
        yield failure(said, "deploy the code, and look into the log of its start")
        return
    yield _recorded(case, host, key)


def deployed(case: Case) -> Iterator[Finding]:
    """Which commit the app said to be when it took the last probe, beside that of this checkout."""
    row = case.ports.ledger.shared(ROW).value
    here = version.told()
    if not (commit := bounded(row.get("commit") or "", 100)):
        yield ok(f"the app did not tell its commit; here is {here}")
        return
    at = bounded(row.get("at"))[:19].replace("T", " ")
    yield ok(f"the app is of commit {commit}, as it said at {at} UTC; here is {here}")


def _key(case: Case) -> str:
    path = f"{case.app.id}/host/default/listkeys"
    keys = case.app.arm.post(path, WEB_VERSION, LIST_KEYS).get("systemKeys")
    return str(keys.get(KEY) or "") if isinstance(keys, dict) else ""


def _recorded(case: Case, host: str, key: str) -> Finding:
    event = _event(case)
    try:
        answer = _post(host, key, event)
    except requests.RequestException as error:  # whose text holds the key
        return unreachable(f"{host} did not answer the probe: {type(error).__name__}")
    if not answer.ok or answer.is_redirect:
        return _refused(host, answer)
    ends = time.monotonic() + case.patience
    while case.ports.ledger.shared(ROW).value.get("id") != event["id"]:
        if time.monotonic() > ends:
            how = "see that the app writes to this ledger, and look for event=probe in its log"
            return failure("the function took the probe, and the ledger does not show it", how)
        time.sleep(LOOK_EVERY)
    return ok("a probe reached the function, and the ledger shows it")


def _post(host: str, key: str, event: dict[str, Any]) -> requests.Response:
    local = _LOCAL.fullmatch(host)
    scheme = "http" if local and local["host"] in LOOPBACK else "https"
    return requests.post(
        f"{scheme}://{host}/runtime/webhooks/eventgrid",
        params={"functionName": FUNCTION, "code": key},
        json=[event],
        headers={"aeg-event-type": "Notification"},
        auth=lambda prepared: prepared,  # so that a .netrc file adds nothing
        timeout=TIMES,
        allow_redirects=False,
    )


def _refused(host: str, answer: requests.Response) -> Finding:
    said = f"{host} answered the probe with {answer.status_code}"
    hints = {
        401: "the key was not taken: restart the app",
        403: "the app takes no calls from here: ask from within its network, or --no-probe",
        404: f"the app has no function {FUNCTION}: deploy the code, and look into its log",
    }
    detail = bounded(answer.text, 200) if answer.status_code >= 500 else ""  # noqa: PLR2004
    do = hints.get(answer.status_code, "look into the app's log")
    return failure(f"{said} {detail}".rstrip(), do)


def _event(case: Case) -> dict[str, Any]:
    return {
        "id": f"probe-{uuid.uuid4()}",
        "topic": case.app.id,
        "subject": "doctor",
        "eventType": EVENT_TYPE,
        "eventTime": case.clock.now().isoformat(),
        "data": {},
        "dataVersion": "1",
        "metadataVersion": "1",
    }
