"""What leaves the gradient ascent viewer: files, figures, previews, pages."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

import cnnwidgets as cw
from cnnwidgets.widgets import ascent_page, ascent_saving
from cnnwidgets.widgets.colors import MARKS
from tests.ascending import climbed_by, held, viewing
from tests.climbing import climbed
from tests.kernel import PATIENCE, Browser, eventually
from tests.untouched import assert_untouched

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(suffix: str, tmp_path: Path) -> None:
    net = climbed()
    viewer = climbed_by("class:bird", net, lr=1.0)
    with assert_untouched(net.model):
        path = viewer.save(tmp_path / f"bird{suffix}")
    edge = 12 * 28
    drawn = np.kron(np.stack([viewer._climb.frames[step][0] for step in range(9)]), BLOCK)
    with Image.open(path) as film:
        assert film.format == suffix[1:].upper()
        assert film.n_frames == 9
        for step in range(9):
            film.seek(step)
            page = np.asarray(film.convert("RGB"))[28 : 28 + edge, 12 : 12 + edge].astype(int)
            apart = np.abs(drawn - page).mean((1, 2, 3))
            assert apart[step] == apart.min() < 12
        assert film.info["duration"] >= 2000
        assert film.info["loop"] == 0
    viewer.close()


BLOCK = np.ones((1, 28, 28, 1), int)


def test_a_sheet_of_steps(tmp_path: Path) -> None:
    viewer = climbed_by("conv2:1", steps=60, compare="seeds", count=4)
    one = np.asarray(Image.open(viewer.save(tmp_path / "sheet.PNG")))
    wide = one.shape[1] // 6  # of 24 / 4 steps
    kept = viewer._climb.frames
    for place, step in enumerate((0, kept.steps[-1])):
        left = (0, 5)[place] * wide + 12
        corner = one[28 : 28 + 168, left : left + 168]
        expected = np.kron(kept[step][0], np.ones((14, 14, 1)))
        np.testing.assert_array_equal(corner, expected)
    viewer.close()


def test_a_page_keeps_the_score_where_a_picture_has_ended() -> None:
    viewer = climbed_by("conv2:1", steps=600, lr=1e-6)
    (note,), last = viewer._ended["notes"], viewer._climb.measured[-1][0]
    assert note["words"]
    assert ascent_page._score(last) == f"score {last.score:.4g}"
    assert ascent_page._score(last._replace(score=float("nan"))) == "score not measured"
    viewer.compare, viewer.count = "channels", 3
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert viewer._story().title() == "3 units (mean activation)"
    viewer.close()


def test_a_film_needs_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = climbed_by()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="takes the program ffmpeg, which is not installed"):
        viewer.save(tmp_path / "film.mp4")
    assert "ffmpeg" in Browser(viewer).refusal("save", format="mp4")
    stand_in = tmp_path / "ffmpeg"
    stand_in.write_text(
        f"#!{sys.executable}\nimport sys\nraw = sys.stdin.buffer.read()\n"
        "open(sys.argv[-1], 'wb').write(' '.join(sys.argv[1:]).encode() + b'|' + raw)\n"
    )
    stand_in.chmod(0o755)
    told, _, raw = viewer.save(tmp_path / "film.mp4").read_bytes().partition(b"|")
    size = re.search(rb"-s (\d+)x(\d+)", told)
    assert size is not None
    width, height = map(int, size.groups())
    assert (width % 2, height % 2) == (0, 0)
    pages = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)
    assert len(pages) == 9
    np.testing.assert_array_equal(
        pages[8][28:30, 12:14], viewer._climb.frames[8][0][:1, :1][[0, 0]][:, [0, 0]]
    )
    stand_in.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('one\\nno such codec')\n")
    with pytest.raises(ValueError, match="ffmpeg could not make the film: no such codec"):
        viewer.save(tmp_path / "film.mp4")
    viewer.close()


def test_other_files_are_refused(tmp_path: Path) -> None:
    viewer = climbed_by()
    with pytest.raises(ValueError, match=r"suffix '.jpg'; choose one of .gif, .webp, .png, .mp4"):
        viewer.save(tmp_path / "film.jpg")
    with pytest.raises(ValueError, match=r"suffix ''; choose one of .gif, .webp, .png, .mp4"):
        viewer.save(tmp_path / "film")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        viewer.save(tmp_path / "nowhere" / "film.gif")
    assert not list(tmp_path.glob("film*"))
    viewer.close()


def test_a_page_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = climbed_by("conv2:1:2:3")
    page = Browser(viewer)
    monkeypatch.setattr("cnnwidgets.widgets.requests.WORTH_TELLING", 0.0)
    reply = page.request("save", format="gif")
    assert reply.value == {"name": "conv2-1-2-3.gif"}
    with Image.open(io.BytesIO(reply.tensors[0].tobytes())) as film:
        assert film.n_frames == 9
    told = [m.content for m in page.comm.custom() if m.content["kind"] == "progress"]
    assert told[-1]["total"] == 9
    assert "did you mean 'gif'" in page.refusal("save", format="gfi")
    viewer.reset()
    assert "run the viewer first" in page.refusal("save", format="gif")
    viewer.close()


def test_long_films_have_as_many_pages_as_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ascent_saving, "_PAGES", 5)
    viewer = climbed_by("conv1:1", steps=20)
    with Image.open(viewer.save(tmp_path / "film.gif")) as film:
        assert film.n_frames == 5
    assert viewer._story().steps(5) == [0, 5, 10, 15, 20]
    viewer.close()


def test_the_figure_says_what_it_shows() -> None:
    viewer = climbed_by("class:cat", steps=30, compare="sad")
    figure = viewer.figure()
    words = " ".join(" ".join(text.get_text().split()) for text in figure.findobj(Text))
    last = viewer._climb.measured[-1]
    for expected in (
        "cat (log-odds), step 30",
        f"cat score {last[0].score:.4g}",
        f"less of cat score {last[1].score:.4g}",
        "gradient norm",
        f"the answer first at step {viewer._ended['first'][0]}",
    ):
        assert expected in words
    every = [axes for part in figure.subfigs for axes in part.axes]
    pictures = [axes.images[0].get_array() for axes in every if axes.images]
    for index, picture in enumerate(pictures):
        np.testing.assert_array_equal(picture, viewer._climb.frames[30][index])
    (curve, *_) = [axes for axes in every if axes.get_ylabel() == "log-odds"]
    drawn = [np.asarray(line.get_ydata()) for line in curve.lines if len(line.get_xdata()) == 31]
    np.testing.assert_allclose(drawn, viewer._climb.numbers(0, 31)[0].T)
    look = (Path(cw.__file__).parents[1] / "js/src/shared/look.ts").read_text()
    assert "MARKS = [" + ", ".join(f'"{one}"' for one in MARKS) + "]" in look
    assert [line.get_color() for line in curve.lines if len(line.get_xdata()) == 31] == list(
        MARKS[:2]
    )
    (other,) = [axes for axes in every if axes.get_ylabel() == "gradient norm"]
    assert [len(line.get_xdata()) for line in other.lines] == [31, 31, 2]  # no dots
    viewer.follow, viewer.step = False, 7
    assert "step 7" in viewer.figure().subfigs[0].get_suptitle()
    viewer.close()


def test_the_preview_needs_no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    for viewer in (viewing(), climbed_by(start_from="zeros", lr=1e-6)):
        made = viewer._repr_mimebundle_()
        data = base64.b64decode(made[0]["image/png"])
        picture = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
        assert (picture < 40).sum() > (10_000 if viewer.frames else 50)
        assert viewer.error is None
        viewer.close()
    assert not [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]


def replies(path: Path) -> list[dict[str, Any]]:
    found = re.search(r'cnnw-document">(.*?)</script>', path.read_text(), re.DOTALL)
    assert found is not None
    recorded: list[dict[str, Any]] = json.loads(found[1])["replies"]
    return recorded


def test_a_page_replays_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    viewer = climbed_by("class:bird", steps=40)
    path = viewer.to_html(tmp_path / "bird.html")
    every = replies(path)
    assert [one["name"] for one in every[:2]] == ["curve", "frames"]
    assert [one["args"]["steps"] for one in every[1:4]] == [[40], [0], [32]]
    assert sorted(one["args"]["steps"][0] for one in every[1:]) == list(range(41))
    data = gzip.decompress(base64.b64decode(every[1]["tensors"][0]))
    np.testing.assert_array_equal(
        np.frombuffer(data[-12 * 12 * 3 :], np.uint8).reshape(12, 12, 3),
        viewer._climb.frames[40][0],
    )
    whole = path.stat().st_size
    short = viewer.to_html(tmp_path / "short.html", limit=whole - 12_000)
    assert len(replies(short)) < len(every)
    assert "frames between the others" in capsys.readouterr().out
    viewer.close()


def test_a_page_is_recorded_in_mid_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = viewing(steps=30)
    gate = held(viewer, monkeypatch)
    viewer.run()
    gate.release(5)
    eventually(lambda: len(viewer._climb.measured) > 4)
    gate.release(1)
    path = viewer.to_html(tmp_path / "bird.html")
    found = re.search(r'"running":(\w+)', path.read_text())
    assert found is not None
    assert found[1] == "false"
    assert viewer.running  # it goes on
    gate.release(100)
    assert viewer.wait(PATIENCE)
    assert len(viewer.frames) == 31
    viewer.close()
