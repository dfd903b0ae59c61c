"""A notebook open in JupyterLab or Notebook 7, driven through the application's own commands."""

from __future__ import annotations

import ast
import contextlib
import time
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error

from tests.e2e.browser import Page

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.e2e.server import Server

LIMIT = 120.0  # seconds


class NotebookPage(Page):
    """A notebook with its kernel idle.

    Parameters
    ----------
    context
        The browser profile in which it opens.
    server
        The server that holds the notebook.
    name
        The notebook's file name.
    """

    known = (
        # Notebook 7.6.5 throws this on every load, of an empty notebook too.
        r"^uncaught: Cannot read properties of undefined \(reading 'schema'\)$",
        # JupyterLab's debugger asks a kernel that is just being restarted.
        r"^console: Could not restore the debugger state",
        # The page left while a socket was still being opened.
        r"WebSocket is closed before the connection is established",
    )

    def __init__(self, context: BrowserContext, server: Server, name: str) -> None:
        super().__init__(context)
        self.server, self._name = server, name
        self.goto(server.address(name))
        self.wait_idle()

    def show(self, *cells: str) -> None:
        """Show other cells, in the same kernel."""
        self.server.write(*cells, name=self._name)
        self._drive("revert")
        self.wait_idle()

    def idle(self) -> bool:
        """Tell whether the notebook is loaded and its kernel has nothing to do."""
        return bool(self._drive("idle"))

    def wait_idle(self, *, seconds: float = LIMIT) -> None:
        """Wait until the notebook is loaded and its kernel has nothing to do."""
        self.wait_until("() => cnnwDriver.idle()", seconds=seconds)

    def run_all(self) -> None:
        """Run every cell and wait for the last one; an error in any raises here."""
        self._drive("start", "notebook:run-all-cells")
        self._finish()

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run one cell and wait for it, raising its error; with ``wait=False`` return at once."""
        self._drive("select", index)
        self._drive("start", "notebook:run-cell")
        if wait:
            self._finish()

    def _finish(self) -> None:
        self.wait_until("() => cnnwDriver.finished()", seconds=LIMIT)
        errors = self._drive("cellErrors")
        if errors:
            raise RuntimeError("; ".join(errors))

    def kernel_eval(self, expression: str) -> Any:
        """Evaluate an expression in the kernel, unseen by the notebook, and return the value.

        The value must be a Python literal; what goes wrong in the kernel raises here.
        """
        answer = self._drive("evaluate", expression)
        if "error" in answer:
            raise RuntimeError(f"{expression}: {answer['error']}")
        return ast.literal_eval(answer["text"])

    def kernel_wait(self, expression: str, *, seconds: float = LIMIT) -> None:
        """Wait until an expression is true in the kernel."""
        deadline = time.monotonic() + seconds
        while not self.kernel_eval(f"bool({expression})"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression}: not true after {seconds} s")
            self.page.wait_for_timeout(50)

    def restart_kernel(self) -> None:
        """Restart the kernel and leave the page as it is."""
        self._drive("restart")
        self.wait_idle()

    def interrupt(self) -> None:
        """Interrupt what the kernel is doing."""
        self._drive("interrupt")

    def clear_outputs(self) -> None:
        """Remove the outputs of every cell."""
        self.command("notebook:clear-all-cell-outputs")

    def set_theme(self, theme: str) -> None:
        """Choose JupyterLab's "Light" or "Dark" theme, and wait until its splash screen is gone."""
        self.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        self.wait_until("(name) => document.body.dataset.jpThemeName.endsWith(name)", theme)
        self.wait_until("() => !document.querySelector('#jupyterlab-splash')")

    def command(self, name: str, **arguments: object) -> None:
        """Execute one of the application's commands."""
        self.page.evaluate("([name, args]) => cnnwDriver.command(name, args)", [name, arguments])

    def reload(self) -> None:
        """Reload the page; the kernel lives on."""
        self.page.reload(wait_until="domcontentloaded")
        self.wait_idle()

    def found(self) -> list[str]:
        """Return what went wrong on the page and in its cells, forgiven or not."""
        return [*super().found(), *self._drive("cellErrors")]

    def close(self) -> None:
        """End the kernel and leave the page."""
        with contextlib.suppress(Error):  # the page may have crashed, the kernel died
            self._drive("shutdown")
        super().close()

    def _drive(self, name: str, argument: object = None) -> Any:
        return self.page.evaluate(
            "async ([name, argument]) => cnnwDriver[name](argument)", [name, argument]
        )
