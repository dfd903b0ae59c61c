"""An MP4 made by a real encoder, which comes with a package of the tests alone."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cnnwidgets.widgets.ascent_page import page
from tests.ascending import climbed_by

if TYPE_CHECKING:
    from pathlib import Path

encoder = pytest.importorskip("imageio_ffmpeg")


@pytest.mark.usefixtures("front_end")
def test_a_film_can_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has every page, in order, as it was drawn."""
    program = encoder.get_ffmpeg_exe()
    (tmp_path / "ffmpeg").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    viewer = climbed_by("class:bird", compare="sad", lr=1.0)
    film = viewer.save(tmp_path / "film.mp4")
    assert b"avc1" in film.read_bytes()  # H.264, which browsers play
    decode = [program, "-loglevel", "error", "-i", str(film), "-f", "rawvideo", "-pix_fmt", "rgb24"]
    raw = subprocess.run([*decode, "-"], capture_output=True, check=True).stdout
    story = viewer._story()
    drawn = np.stack([np.asarray(page(story, step)) for step in range(9)])
    shown = np.frombuffer(raw, np.uint8).reshape(drawn.shape).astype(float)
    for step, found in enumerate(shown):
        apart = abs(found - drawn).mean((1, 2, 3))
        assert apart[step] == apart.min() < 6
    viewer.close()
