"""The operations page as an operator sees it, in Chromium."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.sqlite import SqliteLedger
from functions.core.kept.summary import Listed, Summary
from functions.core.operators.lists.groups import groups
from functions.core.operators.lists.wanted import Wanted
from functions.core.operators.overview import Seen
from functions.core.operators.stops.stop import Kind, Stop
from functions.core.terms.words import State
from functions.web.layout import headers
from functions.web.listing import listing
from tests.page import scene
from tests.page.conftest import KEY, SCREENSHOTS, serving

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.page.conftest import Site, Tab, Tabs

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
REFRESHED = 31  # seconds, after which the page has asked again


def rows(page: Page) -> Locator:
    return page.locator("table.rows tbody tr")


def states(page: Page) -> set[str]:
    return set(rows(page).locator(".badge").all_inner_texts())


def follow(page: Page, link: Locator) -> None:
    """Click a link and wait for the page that it leads to, whole."""
    with page.expect_event("load"):
        link.click()


def wait_for(page: Page, told: str) -> None:
    page.get_by_text(told).first.wait_for()


# list


def test_what_wants_a_person_comes_first_then_what_is_open_the_oldest_first(tab: Tab) -> None:
    tab.open()
    headings = [text.split(",")[0] for text in tab.page.locator("h2").all_inner_texts()]
    order = [headings.index(name) for name in ("Wants you", "Open", "Ended")]
    assert order == sorted(order)
    group = tab.page.locator("#open")
    assert set(group.locator(".badge").all_inner_texts()) == {"open"}
    runs = group.locator("td:nth-child(2)").all_inner_texts()
    assert runs == [*(f"train-open-{n}" for n in (3, 2, 1, 0)), "train-at-work"]
    refused = group.locator("tr", has_text="train-open-0").inner_text()
    assert "Azure DevOps refused the secret" in refused
    assert "contoso: 401 Access Denied" in refused
    assert re.search(r"\b1 h\b.*\bin 5 min", refused, re.DOTALL)


def test_each_cause_has_its_count_its_words_and_one_command(tab: Tab) -> None:
    tab.open()
    group = tab.page.locator(".wants li", has_text="deploy-canary").filter(has_text="rejected")
    assert "400: parameter model_nam is not declared" in group.inner_text()
    (typed,) = group.locator("code.command").all_inner_texts()
    words = shlex.split(typed)
    assert words[:3] == ["bin/relay", "replay", "--failed"]
    assert words[3:7] == ["--route", "deploy-canary", "--reason", "rejected"]
    count = int(group.get_by_role("link").inner_text().split()[0])
    follow(tab.page, group.get_by_role("link"))
    assert rows(tab.page).count() == count > 1
    assert states(tab.page) == {"failed"}


def test_a_command_is_copied_by_its_button(own_tab: Tab) -> None:
    own_tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    own_tab.open(key="register-model/train-003/Completed")
    own_tab.page.get_by_role("button", name="Copy the command").click()
    wait_for(own_tab.page, "Copied")
    copied = own_tab.page.evaluate("navigator.clipboard.readText()")
    assert copied == own_tab.page.locator("code.command").inner_text()


def test_a_started_one_shows_run_route_pipeline_run_latency_and_when(tab: Tab) -> None:
    tab.open(q="train-000")
    cells = [text.strip() for text in rows(tab.page).first.locator("td").all_inner_texts()]
    assert cells[:4] == ["started", "train-000", "register-model", "defect-detection"]
    assert cells[5:7] == ["#4000", "6 s"]
    assert re.fullmatch(r"1[67] min ago", cells[7])
    at = rows(tab.page).first.locator("time").get_attribute("title") or ""
    assert at.endswith(" UTC")
    link = rows(tab.page).first.get_by_role("link", name="#4000")
    assert link.get_attribute("rel") == "noreferrer"
    assert link.get_attribute("href") == (
        "https://dev.azure.com/contoso/mlops/_build/results?buildId=4000"
    )


def counts(page: Page) -> list[str]:
    return page.locator(".counts strong").all_inner_texts()


def test_a_filter_changes_no_number_and_says_so(tab: Tab) -> None:
    tab.open()
    every = counts(tab.page)
    assert "0" not in every[:5]
    tab.open(state="failed", route="deploy-*", since="24h")
    assert counts(tab.page) == every
    assert "The numbers above are of everything." in tab.page.locator(".scope").inner_text()
    tab.open(q="no such run")
    assert counts(tab.page) == every


def test_each_number_leads_to_its_rows(tab: Tab) -> None:
    for state in ("open", "held", "failed", "skipped"):
        tab.open()
        link = tab.page.locator(".counts a", has_text=state.capitalize())
        number = int(link.locator("strong").inner_text())
        follow(tab.page, link)
        assert states(tab.page) == {state}
        assert rows(tab.page).count() == number


def test_the_page_says_what_it_is_made_of(tab: Tab) -> None:
    tab.open()
    told = "all that is open, and of what has ended the 1,000 that were claimed last"
    assert tab.page.get_by_text(told).count() == 1


def test_the_days_until_a_credential_expires_are_shown(tab: Tab) -> None:
    tab.open()
    assert "azure-devops-pat: 12 days left" in tab.page.locator(".credentials").inner_text()
    assert "other-pat: no expiry date is set" in tab.page.locator(".credentials").inner_text()


def test_the_rest_of_a_long_list_is_on_the_next_page(tab: Tab) -> None:
    tab.open()
    first = rows(tab.page).locator("td:nth-child(2)").all_inner_texts()
    follow(tab.page, tab.page.get_by_role("link", name="Next"))
    second = rows(tab.page).locator("td:nth-child(2)").all_inner_texts()
    assert len(first) == 50
    assert set(first) & set(second) == set()
    assert tab.page.get_by_text(re.compile(r"^51 to (\d+) of \1$")).count() == 1


def test_the_oldest_may_be_read_first(tab: Tab) -> None:
    tab.open(state="failed")
    newest = rows(tab.page).locator("td:nth-child(2)").all_inner_texts()
    follow(tab.page, tab.page.get_by_role("link", name="the oldest first"))
    assert rows(tab.page).locator("td:nth-child(2)").all_inner_texts() == newest[::-1]


def test_the_charts_have_their_numbers_as_tables_and_lead_to_the_rows(tab: Tab) -> None:
    tab.open()
    tab.page.get_by_text("As a table").first.click()
    cells = tab.page.locator("#table-ends td:nth-child(2)").all_inner_texts()
    started = tab.page.locator(".legend a", has_text="started").inner_text().split()[-1]
    assert sum(map(int, cells)) == int(started) > 0
    labels = tab.page.locator("figure").first.locator(".scale span").all_inner_texts()
    assert labels == [str(2 * int(labels[1])), labels[1], "0"]
    bar = tab.page.locator("figure").first.locator("svg a").first
    told = bar.locator("title").text_content() or ""
    number = sum(int(n) for n in re.findall(r"(\d+) (?:started|held|failed)", told))
    follow(tab.page, bar)
    tab.page.wait_for_url(re.compile("during="))
    assert rows(tab.page).count() >= number > 0


# in doubt


def test_the_number_of_those_in_doubt_leads_to_them_whatever_their_state(
    tabs: Tabs, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    ledger, now = SqliteLedger(path), datetime.now(UTC)
    scene.fill(ledger, now, ends=20)
    for n, held in ((0, False), (3, True)):
        scene.put(ledger, scene.in_doubt(n, now, held=held))
    with serving(path) as site, tabs.lent(site) as tab:
        tab.open()
        follow(tab.page, tab.page.locator(".counts a", has_text="In doubt"))
        assert states(tab.page) == {"in doubt", "held, in doubt"}
        assert rows(tab.page).count() == 2
        tab.page.get_by_text("More filters").first.wait_for()
        assert tab.page.get_by_label("in doubt").is_checked()
        follow(tab.page, tab.page.get_by_role("link", name="train-doubt-0"))
        told = tab.page.locator("main").inner_text()
        assert "it is not known whether pipeline contoso/mlops/42 was started" in told
        assert tab.page.locator(".title .badge").inner_text() == "in doubt"


# filter


def test_a_filter_goes_into_the_address_and_only_what_fits_is_listed(tab: Tab) -> None:
    tab.open()
    tab.page.get_by_text("More filters").click()
    tab.page.get_by_label("held").check()
    tab.page.get_by_label("failed").check()
    tab.page.get_by_label("Experiment").fill("demand-*")
    tab.page.get_by_role("button", name="Filter").click()
    tab.page.wait_for_url(re.compile(r"state=held&state=failed.*experiment=demand-"))
    assert states(tab.page) == {"held", "failed"}
    assert "q=" not in tab.page.url
    where = rows(tab.page).locator("td:nth-child(4)").all_inner_texts()
    assert all("demand-forecast" in text for text in where)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "TRAIN-003"}, {"train-003"}),
        ({"q": "#4002"}, {"train-002"}),
        ({"q": "Access Denied"}, {"train-open-0"}),
        ({"route": "deploy-?anary", "state": "open"}, {"train-open-2"}),
        ({"since": "30m"}, {"train-000", "train-at-work", *(f"train-open-{n}" for n in range(4))}),
    ],
)
def test_filters_in_the_address_find(tab: Tab, query: dict[str, str], expected: set[str]) -> None:
    tab.open(**query)
    assert set(rows(tab.page).locator("td:nth-child(2) a").all_inner_texts()) == expected


def test_what_fits_nothing_says_so_and_leads_back(tab: Tab) -> None:
    tab.open(q="no such run")
    assert tab.page.get_by_text("Nothing fits these filters.").count() == 1
    follow(tab.page, tab.page.get_by_role("link", name="Show all"))
    assert rows(tab.page).count() == 50


def test_an_empty_ledger_says_what_to_do(tabs: Tabs, empty_site: Site) -> None:
    with tabs.lent(empty_site) as tab:
        tab.open()
        assert tab.page.get_by_role("heading", name="No continuation yet").count() == 1
        assert tab.page.get_by_text("bin/relay why RUN_ID").count() == 1


# one


def test_a_click_shows_why_it_is_held_and_how_to_replay_it(tab: Tab) -> None:
    tab.open(q="train-003")
    follow(tab.page, tab.page.get_by_role("link", name="train-003"))
    told = tab.page.locator("main").inner_text()
    assert "held back until an operator replays it" in told
    assert "run.metrics.accuracy >= 0.9; accuracy = 0.71" in told
    command = tab.page.locator("code.command").inner_text()
    assert shlex.split(command) == [
        *("bin/relay", "replay", "--ignore-gate"),
        "register-model/train-003/Completed@ml-prod",
    ]
    follow(tab.page, tab.page.get_by_role("link", name="all of the same run"))
    assert rows(tab.page).locator("td:nth-child(2)").all_inner_texts() == ["train-003"]


def test_a_started_one_shows_its_facts_request_and_timeline(tab: Tab) -> None:
    tab.open(key="register-model/train-000/Completed")
    steps = tab.page.locator(".timeline strong").all_inner_texts()
    told = tab.page.locator("main").inner_text()
    assert steps == ["claimed", "asked", "started"]
    assert re.search(r"Gate\s+run.metrics.accuracy >= 0.9\s", told)
    assert re.search(r"It saw\s+run.metrics.accuracy = 0.93\s", told)
    assert "refs/heads/main" in told
    assert re.search(r"model_version\s+7\b", told)
    assert "hidden-value" not in tab.page.content()
    studio = tab.page.get_by_role("link", name="open in Azure Machine Learning studio")
    assert (studio.get_attribute("href") or "").startswith("https://ml.azure.com/runs/train-000?")
    assert tab.page.get_by_role("link", name="#4000 in Azure DevOps").count() == 1


def test_what_users_wrote_is_shown_and_does_nothing(tab: Tab) -> None:
    tab.open(q="run<b>")
    assert tab.page.locator("main script, main img, main b").count() == 0
    follow(tab.page, tab.page.get_by_role("link", name="run<b>&\"'\\u202edlrow"))
    main = tab.page.locator("main")
    assert main.locator("script, img, b").count() == 0
    assert scene.SCRIPT in main.inner_text()
    assert r"\u202etxt.exe" in main.inner_text()
    assert "שלום" in main.inner_text()
    assert tab.page.title() != "owned"


def test_ten_kilobytes_of_text_are_shown_when_asked_for(tab: Tab) -> None:
    tab.open(q="run<b>")
    follow(tab.page, tab.page.locator("table.rows tbody a").first)
    long = tab.page.locator("details", has_text="10,240 characters")
    assert long.locator("p").is_hidden()
    long.locator("summary").click()
    assert long.locator("p").inner_text() == scene.LONG
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_not_there_says_so(tab: Tab) -> None:
    tab.page.on("response", lambda response: codes.append(response.status))
    codes: list[int] = []
    tab.open(key="register-model/other/Completed")
    assert codes == [404]
    assert tab.page.get_by_role("heading", name="There is no such continuation").count() == 1
    assert tab.page.locator("code.command").inner_text() == "bin/relay why other"
    tab.wrong.clear()  # the browser itself tells of the 404


def test_a_ledger_that_cannot_be_read_says_what_to_do(tabs: Tabs, broken_site: Site) -> None:
    with tabs.lent(broken_site) as tab:
        tab.open()
        told = tab.page.locator("main").inner_text()
        assert "The ledger cannot be read" in told
        assert "Reload in a minute" in told
        assert "Traceback" not in tab.page.content()
        tab.wrong.clear()  # the browser itself tells of the 503


# the key


def test_the_key_in_the_address_goes_along_but_is_never_in_the_page(tab: Tab) -> None:
    tab.open(q="train-003")
    assert KEY not in tab.site.get(q="train-003").text
    follow(tab.page, tab.page.get_by_role("link", name="train-003"))
    wait_for(tab.page, "Timeline")
    follow(tab.page, tab.page.get_by_role("link", name="All continuations"))
    tab.page.get_by_label("Search").fill("train-004")
    tab.page.get_by_role("button", name="Filter").click()
    tab.page.wait_for_url(re.compile(f"q=train-004.*code={KEY}"))
    assert rows(tab.page).count() == 1


# refreshing


def test_the_page_renews_itself_and_leaves_a_field_that_is_being_filled_in(own_tab: Tab) -> None:
    own_tab.page.clock.install()
    own_tab.open()
    own_tab.page.get_by_label("Search").type("half a wo")
    event = scene.news("train-just-now", datetime.now(UTC) + timedelta(minutes=1))
    scene.put(own_tab.site.ledger, scene.started(scene.claimed(event, "register-model"), 5000))
    own_tab.page.clock.run_for(REFRESHED * 1000)
    own_tab.page.get_by_role("link", name="train-just-now").wait_for()
    assert own_tab.page.get_by_label("Search").input_value() == "half a wo"
    assert own_tab.page.evaluate("document.activeElement.id") == "q"


def test_a_part_that_holds_the_focus_stays_as_it_is(own_tab: Tab) -> None:
    own_tab.page.clock.install()
    own_tab.open()
    own_tab.page.get_by_role("link", name="train-open-0").focus()
    with own_tab.page.expect_response(re.compile("operations")):
        own_tab.page.clock.run_for(REFRESHED * 1000)
    own_tab.page.evaluate("new Promise(requestAnimationFrame)")
    assert own_tab.page.evaluate("document.activeElement.textContent") == "train-open-0"


def test_an_opened_table_stays_open_when_the_page_renews_itself(own_tab: Tab) -> None:
    own_tab.page.clock.install()
    own_tab.open()
    own_tab.page.get_by_text("As a table").first.click()
    own_tab.page.get_by_label("Search").focus()
    before = own_tab.page.locator("#charts").element_handle()
    own_tab.page.clock.run_for(REFRESHED * 1000)
    own_tab.page.wait_for_function("before => !before.isConnected", arg=before)
    assert own_tab.page.locator("#table-ends table").is_visible()


def test_refreshing_can_be_paused(own_tab: Tab) -> None:
    own_tab.page.clock.install()
    own_tab.open()
    own_tab.page.get_by_role("button", name="Pause refreshing").click()
    asked: list[Any] = []
    own_tab.page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - not of C
    own_tab.page.clock.run_for(10 * REFRESHED * 1000)
    assert asked == []
    own_tab.page.get_by_role("button", name="Refresh again").click()
    with own_tab.page.expect_response(re.compile("operations")):
        own_tab.page.clock.run_for(REFRESHED * 1000)


def test_a_refresh_that_fails_says_so_and_keeps_what_is_there(own_tab: Tab) -> None:
    own_tab.page.clock.install()
    own_tab.open()
    own_tab.page.route("**/api/operations**", lambda route: route.fulfill(status=503, body=""))
    own_tab.page.clock.run_for(REFRESHED * 1000)
    wait_for(own_tab.page, "could not be refreshed, tried again soon")
    assert rows(own_tab.page).count() == 50
    own_tab.wrong.clear()  # the browser itself tells of the 503


def test_a_slow_ledger_is_told_of_while_one_waits(own_tab: Tab) -> None:
    own_tab.page.clock.install()
    own_tab.open()
    held: list[Any] = []
    own_tab.page.route("**/api/operations**", lambda route: held.append(route))  # noqa: PLW0108 - not of C
    own_tab.page.clock.run_for(REFRESHED * 1000)
    own_tab.page.clock.run_for(1100)
    wait_for(own_tab.page, "asking the ledger…")
    held[0].continue_()
    own_tab.page.wait_for_function("() => document.getElementById('status').textContent === ''")


# everybody


def test_the_first_key_stroke_leads_past_the_head(tab: Tab) -> None:
    tab.open()
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "content"


QUERIES = {
    "list": {},
    "filtered": {"state": "held"},
    "nothing": {"q": "no such run"},
    "started": {"key": "register-model/train-000/Completed"},
    "hostile": {"q": "run<b>"},
    "hostile-one": {"key": f"register-model/{scene.HOSTILE_RUN}/Completed@ml-prod"},
    "unknown": {"key": "register-model/other/Completed"},
}
WINDOWS = {390: 844, 820: 1180, 1366: 768, 1920: 1080}
SCHEMES = ("light", "dark")
COUNTS = (1, 3, 30, 300, 3000)
LEAST_ROWS = 15  # in a laptop's window
MOST_HIGH = 170  # pixels of a cause with two commands, of two lines each
APP = "/subscriptions/5f1c0000/resourceGroups/rg-relay/providers/Microsoft.Web/sites/relay-app"
STOPS = (  # a banner of each colour
    Stop(
        Kind.ROUTES,
        "The route file cannot be read, so no event is looked at.",
        "mend it (bin/relay check says all that is wrong), then: sh infra/hooks/deploy.sh code",
        waits=3,
        more=(
            "3 events wait in the inbox since 2026-03-14 11:51 UTC.",
            "routes.yaml:3: organisation",
        ),
    ),
    Stop(Kind.EXPIRING, "The secret pat expires at 2026-03-16 12:00 UTC: 2 days left.", "renew it"),
)


def judged(tab: Tab, axe: str) -> list[str]:
    """What axe has to say against the page."""
    if not tab.page.evaluate("'axe' in window"):
        tab.page.evaluate(axe)
    run = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
    found: Any = tab.page.evaluate(run)
    return [f"{v['id']}: {[n['html'][:200] for n in v['nodes'][:3]]}" for v in found]


def overflows(tab: Tab) -> list[str]:
    """What is wider than the window, and each figure that is higher than it."""
    found: list[str] = tab.page.evaluate("""() => [
        ...(document.documentElement.scrollWidth > innerWidth ? ['the page'] : []),
        ...[...document.querySelectorAll('figure, figure svg')]
            .filter(one => one.getBoundingClientRect().height > innerHeight)
            .map(one => one.outerHTML.slice(0, 99)),
        ...[...document.querySelectorAll('main *')]
            .filter(one => one.checkVisibility() && !one.closest('thead, svg')
                && one.getBoundingClientRect().right > innerWidth + 1
                && getComputedStyle(one.parentElement).overflow !== 'hidden'
                && !one.closest('.rows td > div, .why, .head, .command'))
            .map(one => one.outerHTML.slice(0, 99)),
    ]""")
    return found


def picture(tab: Tab, name: str, width: int, scheme: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}-{width}-{scheme}.jpeg"
    tab.page.screenshot(path=path, full_page=True, quality=80, timeout=0)


def seen_in(tab: Tab, name: str, *widths: int) -> None:
    """One load in windows so wide and in both schemes: nothing overflows.

    A picture of each is kept, but of the dark ones only the widest: they differ in their colors.
    """
    for scheme in SCHEMES:
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in widths:
            tab.page.set_viewport_size({"width": width, "height": WINDOWS[width]})
            assert overflows(tab) == [], (name, width, scheme)
            if scheme == SCHEMES[0] or width == widths[-1]:
                picture(tab, name, width, scheme)


def of_many(count: int) -> Seen:
    """What the page shows of so many continuations, without a ledger to fill first."""
    now = datetime.now(UTC)
    doubtful = [scene.in_doubt(0, now), *(scene.in_doubt(n, now, held=True) for n in (3, 6, 4))]
    every = (*scene.many(count, now), *doubtful)
    among = Listed(map(Summary.of, every), whole=True)
    wanted, wants = Wanted(), groups(among, now, APP)
    listed = wanted.sorted([*among])
    return Seen(now, wanted, listed, among, {}, paused=False, wants=wants, stops=STOPS)


@pytest.mark.parametrize("count", COUNTS)
def test_however_many_there_are_no_figure_is_higher_than_the_window(
    tabs: Tabs, site: Site, axe: str, count: int
) -> None:
    with tabs.lent(site) as tab:
        body, kind = listing(of_many(count), 0), "text/html; charset=utf-8"
        given = {**headers(), "Content-Type": kind}
        tab.page.route("**/api/operations**", lambda route: route.fulfill(body=body, headers=given))
        tab.open()
        tab.page.unroute_all()
        seen_in(tab, f"with-{count}", *WINDOWS)
        number = tab.page.locator(".counts a", has_text="In doubt")
        assert number.locator("strong").inner_text() == "4"
        groups_in_doubt = tab.page.locator(".wants li", has=tab.page.locator(".badge.doubt"))
        one, two = sorted(groups_in_doubt.all_inner_texts(), key=lambda told: "2 cont" in told)
        assert "held, in doubt" in one
        assert "--as-started BUILD_ID" in one
        assert "or, if you find none:" in one
        assert "2 continuations" in two
        tab.page.set_viewport_size({"width": 1366, "height": WINDOWS[1366]})
        high = tab.page.locator(".wants li").evaluate_all("all => all.map(one => one.offsetHeight)")
        assert max(high) <= MOST_HIGH
        for width, scheme in ((390, "light"), (1366, "dark")):
            tab.page.set_viewport_size({"width": width, "height": WINDOWS[width]})
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert judged(tab, axe) == []


def test_a_laptop_shows_many_rows_and_a_phone_cards_of_three_lines(tabs: Tabs, site: Site) -> None:
    with tabs.lent(site) as tab:
        tab.page.set_viewport_size({"width": 1366, "height": WINDOWS[1366]})
        tab.open()
        high = max(rows(tab.page).evaluate_all("all => all.map(row => row.offsetHeight)"))
        assert WINDOWS[1366] / high >= LEAST_ROWS
        tab.page.set_viewport_size({"width": 390, "height": WINDOWS[390]})
        line = 1.55 * 15 + 2  # pixels, at most
        inside = "row.offsetHeight - 2 * parseFloat(getComputedStyle(row).paddingTop)"
        cards = rows(tab.page).evaluate_all(f"all => all.map(row => {inside})")
        assert max(cards) <= 3 * line + 4
        assert not tab.page.get_by_label("Route").is_visible()


@pytest.mark.parametrize("name", QUERIES)
def test_everybody_can_read_and_use(tabs: Tabs, site: Site, axe: str, name: str) -> None:
    with tabs.lent(site) as tab:
        tab.open(**QUERIES[name])
        seen_in(tab, name, 390, 1366)
        for closed in tab.page.locator("details > summary").all():
            closed.click()
        for scheme in SCHEMES:
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for screen in (PHONE, DESKTOP):
                tab.page.set_viewport_size(screen)  # type: ignore[arg-type]
                assert judged(tab, axe) == []
                assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tab.wrong = [w for w in tab.wrong if "404" not in w]


@pytest.mark.parametrize("which", ["empty_site", "broken_site"])
def test_everybody_can_read_that_there_is_nothing(
    tabs: Tabs, request: pytest.FixtureRequest, axe: str, which: str
) -> None:
    with tabs.lent(request.getfixturevalue(which), viewport=PHONE) as tab:
        tab.open()
        seen_in(tab, which, *WINDOWS)
        assert judged(tab, axe) == []
        tab.wrong = [w for w in tab.wrong if "503" not in w]


def test_every_state_has_its_own_shape_and_word(tab: Tab) -> None:
    tab.open()
    seen = states(tab.page)
    tab.open(offset="50")
    seen |= states(tab.page)
    assert seen == {*State}
