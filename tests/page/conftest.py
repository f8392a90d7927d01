from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from functions.adapters.sqlite import SqliteLedger
from tests.page import scene
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / ".cache" / "screenshots"
KEY = "the-key-of-the-operations-page"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
ALONE = {  # nothing that this app could reach, since it reads its ledger only
    "LOCAL_FUNCTION_KEY": KEY,
    "KEY_VAULT_URL": "https://vault.invalid",
    "IDENTITY_ENDPOINT": "http://127.0.0.1:9/",
    "IDENTITY_HEADER": "x",
}


@dataclass(frozen=True)
class Site:
    """The app in the local host, and the ledger that it reads."""

    url: str
    ledger: SqliteLedger

    def address(self, code: str | None = KEY, **query: str) -> str:
        """The page's address for this query."""
        known = {"code": code} if code else {}
        return f"{self.url}/api/operations?{urlencode({**query, **known})}"

    def get(
        self, code: str | None = KEY, headers: dict[str, str] | None = None, **query: str
    ) -> requests.Response:
        return requests.get(self.address(code, **query), headers=headers, timeout=60)

    def json(self, **query: str) -> Any:
        return self.get(headers={"Accept": "application/json"}, **query).json()


@dataclass
class Tab:
    """A page of the browser, and all that should not have happened in it."""

    page: Page
    site: Site
    wrong: list[str] = field(default_factory=list)

    def open(self, **query: str) -> None:
        """Go to the page for this query."""
        self.page.goto(self.site.address(**query))

    def watch(self) -> None:
        """Note complaints of the console, errors, and requests to another host."""
        self.page.on("console", lambda m: self.wrong.append(f"console: {m.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self._left(request.url))

    def _left(self, url: str) -> None:
        if urlsplit(url).scheme != "data" and not url.startswith(self.site.url):
            self.wrong.append(f"request: {url}")


@contextmanager
def serving(path: Path, **settings: str) -> Iterator[Site]:
    """The app over this ledger."""
    host = Hosted({**ALONE, "LEDGER_URL": f"sqlite:///{path}", **settings})
    try:
        yield Site(host.url, SqliteLedger(path))
    finally:
        host.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("page") / "ledger.db"
    scene.fill(SqliteLedger(path))
    with serving(path) as running:
        yield running


@pytest.fixture(scope="module")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Nothing has happened yet, since nothing can: its route file is not there."""
    path = tmp_path_factory.mktemp("page") / "ledger.db"
    odd = {"ROUTES_FILE": "gone.yaml", "RETRY_FIRST_SECONDS": "soon"}
    with serving(path, **odd) as running:
        yield running


@pytest.fixture(scope="module")
def broken_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Its ledger is a folder, which no database can be."""
    with serving(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module")  # it keeps this thread's event loop as long as it is there
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium: apt-get install --no-install-recommends chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only for a browser

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield running
        running.close()


class Tabs:
    """Tabs that one test after the other opens an address in: each costs a process of its own."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, Tab] = {}

    @contextmanager
    def lent(self, site: Site, **options: Any) -> Iterator[Tab]:
        """A tab for this site in which nothing may go wrong; for who leaves nothing in it."""
        name = repr(sorted(options.items()))
        found = self._free.pop(name, None)
        if found is None:
            found = Tab(self._browser.new_context(**options).new_page(), site)
            found.watch()
        found.site = site
        yield found
        assert found.wrong == []
        assert found.page.evaluate("localStorage.length + sessionStorage.length") == 0
        assert found.page.context.cookies() == []
        found.page.goto("about:blank")  # what the browser tells late has been told then
        found.wrong.clear()
        self._free[name] = found


@pytest.fixture(scope="module")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


@pytest.fixture
def tab(tabs: Tabs, site: Site) -> Iterator[Tab]:
    with tabs.lent(site) as found:
        yield found


@pytest.fixture
def own_tab(browser: Browser, site: Site) -> Iterator[Tab]:
    """For who changes the browser's clock or what it is answered."""
    context = browser.new_context()
    found = Tab(context.new_page(), site)
    found.watch()
    yield found
    context.close()
    assert found.wrong == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which judges accessibility."""
    given = os.environ.get("RUN_RELAY_AZURITE")
    modules = Path(given) if given else ROOT / ".cache" / "node_modules"
    source = modules / "axe-core" / "axe.min.js"
    if not source.is_file():
        pytest.skip("no axe-core: install Node.js with npm, then: make parts")
    return source.read_text("utf-8")
