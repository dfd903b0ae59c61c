"""The exported page: everything inside, nothing from outside, within its limit."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnwidgets import tracing
from cnnwidgets.network import Network
from cnnwidgets.widgets import requests, slots, wire
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
    note = re.search(rf"\. (Left out to stay within {given}: .*)\n$", told)
    assert note
    assert re.search(r": (gradients|maps|filters|enlarged maps) of \d layers?[,.]", note[1])
    assert note[1].endswith(f". To keep more: to_html('page.html', limit={everything:_})")
    foot = re.search('<p class="cnnw-root">(.*)</p>', path.read_text())
    assert foot
    assert unescape(foot[1]) == note[1]
    fewer = len(document(path)["replies"])
    browser.to_html(path, limit=everything)
    assert len(document(path)["replies"]) > fewer, "as the note says"
    browser.to_html(path, limit=2 * everything)
    assert len(document(path)["replies"]) == count
    assert '<p class="cnnw-root">' not in path.read_text()


def test_what_is_left_out_is_counted_by_layers(browser: LayerBrowser) -> None:
    layers = len(browser.net.layers)
    assert browser.in_words(list(browser.recorded())) == (
        f"maps of {layers} layers, filters of 1 layer, enlarged maps of 2 layers, "
        f"gradients of {layers} layers"
    )


def test_recording_tells_how_far_it_is(
    browser: LayerBrowser,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = itertools.count(0, 0.2)
    monkeypatch.setattr(requests, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    browser.to_html(tmp_path / "page.html")
    *told, last = capsys.readouterr().out.split("\r")
    shares = [int(line.removeprefix("page.html: recording, ").removesuffix("%")) for line in told]
    assert 3 < len(shares) <= len(document(tmp_path / "page.html")["replies"]) / 2
    assert shares == sorted(shares)
    assert shares[-1] > 80
    assert last.startswith(f"{tmp_path / 'page.html'}: ")


def test_a_page_needs_one_look_at_the_weights_and_few_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def count(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    class Same(nn.Conv2d):
        """Pads as TensorFlow does, so that only a pass can tell what it convolves."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            padded = functional.pad(x, (0, 1, 0, 1))
            return functional.conv2d(padded, self.weight, self.bias, self.stride)

    model = nn.Sequential(*(Same(3, 3, 2) for _ in range(6)), nn.Flatten(), nn.Linear(192, 3))
    net = Network(model, input_size=8)
    with assert_untouched(model):
        own = LayerBrowser(net, np.zeros((8, 8, 3), np.uint8))
        count(Network, "weights_version")
        count(tracing, "_Tracer")
        own.to_html(tmp_path / "page.html")
        own.close()
    filters = [r for r in document(tmp_path / "page.html")["replies"] if r["name"] == "filters"]
    assert len(filters) == 12
    assert calls == {"weights_version": 1, "_Tracer": 2}, "the filters', and the gradients'"


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


@pytest.mark.parametrize("given", [(), (None,), (3,)])
def test_without_a_path_it_says_what_to_give(browser: LayerBrowser, given: Any) -> None:
    with pytest.raises(TypeError, match=r"say where .* such as to_html\(\"layer_browser.html\"\)"):
        browser.to_html(*given)


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
