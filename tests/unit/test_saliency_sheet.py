"""The preview of a saliency viewer: what it says under its maps."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

import cnnwidgets as cw
from cnnwidgets.widgets.drawing import wrapped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("0 to 1 logit", "0 to 1 logit"),
        ("−1 to 1 logit per unit of the input", "−1 to 1 logit per\nunit of the input"),
        ("one two three four five six seven eight nine", "one two three four\nfive six…ght nine"),
    ],
)
def test_long_words_are_broken_before_they_are_shortened(text: str, expected: str) -> None:
    assert wrapped(text, 18, 2) == expected


def test_the_whole_unit_is_under_a_map(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    text = ImageDraw.ImageDraw.text

    def noted(
        self: ImageDraw.ImageDraw, at: tuple[int, int], words: str, *rest: object, **how: object
    ) -> None:
        drawn.append(words)
        text(self, at, words, *rest, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    net, images, _ = cw.samples.fashion()
    viewer = cw.SaliencyViewer(net, images[0], 0, method="grad_cam")
    viewer.run()
    viewer.wait()
    page = np.asarray(Image.open(io.BytesIO(viewer.preview())).convert("L"))
    unit = viewer._maps[0]["unit"]
    assert any(unit in " ".join(words.split()) for words in drawn)
    assert page[-4:].min() > 200  # the last line is inside the page
    viewer.close()
