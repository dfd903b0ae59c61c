"""Fixtures: a browser, the servers and their notebooks once per session."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

from tests.e2e.browser import RESULTS, Browser, Page
from tests.e2e.layer_browser import FASHION
from tests.e2e.notebooks import Notebooks
from tests.e2e.server import Host, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from tests.e2e.notebook_page import NotebookPage

AnyPage = TypeVar("AnyPage", bound=Page)
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


@pytest.fixture(scope="session")
def notebooks(browser: Browser) -> Iterator[Notebooks]:
    """Start each host when it is first wanted; its pages share one warm HTTP cache."""
    with ExitStack() as stack:

        @cache
        def start(host: Host, packages: Path | None) -> tuple[Server, BrowserContext]:
            server = stack.enter_context(Server(host, packages))
            return server, browser.context(permissions=["clipboard-read", "clipboard-write"])

        yield Notebooks(start)


class OpenNotebook(Protocol):
    def __call__(
        self, *cells: str, host: Host = "lab", packages: Path | None = None, fresh: bool = False
    ) -> NotebookPage: ...


@pytest.fixture
def open_notebook(notebooks: Notebooks, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Open code cells as a notebook, with its kernel idle; the test fails on any problem there.

    A test that changes the package for its whole kernel, or what the kernel does when it begins,
    asks for a `fresh` one, and no other test gets that.
    """
    pages: list[NotebookPage] = []

    def open_(
        *cells: str, host: Host = "lab", packages: Path | None = None, fresh: bool = False
    ) -> NotebookPage:
        page = notebooks.open(*cells, host=host, packages=packages, fresh=fresh)
        pages.append(page)
        return page

    yield open_
    judge(pages, request.node, notebooks.keep)


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


def judge(
    pages: Sequence[AnyPage], test: Any, leave: Callable[[AnyPage], None] = Page.close
) -> None:
    """Leave the pages; fail if anything went wrong on them, keep a picture of a failed test."""
    problems = [problem for page in pages for problem in page.problems()]
    failed = problems or test.stash.get(FAILED, default=True)
    for number, page in enumerate(pages):
        if failed:
            page.screenshot(re.sub(r"\W+", "-", f"failed-{test.name}-{number}"))
            page.close()
        else:
            leave(page)
    assert problems == [], f"see {RESULTS}"
