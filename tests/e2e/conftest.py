"""Fixtures: a browser and the servers once per session, a fresh page and kernel for each test."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.e2e.browser import RESULTS, Browser, Page
from tests.e2e.layer_browser import FASHION
from tests.e2e.notebook_page import NotebookPage
from tests.e2e.server import Host, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext

FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running


class AtHost(Protocol):
    def __call__(
        self, host: Host, packages: Path | None = None
    ) -> tuple[Server, BrowserContext]: ...


@pytest.fixture(scope="session")
def at_host(browser: Browser) -> Iterator[AtHost]:
    """Start each host when it is first wanted; its pages share one warm HTTP cache."""
    with ExitStack() as stack:

        @cache
        def start(host: Host, packages: Path | None = None) -> tuple[Server, BrowserContext]:
            server = stack.enter_context(Server(host, packages))
            return server, browser.context(permissions=["clipboard-read", "clipboard-write"])

        yield start


class OpenNotebook(Protocol):
    def __call__(
        self, *cells: str, host: Host = "lab", packages: Path | None = None
    ) -> NotebookPage: ...


@pytest.fixture
def open_notebook(at_host: AtHost, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Open code cells as a notebook, with its kernel idle; the test fails on any problem there."""
    pages: list[Page] = []

    def open_(*cells: str, host: Host = "lab", packages: Path | None = None) -> NotebookPage:
        server, context = at_host(host, packages)
        page = NotebookPage(context, server, server.write(*cells))
        pages.append(page)
        return page

    yield open_
    judge(pages, request.node)


@pytest.fixture
def page(open_notebook: OpenNotebook) -> NotebookPage:
    """Open a notebook that shows the layer browser of the sample network."""
    page = open_notebook(FASHION)
    page.run_all()
    return page


@pytest.fixture
def open_file(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Page]]:
    """Open a file as a person would, from disk, with nothing to talk to."""
    pages: list[Page] = []
    context = browser.context(offline=True)

    def open_(path: Path) -> Page:
        page = Page(context)
        pages.append(page)
        page.goto(path.as_uri())
        return page

    yield open_
    judge(pages, request.node)
    context.close()


def judge(pages: list[Page], test: Any) -> None:
    """Close the pages; fail if anything went wrong on them, keep a picture of a failed test."""
    problems = [problem for page in pages for problem in page.problems()]
    for number, page in enumerate(pages):
        if problems or test.stash.get(FAILED, default=True):
            page.screenshot(re.sub(r"\W+", "-", f"failed-{test.name}-{number}"))
        page.close()
    assert problems == [], f"see {RESULTS}"
