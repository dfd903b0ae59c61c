"""Open notebooks that one test after another uses: JupyterLab and torch take seconds to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.notebook_page import NotebookPage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from tests.e2e.server import Host, Server

LEFTOVERS = "__import__('tests.e2e.leftovers', fromlist=['_'])"


class Notebooks:
    """The notebooks of a session, at most one of each host waiting for the next test.

    Parameters
    ----------
    start
        Starts a host when it is first wanted; returns it with the profile for its pages.
    """

    def __init__(self, start: Callable[[Host, Path | None], tuple[Server, BrowserContext]]) -> None:
        self._start = start
        self._waiting: dict[Server, NotebookPage] = {}

    def open(
        self, *cells: str, host: Host = "lab", packages: Path | None = None, fresh: bool = False
    ) -> NotebookPage:
        """Show code cells, with an idle kernel that knows no names."""
        server, context = self._start(host, packages)
        page = None if fresh else self._waiting.pop(server, None)
        if page:
            page.show(*cells)
        else:
            page = NotebookPage(context, server, server.write(*cells))
        if not fresh:
            page.kernel_eval(f"{LEFTOVERS}.remember()")
        return page

    def keep(self, page: NotebookPage) -> None:
        """Take a notebook back for the next test, cleared; else close it.

        Raises
        ------
        AssertionError
            If the last test left something changed that the next would meet.
        """
        changed = page.kernel_eval(f"{LEFTOVERS}.clear()") if page.idle() else None
        if changed == [] and page.server not in self._waiting:
            page.forget()
            self._waiting[page.server] = page
        else:
            page.close()
        assert not changed, f"{changed} stays changed; open the notebook with fresh=True"
