"""What a page holds of a widget, seen or not, once its rubbish has been collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.browser import Page

DETACHED = """function () {
    const isElement = one => { try { return one.nodeType === 1; } catch { return false; } };
    const top = one => one.parentNode ? top(one.parentNode) : one.host ? top(one.host) : one;
    const jupyters = one => /^jp-|(^| )(jp|lm)-/i.test(`${one.localName} ${one.className}`)
        || one.localName === "input";  // which its form elements are submitted by
    const gone = this.filter(one => isElement(one) && !one.isConnected);  // not the prototypes
    return [...new Set(gone.map(top))].filter(one => !jupyters(one)).length;
}"""


def footprint(page: Page, root: str) -> dict[str, float]:
    """Count what there is of a widget, and of the page where that may be the widget's.

    Chromium's own counts of nodes and listeners are no use: JupyterLab adds 1,500 listeners with
    the tools of a cell that is clicked, and takes them away with those of another.

    Parameters
    ----------
    page
        The page.
    root
        What the widget's outermost element is found by.

    Returns
    -------
    dict
        ``elements`` of the widget; ``window``, ``document``, ``widget``: who listens there;
        ``detached`` trees of elements that something still holds, without JupyterLab's; ``heap``
        (bytes).
    """
    client = page.page.context.new_cdp_session(page.page)
    for _ in range(3):  # what is only held by what was collected
        client.send("HeapProfiler.collectGarbage")
        page.page.wait_for_timeout(100)

    def ask(method: str, **arguments: object) -> Any:
        return client.send(method, arguments)

    def find(expression: str) -> str:
        found: str = ask("Runtime.evaluate", expression=expression)["result"]["objectId"]
        return found

    def listeners(expression: str, depth: int = 1) -> int:
        given = {"objectId": find(expression), "depth": depth, "pierce": True}
        return len(ask("DOMDebugger.getEventListeners", **given)["listeners"])

    widget = f"document.querySelector({root!r})"
    elements = ask("Runtime.queryObjects", prototypeObjectId=find("Element.prototype"))["objects"]
    count = {"functionDeclaration": DETACHED, "returnByValue": True}
    detached = ask("Runtime.callFunctionOn", objectId=elements["objectId"], **count)["result"]
    found = {
        "elements": page.locate(f"{root} *").count(),
        "window": listeners("window"),
        "document": listeners("document"),
        "widget": listeners(widget, -1),
        "detached": detached["value"],
        "heap": ask("Runtime.getHeapUsage")["usedSize"],
    }
    client.detach()
    return found
