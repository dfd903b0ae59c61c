"""What a page asks first comes with the picture, unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.requests import Answer, Request, RequestError, answers
from tests.kernel import Browser
from tests.small import noise
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from pathlib import Path

    from cnnwidgets.network import Network

pytestmark = pytest.mark.usefixtures("front_end")

VIEWS = {"maps": ["layer", "maps"], "mean": ["layer", "mean"], "filters": [], "gradients": []}


def told(browser: LayerBrowser) -> list[tuple[str, dict[str, Any]]]:
    return [(one["name"], one["args"]) for one in browser._foreseen]


@pytest.mark.parametrize("view", VIEWS)
def test_the_answers_are_those_of_the_requests(net: Network, view: str) -> None:
    browser = LayerBrowser(net, noise(0), compare=noise(1), view=view)
    state = browser.comm.state["_foreseen"]
    assert [one["name"] for one in state] == 2 * VIEWS[view]
    page = Browser(browser)
    for one in browser._foreseen:
        reply = page.request(one["name"], **one["args"])
        assert one["value"] == reply.value
        assert one["tensors"] == reply.buffers
    browser.close()


def test_only_the_first_packet_of_maps_is_foreseen_and_vectors_whole(net: Network) -> None:
    browser = LayerBrowser(net, noise(0), net.layers[-1].name)
    assert [name for name, _ in told(browser)] == ["layer", "vector"]
    browser.close()


def test_a_page_gets_them_with_the_next_picture(net: Network) -> None:
    browser = LayerBrowser(net, noise(0))
    Browser(browser).send("hello")
    browser.layer = "3"
    with assert_untouched(net.model):
        browser.show(noise(1))
    key = browser._pictures["a"]["key"]
    assert [(args["key"], args["layer"]) for _, args in told(browser)] == 2 * [(key, "3")]
    update = browser.comm.messages[-1][0]["state"]
    assert {"_pictures", "_predictions", "_foreseen"} <= set(update)
    browser.close()


def test_nothing_is_computed_for_nobody(net: Network) -> None:
    browser = LayerBrowser(net, noise(0))
    browser.show(noise(1))
    assert told(browser) == []
    browser.close()


@pytest.mark.parametrize("error", [RequestError, ValueError, RuntimeError])
def test_an_answer_that_fails_is_left_to_the_page(
    net: Network, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    @answers("maps")
    def fail(_: LayerBrowser, request: Request) -> Answer:
        raise error(f"no {request.name}")

    monkeypatch.setattr(LayerBrowser, "_maps", fail)
    browser = LayerBrowser(net, noise(0))
    assert [name for name, _ in told(browser)] == ["layer"]
    page = Browser(browser)
    page.send("hello")
    browser.show(noise(1))
    (_, args), *rest = told(browser)
    assert not rest
    assert "no maps" in page.refusal("maps", **args, first=0, last=4)
    browser.close()


def test_an_exported_page_does_not_hold_them_twice(net: Network, tmp_path: Path) -> None:
    browser = LayerBrowser(net, noise(0))
    page = browser.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("_foreseen") == browser._esm.count("_foreseen")
    browser.close()
