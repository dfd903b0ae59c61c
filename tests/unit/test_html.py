"""The exported page: everything inside, nothing from outside, within its limit."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnwidgets.network import Network
from cnnwidgets.widgets import slots, wire
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.kernel import Browser
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("front_end")

EVIL = "</script><script>alert(1)</script><!--"


class Reader(HTMLParser):
    """Collects the scripts, as a browser would find them, and the rest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.title = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside == "title":
            self.title += data


@pytest.fixture
def browser() -> Iterator[LayerBrowser]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 70, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2520, 3))
    net = Network(model, classes=[EVIL, "two", "three"], input_size=8)
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    with assert_untouched(model):
        browser = LayerBrowser(net, image, images={EVIL: image})
    yield browser
    browser.close()


def document(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Reader(path.read_text()).scripts[0])
    return loaded


def tensors(reply: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
    return [wire.unpack(gzip.decompress(base64.b64decode(data))) for data in reply["tensors"]]


def test_the_page_holds_everything(browser: LayerBrowser, tmp_path: Path) -> None:
    path = browser.to_html(tmp_path / "page.html")
    page = document(path)
    state, css = page["state"], page["css"]
    assert state["layer"] == "0"
    assert state["_classes"][0] == EVIL
    assert state["_graph"]["layers"][0]["name"] == "0"
    assert not [key for key in state if key.startswith(("_esm", "_css", "_model", "layout"))]
    assert page["esm"].startswith("export default { name: 'layer_browser </script>")
    assert css == ".cnnw-layer_browser { color: red }"
    pictures = [b for b in page["buffers"] if b["path"] == ["_pictures", "a", "picture"]]
    pixels = wire.unpack(gzip.decompress(base64.b64decode(pictures[0]["data"])))
    assert pixels.shape == (8, 8, 3)


def test_nothing_comes_from_outside(browser: LayerBrowser, tmp_path: Path) -> None:
    reader = Reader(browser.to_html(tmp_path / "page.html", title=f"A {EVIL}").read_text())
    assert len(reader.scripts) == 2
    assert reader.scripts[1].startswith("export default { name: 'host")
    assert reader.scripts[1].endswith("' };")
    assert reader.title == f"A {EVIL}"
    policy = next(attrs["content"] for _, attrs in reader.tags if "http-equiv" in attrs)
    assert policy == (
        "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:"
    )
    assert not [attrs for _, attrs in reader.tags if {"src", "href"} & set(attrs)]
    classes = [attrs.get("class") for tag, attrs in reader.tags if tag in {"div", "script"}]
    assert classes[:2] == ["cnnw-page", "cnnw-document"], "the page's div comes before its script"


def test_recorded_answers_are_those_of_the_kernel(browser: LayerBrowser, tmp_path: Path) -> None:
    assert_answered(browser, document(browser.to_html(tmp_path / "page.html"))["replies"])


def assert_answered(browser: LayerBrowser, replies: list[dict[str, Any]]) -> None:
    """Of every layer everything was recorded, and it is what the widget answers now."""
    asked = [(reply["name"], json.dumps(reply["args"], sort_keys=True)) for reply in replies]
    assert len(set(asked)) == len(asked)
    assert {reply["name"] for reply in replies} == {
        "layer", "maps", "mean", "map", "vector", "filters",
    }  # fmt: skip
    assert {reply["args"].get("of") for reply in replies} == {"activations", "gradients", None}
    for reply in replies:
        answer = browser.answer(reply["name"], reply["args"])
        assert reply["value"] == json.loads(json.dumps(answer.value))
        for found, packed in zip(tensors(reply), answer.tensors, strict=True):
            np.testing.assert_array_equal(found, wire.unpack(packed))
    layers = [reply["args"]["layer"] for reply in replies if reply["name"] == "layer"]
    assert layers[:4] == ["0", "1", "2", "3"]
    parts = [reply["args"] for reply in replies if reply["name"] == "maps"][:2]
    assert [(args["first"], args["last"]) for args in parts] == [(0, 64), (64, 70)]


def test_a_page_holds_the_weights_of_now(browser: LayerBrowser, tmp_path: Path) -> None:
    before = document(browser.to_html(tmp_path / "page.html"))
    with torch.no_grad():
        next(browser.net.model.parameters()).neg_()
    page = document(browser.to_html(tmp_path / "page.html"))
    assert len(page["replies"]) == len(before["replies"])
    assert page["state"]["_predictions"] != before["state"]["_predictions"]
    assert page["state"]["_pictures"]["a"]["key"] == browser._pictures["a"]["key"]
    assert_answered(browser, page["replies"])


def test_training_goes_on_while_a_page_is_recorded(
    browser: LayerBrowser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = LayerBrowser.answer

    def train_and_answer(*args: Any) -> Any:
        with torch.no_grad():
            next(browser.net.model.parameters()).add_(0.01)
        return answer(*args)

    count = len(document(browser.to_html(tmp_path / "page.html"))["replies"])
    monkeypatch.setattr(slots, "RENEW_SECONDS", 0.0)
    monkeypatch.setattr(LayerBrowser, "answer", train_and_answer)
    page = document(browser.to_html(tmp_path / "page.html"))
    assert len(page["replies"]) == count
    assert {r["args"]["key"] for r in page["replies"] if "key" in r["args"]} == {
        page["state"]["_pictures"]["a"]["key"]
    }
    monkeypatch.undo()
    assert_answered(browser, document(browser.to_html(tmp_path / "page.html"))["replies"])


def test_a_closed_widget_has_no_page(browser: LayerBrowser, tmp_path: Path) -> None:
    browser.close()
    with pytest.raises(ValueError, match="the widget is closed"):
        browser.to_html(tmp_path / "page.html")


def test_the_layer_shown_comes_first(browser: LayerBrowser, tmp_path: Path) -> None:
    browser.layer = "1"
    replies = document(browser.to_html(tmp_path / "page.html"))["replies"]
    assert replies[0]["args"]["layer"] == "1"
    assert next(reply["args"]["layer"] for reply in replies if reply["name"] == "map") == "1"


def test_the_limit_is_kept_and_told(
    browser: LayerBrowser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    everything = browser.to_html(path).stat().st_size
    told = capsys.readouterr().out
    assert re.fullmatch(rf"{path}: \d+\.\d MB, \d+ recorded answers\n", told)
    count = len(document(path)["replies"])
    browser.to_html(path, limit=everything / 2)
    assert path.stat().st_size <= everything / 2
    assert 0 < len(document(path)["replies"]) < count
    told = capsys.readouterr().out
    given = f"{everything / 2e6:.3g} MB"
    assert re.search(rf"; from '\w+' on, .* did not fit into {given}: give a larger limit\n$", told)


def test_the_size_is_told_before_the_file_is_written(
    browser: LayerBrowser,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: told.append(capsys.readouterr().out))
    browser.to_html(tmp_path / "page.html")
    assert len(told) == 1
    assert "recorded answers" in told[0]


def test_a_limit_below_the_least_raises(browser: LayerBrowser, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"limit: the page needs .* give a larger limit"):
        browser.to_html(tmp_path / "page.html", limit=100)
    assert not list(tmp_path.glob("page.html"))


def test_a_folder_that_is_missing_is_told_first(browser: LayerBrowser, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        browser.to_html(tmp_path / "gone" / "page.html")


def test_two_pictures_are_both_recorded(browser: LayerBrowser, tmp_path: Path) -> None:
    browser.compare(np.zeros((8, 8, 3), np.uint8))
    replies = document(browser.to_html(tmp_path / "page.html"))["replies"]
    assert {reply["args"]["slot"] for reply in replies if "slot" in reply["args"]} == {"a", "b"}


@pytest.mark.parametrize("limit", [2**30, 1])
def test_layers_without_an_answer_are_left_out(tmp_path: Path, limit: int) -> None:
    class Aside(nn.Module):
        """Has a layer that the score does not depend on."""

        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Conv2d(3, 2, 8), nn.Conv2d(3, 2, 3)

        def forward(self, x: torch.Tensor) -> Any:
            self.unused(x)
            return self.used(x).flatten(1)

    browser = LayerBrowser(Network(Aside(), input_size=8), np.zeros((8, 8, 3), np.uint8))
    browser._slots.passes._limit = limit  # of a large network one layer is kept at a time
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "unused"}
    flat = browser.answer("layer", {**args, "layer": "flatten", "of": "gradients"}).value
    assert flat["low"] < flat["high"]
    refusal = Browser(browser).refusal("layer", **args, of="gradients")
    assert re.search("unused.* has no gradient: the .*score does not depend on it", refusal)
    assert browser.error is None, "a plain refusal is no failure"
    replies = document(browser.to_html(tmp_path / "page.html"))["replies"]
    told = {(r["args"]["layer"], r["args"].get("of")) for r in replies if r["name"] == "layer"}
    assert ("used", "gradients") in told
    assert ("unused", "activations") in told
    assert ("unused", "gradients") not in told
    browser.close()
