"""The layer browser as an object: what it shows, what it refuses, what it leaves behind."""

from __future__ import annotations

import gc
import io
import threading
import tracemalloc
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from PIL import Image
from torch import Tensor, nn

from cnnwidgets.network import Network
from cnnwidgets.widgets import slots as slots_module
from cnnwidgets.widgets import wire, worker
from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.passes import Quantity
from tests.architectures import ARCHITECTURES
from tests.kernel import Browser, eventually
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("front_end")

CLASSES = ["cat", "<b>dog</b>", "bird", "fish", "frog"]


def small_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 2, 3),
        nn.Flatten(),
        nn.Linear(288, 5),
    )


def noise(seed: int, size: int = 16, channels: int = 3) -> np.ndarray[Any, Any]:
    shape = (size, size, channels) if channels > 1 else (size, size)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def net() -> Network:
    return Network(small_model(), classes=CLASSES, input_size=16)


@pytest.fixture
def browser(net: Network) -> Iterator[LayerBrowser]:
    images = {"one": noise(1), "<i>two</i>": noise(2), "grey": noise(3, channels=1)}
    with assert_untouched(net.model):
        browser = LayerBrowser(net, noise(0), images=images)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: LayerBrowser) -> Browser:
    return Browser(browser)


def top(net: Network, image: Any) -> list[tuple[int, str]]:
    return [(one.index, one.name) for one in net.predict(image)]


def shown_top(browser: LayerBrowser, slot: str = "a") -> list[tuple[int, str]]:
    return [(row["index"], row["name"]) for row in browser._predictions[slot]["rows"]]


def pixels(browser: LayerBrowser, slot: str = "a") -> np.ndarray[Any, Any]:
    return wire.unpack(browser._pictures[slot]["picture"])


def test_everything_is_there_when_the_page_opens(browser: LayerBrowser, net: Network) -> None:
    state = browser.comm.state
    assert state["layer"] == "0"
    assert [layer["name"] for layer in state["_graph"]["layers"]] == [x.name for x in net.layers]
    assert state["_graph"]["input"] == [3, 16, 16]
    assert state["_classes"] == CLASSES
    assert [choice["name"] for choice in state["_choices"]] == ["one", "<i>two</i>", "grey"]
    assert state["_pictures"]["a"]["name"] == "picture"
    assert state["_pictures"]["b"] is None
    assert shown_top(browser) == top(net, noise(0))
    assert browser.target == top(net, noise(0))[0][0]
    np.testing.assert_array_equal(pixels(browser), noise(0))
    assert not [data for data, _ in browser.comm.messages if data["method"] == "update"]


def test_the_graph_says_what_the_layers_are(browser: LayerBrowser, net: Network) -> None:
    conv = browser._graph["layers"][0]
    field = net.layer("0").receptive_field
    assert field is not None
    assert conv["kind"] == "conv"
    assert conv["shape"] == [4, 14, 14]
    assert conv["filters"] == [4, 3, 3, 3]
    assert conv["receipt"] is True
    assert conv["inputs"] == ["input"]
    assert conv["parameters"] == 112
    assert conv["rf"] == {name: list(value) for name, value in field._asdict().items()}
    linear = browser._graph["layers"][-1]
    assert (linear["rf"], linear["filters"], linear["receipt"]) == (None, None, False)


def test_one_forward_serves_the_first_display(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    net.graph  # noqa: B018 - the pass that finds the layers
    ran: list[int] = []
    forward = nn.Linear.forward

    def counted(self: nn.Linear, x: Tensor) -> Tensor:
        ran.append(1)
        return forward(self, x)

    monkeypatch.setattr(nn.Linear, "forward", counted)
    browser = LayerBrowser(net, noise(0))
    page = Browser(browser)
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "of": "activations"}
    assert browser._repr_mimebundle_() is not None
    for layer in ("0", "3"):
        page.request("layer", **args, layer=layer)
        page.request("maps", **args, layer=layer, first=0, last=2)
    assert len(ran) == 1
    browser.close()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_any_model_can_be_opened_bare(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    with assert_untouched(model, also=(x,)):
        browser = LayerBrowser(Network(model, input_size=tuple(x.shape[1:])), x[0])
        assert browser._repr_mimebundle_() is not None
        assert browser.error is None
        browser.close()


def test_a_bare_module_is_taken() -> None:
    browser = LayerBrowser(nn.Sequential(nn.Conv2d(3, 2, 3)), noise(0))
    assert browser._predictions["a"]["rows"] is None
    assert "no classifier" in browser._predictions["a"]["note"]
    assert browser._classes == []
    assert browser.target == 0
    browser.close()


def test_show_and_compare(browser: LayerBrowser, net: Network) -> None:
    first = browser._pictures["a"]["key"]
    with assert_untouched(net.model):
        browser.show(noise(5))
        browser.compare(noise(6))
    assert browser._pictures["a"]["key"] != first
    np.testing.assert_array_equal(pixels(browser), noise(5))
    np.testing.assert_array_equal(pixels(browser, "b"), noise(6))
    assert shown_top(browser) == top(net, noise(5))
    assert shown_top(browser, "b") == top(net, noise(6))
    assert browser.target == top(net, noise(5))[0][0]
    browser.compare(None)
    assert browser._pictures["b"] is None
    assert browser._predictions["b"] is None
    browser.compare(None)


def test_pictures_and_predictions_change_in_one_message(browser: LayerBrowser) -> None:
    before = len(browser.comm.messages)
    browser.show(noise(5))
    (data, buffers) = browser.comm.messages[before]
    assert {"_pictures", "_predictions"} <= set(data["state"])
    assert len(browser.comm.messages) == before + 1
    assert len(buffers) == 1


def test_a_chosen_target_stays_a_predicted_one_follows(browser: LayerBrowser) -> None:
    for seed in range(5, 60):
        browser.show(noise(seed))
        assert browser.target == shown_top(browser)[0][0]
    browser.target = other = (browser.target + 1) % 5
    for seed in range(60, 70):
        browser.show(noise(seed))
        if shown_top(browser)[0][0] == other:
            break
        assert browser.target == other


def test_picking_and_clearing(page: Browser, browser: LayerBrowser, net: Network) -> None:
    page.request("pick", slot="a", index=1)
    assert browser._pictures["a"]["name"] == "<i>two</i>"
    assert shown_top(browser) == top(net, noise(2))
    page.request("pick", slot="b", index=0)
    np.testing.assert_array_equal(pixels(browser, "b"), noise(1))
    page.request("clear", slot="b")
    assert browser._pictures["b"] is None


def png_of(image: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def send(page: Browser, data: bytes, parts: int = 1, slot: str = "a", **change: Any) -> None:
    step = -(-len(data) // parts)
    for part in range(parts):
        piece = data[part * step : (part + 1) * step]
        args = {"slot": slot, "name": "my photo.png", "part": part, "parts": parts, **change}
        reply = page.request("upload", piece, **args)
        assert reply.content["ok"], reply.content["error"]


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("slot", ["a", "b"])
def test_uploading(page: Browser, browser: LayerBrowser, parts: int, slot: str) -> None:
    send(page, png_of(noise(7)), parts, slot)
    assert browser._pictures[slot]["name"] == "my photo.png"
    np.testing.assert_array_equal(pixels(browser, slot), noise(7))
    assert not browser._uploads


def test_two_pages_upload_at_the_same_time(browser: LayerBrowser) -> None:
    one, two = Browser(browser, "one"), Browser(browser, "two")
    data = png_of(noise(7))
    half = len(data) // 2
    for page in (one, two):
        args = {"slot": "a", "name": page.page, "parts": 2}
        assert page.request("upload", data[:half], **args, part=0).content["ok"]
    for page in (one, two):
        args = {"slot": "a", "name": page.page, "parts": 2}
        assert page.request("upload", data[half:], **args, part=1).content["ok"]
    assert browser._pictures["a"]["name"] == "two"


@pytest.mark.parametrize(
    ("data", "change", "sentence"),
    [
        (b"no picture", {}, "'x.png' is not a picture"),
        (png_of(noise(1))[:200], {}, "image"),
        (b"", {}, "is not a picture"),
        (b"x", {"part": 1, "parts": 2}, "did not arrive whole"),
        (b"x", {"part": 2, "parts": 2}, "did not arrive whole"),
        (b"x", {"part": -1, "parts": 1}, "did not arrive whole"),
        (b"x", {"parts": "2"}, "parts must be int"),
        (b"x", {"name": 5}, "name must be str"),
    ],
)
def test_uploads_that_make_no_sense(
    page: Browser, browser: LayerBrowser, data: bytes, change: dict[str, Any], sentence: str
) -> None:
    before = browser._pictures
    args = {"slot": "a", "name": "x.png", "part": 0, "parts": 1, **change}
    assert sentence in page.refusal("upload", data, **args)
    assert browser._pictures == before
    send(page, png_of(noise(7)))
    assert browser._pictures["a"]["name"] == "my photo.png"


def test_an_upload_that_is_too_large_is_not_kept(page: Browser, browser: LayerBrowser) -> None:
    piece = bytes(8 * 2**20)
    args = {"slot": "a", "name": "x", "parts": 9}
    for part in range(8):
        page.request("upload", piece, **args, part=part)
    assert "larger than 64 MB" in page.refusal("upload", piece, **args, part=8)
    assert not browser._uploads


@pytest.mark.parametrize(
    ("traits", "sentence"),
    [
        ({"layer": "conv"}, "there is no layer 'conv'; choose one of"),
        ({"channel": 4}, "channel: layer '0' has no 4; choose 0 to 3"),
        ({"channel": -1}, "choose 0 to 3"),
        ({"view": "map"}, r"view: there is no 'map'; did you mean 'maps'\?"),
        ({"color_range": "chanel"}, r"did you mean 'channel'\?"),
        ({"unit": (14, 0)}, "has 14 rows and 14 columns"),
        ({"unit": (0, -1)}, "has 14 rows and 14 columns"),
        ({"target": 5}, "target: there is no class 5; choose 0 to 4"),
        ({"target": -1}, "choose 0 to 4"),
    ],
)
def test_traits_are_checked(browser: LayerBrowser, traits: dict[str, Any], sentence: str) -> None:
    (name,) = traits
    before = getattr(browser, name)
    with pytest.raises(ValueError, match=sentence):
        browser.set_trait(name, traits[name])
    assert getattr(browser, name) == before
    Browser(browser).set(**traits)
    assert getattr(browser, name) == before
    assert browser._error is not None


def test_layer_and_channel_may_change_together(page: Browser, browser: LayerBrowser) -> None:
    page.set(layer="5", channel=4)
    assert (browser.layer, browser.channel, browser._error) == ("5", 4, None)
    page.set(layer="3", channel=1, unit=[11, 0])
    assert browser.unit == (11, 0)
    page.set(layer="0")
    assert browser.unit == (11, 0)
    browser.channel = 3
    page.set(layer="3")
    assert (browser.channel, browser._error) == (0, None)
    browser.layer = "4"
    assert browser.unit is None


def test_first_values_of_traits(net: Network) -> None:
    browser = LayerBrowser(
        net,
        noise(0),
        "3",
        compare=noise(1),
        target="bird",
        channel=1,
        view="gradients",
        color_range="network",
        unit=(2, 3),
    )
    assert (browser.layer, browser.channel, browser.unit) == ("3", 1, (2, 3))
    assert (browser.target, browser.view, browser.color_range) == (2, "gradients", "network")
    assert browser._pictures["b"] is not None
    browser.close()


@pytest.mark.parametrize(
    ("keywords", "error", "sentence"),
    [
        ({"layr": "0"}, TypeError, r"there is no keyword 'layr'; did you mean 'layer'\?"),
        ({"compar": 1}, TypeError, r"did you mean 'compare'\?"),
        ({"colour_range": 1}, TypeError, r"did you mean 'color_range'\?"),
        ({"layer": "9"}, ValueError, "there is no layer '9'"),
        ({"view": "all"}, ValueError, "there is no 'all'"),
        ({"channel": 99}, ValueError, "choose 0 to 3"),
        ({"target": "dgo"}, ValueError, "no class is named 'dgo'"),
        ({"target": 5}, ValueError, "they are 0 to 4"),
        ({"image": np.zeros((4, 4))}, ValueError, "takes \\[3, H, W\\]"),
        ({"image": "no such file.png"}, FileNotFoundError, "there is no file"),
        ({"image": torch.zeros(1, 16, 16)}, ValueError, "takes \\[3, H, W\\]"),
        ({"image": torch.zeros(3, 20, 24)}, ValueError, r"input_size=\(20, 24\)"),
        ({"compare": "no such file.png"}, FileNotFoundError, "there is no file"),
        ({"images": [noise(0), "gone.png"]}, FileNotFoundError, "images, gone.png: image: there"),
        ({"images": range(2001)}, ValueError, "2001 pictures are too many"),
    ],
)
def test_wrong_arguments_raise_and_leave_nothing(
    net: Network, keywords: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    before, comms = len(_instances), threading.active_count()
    image = keywords.pop("image", noise(0))
    with assert_untouched(net.model), pytest.raises(error, match=sentence):
        LayerBrowser(net, image, **keywords)
    gc.collect()
    assert len(_instances) == before
    assert threading.active_count() <= comms


def test_what_is_no_picture_leaves_the_old_one(browser: LayerBrowser) -> None:
    before = browser._pictures
    with pytest.raises(ValueError, match="takes"):
        browser.show(np.zeros((3, 3, 7)))
    assert browser._pictures == before


@pytest.mark.parametrize("size", [(1, 1), (8000, 6000), (1, 3000)])
def test_pictures_of_any_size(net: Network, size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    Image.new("RGB", size, (200, 30, 40)).save(path)
    browser = LayerBrowser(net, path)
    assert browser._pictures["a"]["name"] == "picture.jpg"
    assert pixels(browser).shape == (16, 16, 3)
    browser.close()


def test_many_choices_get_small_thumbnails(net: Network) -> None:
    browser = LayerBrowser(Network(nn.Conv2d(3, 2, 3), input_size=64), noise(0))
    browser.close()
    large = [noise(seed, size=64) for seed in range(400)]
    browser = LayerBrowser(net, noise(0), images=large)
    sizes = [len(choice["thumbnail"]) for choice in browser._choices]
    assert sum(sizes) < 2.1e6
    browser.close()


class Fussy(nn.Module):
    """Fails at its second layer for bright pictures, or always."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.first, self.second, self.limit = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 3), limit

    def forward(self, x: Tensor) -> Any:
        y = self.first(x)
        if float(x.mean()) > self.limit:
            raise RuntimeError("too bright <b>")
        return self.second(y).mean((2, 3))


def test_a_model_that_always_fails_shows_what_it_reached() -> None:
    model = Fussy(-1.0)
    with assert_untouched(model):
        browser = LayerBrowser(Network(model, input_size=16), noise(0))
        assert browser.layer == "first"
        assert "too bright" in browser._graph["error"]
        failed = browser._graph["layers"][-1]
        assert failed["shape"] is None
        assert "too bright" in failed["error"]
        assert (
            "No prediction, the model failed: RuntimeError: too bright"
            in (browser._predictions["a"]["note"])
        )
        page = Browser(browser)
        args = {"slot": "a", "key": browser._pictures["a"]["key"], "of": "activations"}
        assert page.request("layer", **args, layer="first").value["shape"] == [2, 14, 14]
        assert browser._repr_mimebundle_() is not None
        page.set(layer=failed["name"])
        assert browser.layer == failed["name"]
        assert browser._repr_mimebundle_() is not None
        assert browser.error is None
        browser.close()


def test_a_model_that_fails_for_one_picture() -> None:
    model = Fussy(0.9)
    browser = LayerBrowser(Network(model, input_size=16), noise(0))
    assert browser._predictions["a"]["rows"] is not None
    page = Browser(browser)
    with assert_untouched(model):
        browser.show(np.full((16, 16, 3), 255, np.uint8))
    assert "too bright" in browser._predictions["a"]["note"]
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "of": "activations"}
    assert "did not reach second" in page.refusal("layer", **args, layer="second")
    browser.layer = "second"
    assert browser._repr_mimebundle_() is not None
    browser.close()


def test_changed_weights_are_noticed(page: Browser, browser: LayerBrowser, net: Network) -> None:
    key = browser._pictures["a"]["key"]
    args = {"slot": "a", "key": key, "layer": "0", "of": "activations", "channel": 1}
    page.request("map", **args)
    with torch.no_grad():
        next(net.model.parameters()).mul_(2)
    assert "the picture has changed" in page.refusal("map", **args)
    now = browser._pictures["a"]["key"]
    assert now != key
    found = page.request("map", **{**args, "key": now}).tensors[0]
    np.testing.assert_array_equal(found, net.activations(noise(0))["0"][0, 1])
    assert shown_top(browser) == top(net, noise(0))


def test_while_the_model_trains_a_snapshot_is_shown(
    page: Browser, browser: LayerBrowser, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = next(net.model.parameters())
    monkeypatch.setattr(slots_module, "RENEW_SECONDS", 30.0)

    def step() -> None:
        with torch.no_grad():
            weight.add_(0.01)

    step()
    args = {"slot": "a", "layer": "0", "of": "activations"}
    page.refusal("mean", **args, key=browser._pictures["a"]["key"])
    key = browser._pictures["a"]["key"]
    shown = net.activations(noise(0))
    for layer in ("0", "3"):
        step()
        found = page.request("mean", **{**args, "layer": layer}, key=key).tensors[0]
        np.testing.assert_array_equal(found, shown[layer][0].mean(0))
    unit = {"channel": 0, "row": 0, "column": 0}
    assert "the picture has changed" in page.refusal("receipt", **args, **unit, key=key)
    key = browser._pictures["a"]["key"]
    step()
    browser._slots.passes.release()
    assert "the picture has changed" in page.refusal("mean", **args, key=key)


def test_two_pages_see_the_same(browser: LayerBrowser) -> None:
    one, two = Browser(browser, "one"), Browser(browser, "two")
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0", "of": "activations"}
    asked = [page.ask("mean", args) for page in (one, two)]
    first, second = (page.reply(i).tensors[0] for page, i in zip((one, two), asked, strict=True))
    np.testing.assert_array_equal(first, second)


def test_passes_are_freed_when_no_page_is_left(browser: LayerBrowser) -> None:
    one, two = Browser(browser, "one"), Browser(browser, "two")
    for page in (one, two):
        page.send("hello")
    one.send("bye")
    assert browser._slots.passes.held > 0
    two.send("bye")
    assert browser._slots.passes.held == 0
    again = Browser(browser, "three")
    again.send("hello")
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0", "of": "activations"}
    assert again.request("mean", **args).content["ok"]


def test_a_page_that_leaves_in_the_middle_of_an_upload(
    page: Browser, browser: LayerBrowser
) -> None:
    page.request("upload", b"half", slot="a", name="x", part=0, parts=2)
    assert browser._uploads
    page.send("bye")
    assert not browser._uploads


def test_html_in_names_stays_text(browser: LayerBrowser) -> None:
    assert CLASSES[1] in [row["name"] for row in browser._predictions["a"]["rows"]]
    browser.figure()


def test_an_interrupt_in_the_middle_leaves_everything_usable(
    browser: LayerBrowser, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = browser._pictures
    with monkeypatch.context() as patch, assert_untouched(net.model):
        patch.setattr(nn.ReLU, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            browser.show(noise(9))
    assert browser._pictures == before
    browser.show(noise(9))
    assert shown_top(browser) == top(net, noise(9))


def test_closing_frees_the_passes(browser: LayerBrowser) -> None:
    page = Browser(browser)
    passes = browser._slots.passes
    key = browser._slots["a"].key
    held = weakref.ref(passes.value(Quantity(key), "0"))
    assert passes.held > 0
    browser.close()
    browser.close()
    gc.collect()
    assert passes.held == 0
    assert held() is None
    with pytest.raises(ValueError, match="the widget is closed"):
        browser.figure()
    page.send("request", id="late", name="mean", args={"slot": "a", "key": key})
    with pytest.raises(ValueError, match="closed"):
        browser.show(noise(1))


def test_fifty_browsers_leave_nothing(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_IDLE_SECONDS", 0.05)
    alive: list[weakref.ref[LayerBrowser]] = []

    def open_and_close() -> None:
        browser = LayerBrowser(net, noise(0), images=[noise(1)])
        page = Browser(browser)
        page.send("hello")
        args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0"}
        page.request("maps", **args, first=0, last=4)
        page.request("layer", **args, of="gradients")
        page.request("pick", slot="b", index=0)
        browser._repr_mimebundle_()
        browser.close()
        alive.append(weakref.ref(browser))

    open_and_close()
    gc.collect()
    instances, threads = len(_instances), threading.active_count()
    tracemalloc.start()
    with assert_untouched(net.model):
        for _ in range(10):
            open_and_close()
        gc.collect()
        after_ten = tracemalloc.get_traced_memory()[0]
        for _ in range(40):
            open_and_close()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - after_ten
    tracemalloc.stop()
    assert len(_instances) == instances
    assert not [ref for ref in alive if ref() is not None]
    eventually(lambda: threading.active_count() <= threads)
    assert grown < 200_000, f"{grown} bytes more after forty"
