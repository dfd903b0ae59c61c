"""An ascent as a file: an animation, or a sheet of its steps."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from cnnwidgets.widgets.ascent_page import page

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from cnnwidgets.widgets.ascent_page import Story

FORMATS = (".gif", ".webp", ".png", ".mp4")
_PAGES = 100
"""Steps of an animation at most."""
_SHEET, _LEAST = 24, 4
"""Pictures of a sheet, and steps of several at least."""
_ROW = 6
"""Steps of a row of the sheet."""
_SHOWN, _HELD = 50, 2000
"""Milliseconds of a step, and of the last."""
_COLOURS = 256


def write(path: str | os.PathLike[str], story: Story) -> Path:
    """Write an ascent to a file; see `GradientAscentViewer.save`."""
    file = Path(path)
    if file.suffix.lower() not in FORMATS:
        choose = f"choose one of {', '.join(FORMATS)}"
        raise ValueError(f"path: {file.name!r} has the suffix {file.suffix!r}; {choose}")
    if not file.parent.is_dir():
        raise FileNotFoundError(f"path: there is no folder {str(file.parent)!r}; make it first")
    file.write_bytes(encoded(story, file.suffix.lower()))
    return file


def encoded(
    story: Story, suffix: str, tell: Callable[[int, int], None] = lambda _done, _total: None
) -> bytes:
    """Return the file.

    Parameters
    ----------
    story
        What there is.
    suffix
        One of `FORMATS`.
    tell
        Called with (done, total) for each step.

    Raises
    ------
    FileNotFoundError
        If it takes ffmpeg, and there is none.
    ValueError
        If there are no pictures yet.
    """
    sheet = suffix == ".png"
    most = max(_LEAST, _SHEET // len(story.labels(0))) if sheet else _PAGES
    if not (steps := story.steps(most)):
        raise ValueError("there are no pictures yet; run the viewer first")
    program = _ffmpeg() if suffix == ".mp4" else ""

    def pages() -> Iterator[Image.Image]:
        for done, step in enumerate(steps):
            tell(done, len(steps))
            yield page(story, step, ask=True)

    if program:
        return _film(program, pages())
    return _sheet(list(pages())) if sheet else _animation(suffix, pages(), len(steps))


def _animation(suffix: str, pages: Iterator[Image.Image], count: int) -> bytes:
    how: dict[str, Any] = {"quality": 85, "method": 3}
    if suffix == ".gif":
        how = {"optimize": False}
        pages = (one.quantize(_COLOURS, Image.Quantize.MEDIANCUT) for one in pages)
    first, file = next(pages), io.BytesIO()
    durations = [_SHOWN] * (count - 1) + [_HELD]
    how["duration"] = durations if count > 1 else _HELD
    first.save(file, suffix[1:], save_all=True, append_images=pages, loop=0, **how)
    return file.getvalue()


def _sheet(pages: list[Image.Image]) -> bytes:
    wide, high = pages[0].size
    columns = min(_ROW, len(pages))
    rows = -(-len(pages) // columns)
    sheet, file = Image.new("RGB", (columns * wide, rows * high), "white"), io.BytesIO()
    for index, one in enumerate(pages):
        row, column = divmod(index, columns)
        sheet.paste(one, (column * wide, row * high))
    sheet.save(file, "png")
    return file.getvalue()


def _film(program: str, pages: Iterator[Image.Image]) -> bytes:
    """Let ffmpeg make an MP4 of pages, whose sides are even numbers of pixels."""
    first = next(pages)
    raw = b"".join(one.tobytes() for one in (first, *pages))
    size = f"{first.width}x{first.height}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "film.mp4")
        given = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(1000 // _SHOWN)]
        made = ["-pix_fmt", "yuv420p", "-movflags", "+faststart", str(file)]
        done = subprocess.run(  # noqa: S603 - a program that was found, and no word of the user's
            [program, "-loglevel", "error", *given, "-i", "-", *made],
            input=raw,
            capture_output=True,
            check=False,
        )
        if done.returncode or not file.exists():
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise ValueError(f"ffmpeg could not make the film: {said or done.returncode}")
        return file.read_bytes()


def formats() -> list[str]:
    """Return the formats that can be made here, without a dot."""
    return [one.removeprefix(".") for one in FORMATS if one != ".mp4" or shutil.which("ffmpeg")]


def _ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        raise FileNotFoundError(
            "an .mp4 takes the program ffmpeg, which is not installed here; save a .gif or .webp"
        )
    return program
