"""What the sheets of all widgets are drawn with, by Pillow: it takes milliseconds."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from textwrap import wrap

from PIL import Image, ImageFont

BAR = "#3b6fb6"


@cache
def load_font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Load matplotlib's font, which knows more letters than Pillow's, but not matplotlib."""
    package = find_spec("matplotlib")
    for folder in (package and package.submodule_search_locations) or ():
        with suppress(OSError):
            return ImageFont.truetype(Path(folder, "mpl-data/fonts/ttf/DejaVuSans.ttf"), 12)
    return ImageFont.load_default(12)


def place(page: Image.Image, picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    """Put a picture into a box, as large as it can be; small ones keep their pixels."""
    left, top, right, bottom = box
    scale = min((right - left) / picture.width, (bottom - top) / picture.height)
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
    size = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    page.paste(picture.resize(size, how), (left, top))


def shorten(text: str, most: int) -> str:
    """Take the middle out of a text that is too long: its end may tell it from others."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    end = (most - 1) // 2
    return f"{line[: most - 1 - end].rstrip()}…{line[len(line) - end :].lstrip()}"


def plain(text: str) -> str:
    """Keep matplotlib from reading a name as a formula."""
    return text.replace("$", r"\$")


def wrapped(text: str, most: int, lines: int) -> str:
    """Break a text into so many lines; only where it is longer still, the last is shortened."""
    broken = wrap(text, most)
    rest = " ".join(broken[lines - 1 :])
    return "\n".join([*broken[: lines - 1], *([shorten(rest, most)] if rest else [])])
