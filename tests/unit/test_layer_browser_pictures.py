"""Pictures in the layer browser: shown, compared, picked, uploaded, of any size."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.kernel import Browser
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from pathlib import Path

from tests.small import noise, pixels, shown_top, top

pytestmark = pytest.mark.usefixtures("front_end")


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


@pytest.mark.parametrize(
    ("offered", "image", "choice"),
    [
        (np.stack([noise(1), noise(2), noise(3)]), noise(2), 1),
        ([noise(1), noise(1).copy()], noise(1), 0),
        ([noise(1), noise(1).transpose(2, 0, 1) - 128.0], noise(1), 0),
        ([noise(1)], noise(1) ^ 1, None),
        ([torch.ones(3, 16, 16)], torch.ones(3, 16, 16), 0),
        ([torch.ones(3, 16, 16)], torch.ones(3, 16, 16).double(), None),
        ([torch.ones(3, 16, 16)], np.ones((3, 16, 16), np.float32), None),
        ([Image.fromarray(noise(1)), Image.fromarray(noise(2))], Image.fromarray(noise(2)), 1),
    ],
)
def test_a_picture_that_is_one_of_those_offered(
    net: Network, offered: Any, image: Any, choice: int | None
) -> None:
    browser = LayerBrowser(net, image, images=offered, compare=image)
    names = ("picture", "picture 2") if choice is None else (f"picture {choice}",) * 2
    for slot, name in zip("ab", names, strict=True):
        assert browser._pictures[slot]["choice"] == choice
        assert browser._pictures[slot]["name"] == name
    browser.close()


def test_the_choice_follows_what_is_shown(
    page: Browser, browser: LayerBrowser, net: Network
) -> None:
    def choice(slot: str = "a") -> int | None:
        found: int | None = browser._pictures[slot]["choice"]
        return found

    assert choice() is None
    browser.show(noise(3, channels=1))
    assert (choice(), browser._pictures["a"]["name"]) == (2, "grey")
    browser.compare(noise(1))
    assert (choice("b"), browser._pictures["b"]["name"]) == (0, "one")
    page.request("pick", slot="a", index=1)
    assert choice() == 1
    with torch.no_grad():
        net.model[0].weight.add_(1)  # type: ignore[index]
    browser._renew(at_once=True)
    assert (choice(), choice("b")) == (1, 0)
    browser.show(noise(9))
    assert (choice(), choice("b")) == (None, 0)
    send(page, png_of(noise(1)))
    assert choice() is None


def test_of_equal_pictures_the_identical_one_is_meant(net: Network) -> None:
    twins = [noise(1), noise(1)]
    browser = LayerBrowser(net, twins[1], images=twins)
    assert browser._pictures["a"]["choice"] == 1
    page = Browser(browser)
    page.request("pick", slot="b", index=1)
    assert browser._pictures["b"]["choice"] == 1
    browser.close()


def test_a_path_that_is_one_of_those_offered(net: Network, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png_of(noise(1)))
    browser = LayerBrowser(net, str(tmp_path / "cat.png"), images={"Tom": tmp_path / "cat.png"})
    assert browser._pictures["a"]["name"] == "Tom"
    assert browser._pictures["a"]["choice"] == 0
    browser.close()


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


def test_a_page_that_leaves_in_the_middle_of_an_upload(
    page: Browser, browser: LayerBrowser
) -> None:
    page.request("upload", b"half", slot="a", name="x", part=0, parts=2)
    assert browser._uploads
    page.send("bye")
    assert not browser._uploads
