"""`notify:` in a route file: what it means, and each mistake that can be made in it."""

from __future__ import annotations

import pytest

from functions.configuration import settings
from functions.core.routes.channel import BY_ITSELF, Channel
from functions.core.routes.file.interpreting import decode
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.words import Happening

FILE = """
version: 1
defaults: {{organization: contoso, project: mlops}}
notify: {all}
routes:
  - name: a
    start: {{pipeline: 1}}
  - name: b
    notify: {own}
    start: {{pipeline: 2}}
"""


def test_a_route_says_who_is_told_instead_of_the_file() -> None:
    text = FILE.format(
        all="[{teams: ops}, {webhook: hook, signing: key}]",
        own="[{slack: team, about: [gate, failed]}]",
    )
    routes = decode(text)
    teams = Channel(kind="teams", secret="ops")
    hook = Channel(kind="webhook", secret="hook", signing="key")
    slack = Channel(
        kind="slack", secret="team", about=frozenset({Happening.GATE, Happening.FAILED})
    )
    assert routes.told_of("a") == routes.told_of("gone") == (teams, hook)
    assert routes.told_of("b") == (slack,)
    assert routes.channels == (teams, hook, slack)
    assert teams.about == BY_ITSELF
    assert decode(FILE.format(all="[{teams: ops}]", own="[]")).told_of("b") == ()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("[{}]", "notify[0]: names one of `teams`, `slack` and `webhook`, with its secret"),
        ("[{teams: a, slack: b}]", "notify[0]: names one of `teams`, `slack` and `webhook`"),
        ("[{slack: a, signing: b}]", "notify[0].signing: is for a `webhook`"),
        ("[{webhook: a, signing: a}]", "notify[0].signing: names the secret with the address"),
        ("[{slack: a}, {slack: a}]", "notify[1].slack: names a a second time in this list"),
        ("[{slack: ops}]", "notify[0].slack: names ops, which has another kind or key elsewhere"),
        ("[{slack: 'https://x'}]", "notify[0].slack: `https://x` does not fit: secret with"),
        ("[{slack: a, about: [deadline]}]", "notify[0].about[0]: `deadline` is not known; allowed"),
        ("[{slack: a, about: []}]", "notify[0].about: is an empty list: at least one is needed"),
        ("{slack: a}", "notify: must be a list, not a mapping"),
        ("[{mail: a}]", "notify[0].mail: is no known key"),
        (f"[{', '.join(f'{{slack: s{n}}}' for n in range(11))}]", "notify: names 11 channels"),
    ],
)
def test_a_mistake_is_told_with_its_place(own: str, said: str) -> None:
    with pytest.raises(RoutesUnreadable) as caught:
        decode(FILE.format(all="[{teams: ops}]", own=own))
    assert any(f"routes[1].{said}" in line for line in caught.value.problems), caught.value.problems


def test_hosts_are_names_or_all_below_a_domain() -> None:
    read = settings.read({"NOTIFY_HOSTS": "Hooks.Contoso.com, *.example.org 127.0.0.1"})
    assert read.notify_hosts == ("hooks.contoso.com", "*.example.org", "127.0.0.1")
    assert not [text for text in read.complaints if "NOTIFY" in text]
