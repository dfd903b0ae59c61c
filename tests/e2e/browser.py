"""A headless Chromium, and pages that remember everything that went wrong in them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, sync_playwright

if TYPE_CHECKING:
    from types import TracebackType

    from playwright.sync_api import ConsoleMessage, Locator, ViewportSize
    from typing_extensions import Self

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
DRIVER = Path(__file__).with_name("driver.js")
SIZE: ViewportSize = {"width": 1280, "height": 1400}
LIMIT = 20.0  # seconds that anything may take unless it says otherwise
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A headless window is never in front: keep its timers and animation frames at full speed.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]
LOOPBACK = {"127.0.0.1", "localhost", "::1", None}  # None: file, blob and data addresses


def chromium_path() -> str:
    """Return the browser to use: ``$CHROMIUM``, or the one on the PATH."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise FileNotFoundError("no Chromium: install it, or set CHROMIUM to its path")
    return found


class Browser:
    """One headless Chromium for a whole session."""

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        try:
            self._chromium = self._playwright.chromium.launch(
                executable_path=chromium_path(), args=FLAGS
            )
        except BaseException:
            self._playwright.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._chromium.close()
        self._playwright.stop()

    def context(self, **options: Any) -> BrowserContext:
        """Return a profile of its own: cache, storage, permissions."""
        context = self._chromium.new_context(viewport=SIZE, **options)
        context.set_default_timeout(1000 * LIMIT)
        context.add_init_script(path=DRIVER)
        return context


class Page:
    """A page that records console errors, uncaught errors and requests to the outside.

    Parameters
    ----------
    context
        The profile in which it opens.
    """

    #: Patterns of messages that the host itself is to blame for.
    known: tuple[str, ...] = ()

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self._errors: list[str] = []
        self._forgiven = list(self.known)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._errors.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self._on_request(request.url))
        self.page.on("websocket", lambda socket: self._on_request(socket.url))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, url: str) -> None:
        if urlsplit(url).hostname not in LOOPBACK:
            self._errors.append(f"external request: {url}")

    def goto(self, url: str) -> None:
        """Load an address."""
        self.page.goto(url, wait_until="domcontentloaded", timeout=60_000)

    def forgive(self, pattern: str) -> None:
        """Leave problems that match the regular expression out of `problems`."""
        self._forgiven.append(pattern)

    def problems(self) -> list[str]:
        """Return what went wrong on this page so far."""
        return [e for e in self.found() if not any(re.search(p, e) for p in self._forgiven)]

    def forget(self) -> None:
        """Begin anew for another test: no problems, no pointer, no emulated settings."""
        self._errors.clear()
        self._forgiven = list(self.known)
        self.page.mouse.move(0, 0)
        self.page.emulate_media(reduced_motion="null")

    def found(self) -> list[str]:
        """Return what went wrong, forgiven or not."""
        return self._errors

    def locate(self, selector: str, **options: Any) -> Locator:
        """Return a locator; it looks into open shadow roots too."""
        return self.page.locator(selector, **options)

    def wait_for(self, selector: str, *, seconds: float = LIMIT, **options: Any) -> Locator:
        """Wait until the first element that matches is visible, and return its locator."""
        found = self.page.locator(selector, **options).first
        found.wait_for(timeout=seconds * 1000)
        return found

    def wait_until(
        self, condition: str, argument: object = None, *, seconds: float = LIMIT
    ) -> None:
        """Wait until a JavaScript function returns something true."""
        self.page.wait_for_function(condition, arg=argument, timeout=seconds * 1000)

    def screenshot(self, name: str, selector: str | None = None) -> Path:
        """Save a picture of the page, or of an element, under ``test-results``."""
        path = RESULTS / f"{name}.png"
        target = self.page.locator(selector).first if selector else self.page
        target.screenshot(path=path)
        return path

    def close(self) -> None:
        """Leave the page."""
        self.page.close()
