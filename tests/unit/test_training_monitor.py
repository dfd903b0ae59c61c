"""The training monitor as an object: its traits, what it answers, its pages and pictures."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from matplotlib.text import Text
from PIL import Image

import cnnwidgets as cw
from cnnwidgets.training.bins import EDGES
from cnnwidgets.widgets.monitor_figure import smooth
from cnnwidgets.widgets.monitor_snapshots import predicted
from cnnwidgets.widgets.training_monitor import TrainingMonitor
from tests.kernel import Browser
from tests.monitoring import NAMES, Held, recorded
from tests.training import batch, small
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture(scope="module")
def run() -> cw.Recorder:
    run = recorded(directory=None)
    run.log(val_loss=0.5)
    return run


@pytest.fixture
def monitor(run: cw.Recorder, front_end: Path) -> Iterator[TrainingMonitor]:
    assert front_end
    assert run.model is not None
    with assert_untouched(run.model):
        monitor = TrainingMonitor(run)
        yield monitor
        monitor.close()


@pytest.fixture
def page(monitor: TrainingMonitor) -> Browser:
    return Browser(monitor)


def test_it_begins_at_the_newest_step_with_the_first_layer(
    monitor: TrainingMonitor, run: cw.Recorder
) -> None:
    assert (monitor.step, monitor.layer, monitor.follow) == (6, "0", True)
    assert monitor.runs == (run,)
    assert repr(monitor) == f"TrainingMonitor({run.name})"
    (told,) = monitor._runs
    assert told["id"] == "0"
    assert told["model"] == "Sequential"
    assert told["layers"] == ["0", "1", "2", "3", "4", "7"]
    assert [tuple(key) for key in told["keys"]] == list(run.history.keys)
    shapes = {"0": [4, 1, 3, 3], "1": [4], "3": [4, 4, 3, 3], "7": [4, 144]}
    wanted = {"steps": run.snapshots, "kind": "everything", "shapes": shapes}
    assert told["snapshots"] == wanted
    assert (told["live"], told["paused"], told["controllable"]) == (False, False, False)
    assert (told["rate"], told["total"], told["error"]) == (0.05, None, None)
    assert (told["probe"], told["classes"]) == (3, NAMES)


def test_the_first_layer_is_one_of_which_the_quantity_was_recorded(run: cw.Recorder) -> None:
    model = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4, 2))
    with cw.Recorder(model, every=1) as other:
        model(torch.rand(2, 1, 2, 2)).sum().backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
    for quantity, layer in (("weights", "2"), ("activations", "0")):
        monitor = TrainingMonitor(run, other, run=1, quantity=quantity)
        assert monitor._runs[1]["layers"] == ["0", "2"]
        assert monitor.layer == layer
        monitor.close()


def test_history_is_what_the_run_says(page: Browser, run: cw.Recorder) -> None:
    reply = page.request("history", run="0")
    Held().begin(reply).same_as(run, page.comm.state["_runs"][0]["keys"])
    assert reply.value["last_step"] == 6
    assert reply.value["elapsed"] == pytest.approx(run.seconds[-1], rel=0.5)


@pytest.mark.parametrize("what", ["filters", "maps", "gradients"])
def test_maps_are_those_of_the_snapshot(page: Browser, run: cw.Recorder, what: str) -> None:
    step = run.snapshots[2]
    reply = page.request("maps", run="0", step=step, layer="3", what=what, picture=2)
    snapshot = run.snapshot(step)
    assert snapshot.probed is not None
    expected = {
        "filters": snapshot.state["3.weight"],
        "maps": snapshot.probed.activations["3"][2].float(),
        "gradients": snapshot.probed.gradients["3"][2].float(),
    }[what]
    assert reply.value == {"step": step, "channels": 4, "shown": 4}
    span = float(expected.max() - expected.min())
    np.testing.assert_allclose(reply.tensors[0], expected, atol=span / 400)


def test_maps_of_a_step_without_a_snapshot_are_those_of_the_nearest(
    page: Browser, run: cw.Recorder
) -> None:
    reply = page.request("maps", run="0", step=10**9, layer="7", what="maps", picture=0)
    assert reply.value == {"step": run.snapshots[-1], "channels": 4, "shown": 4}
    assert reply.tensors[0].shape == (4, 1, 1)  # a dense layer


def test_many_channels_are_cut_off(front_end: Path) -> None:
    assert front_end
    model = torch.nn.Sequential(torch.nn.Conv2d(70, 300, 1), torch.nn.ReLU())
    run = cw.Recorder(model, probe=torch.rand(1, 70, 4, 4))
    run.close()
    monitor = TrainingMonitor(run)
    page = Browser(monitor)
    asked: dict[str, Any] = {"run": "0", "step": 0, "layer": "0", "picture": 0}
    filters = page.request("maps", what="filters", **asked)
    assert filters.value == {"step": 0, "channels": 300, "shown": 256}
    assert filters.tensors[0].shape == (256, 64, 1, 1)
    assert page.request("maps", what="maps", **asked).tensors[0].shape == (256, 4, 4)
    assert page.request("pictures", run="0").tensors[0].shape == (1, 4, 4, 1)  # mean of channels
    monitor.close()


def test_predictions(page: Browser, run: cw.Recorder) -> None:
    reply = page.request("predictions", run="0")
    value, (chances,) = reply.value, reply.tensors
    assert value["steps"] == run.snapshots
    assert chances.shape == (len(run.snapshots), 3, 4)
    assert [NAMES[i] for i in value["classes"]] == value["names"]
    for i, step in enumerate(run.snapshots):
        probed = run.probed(step)
        assert probed is not None
        expected = probed.output.softmax(1)
        np.testing.assert_allclose(chances[i], expected[:, value["classes"]], rtol=1e-5)
        assert value["predicted"][i] == expected.argmax(1).tolist()
    assert value["classes"] == [0, 1, 2, 3]


def test_of_many_classes_the_likeliest_are_told_first() -> None:
    chances = np.random.default_rng(0).random((2, 3, 12)).astype(np.float32)
    value, told = predicted(dict(enumerate(chances)), NAMES)
    assert len(value["classes"]) == 10
    assert (np.diff(told.mean((0, 1))) <= 0).all()
    assert value["names"][value["classes"].index(11)] == "class 11"


def test_of_what_is_no_number_no_class_is_predicted() -> None:
    chances = np.array([[[0.2, 0.8], [0.9, 0.1]], [[np.nan, np.nan], [1.0, 0.0]]], np.float32)
    value, _ = predicted(dict(enumerate(chances)), NAMES)
    assert value["predicted"] == [[1, 0], [-1, 0]]


def test_one_output_alone_is_not_taken_for_a_class() -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(100, 1))
    with cw.Recorder(net, probe=batch(0, 2)[0]) as alone:
        net(batch(0, 2)[0]).sum().backward()
        torch.optim.SGD(net.parameters(), 0.1).step()
    monitor = TrainingMonitor(alone)
    said = Browser(monitor).refusal("predictions", run="0")
    assert said.endswith("one output alone, which chooses between no classes")
    monitor.close()


def test_the_probe_pictures(page: Browser, run: cw.Recorder) -> None:
    (pictures,) = page.request("pictures", run="0").tensors
    assert pictures.shape == (3, 10, 10, 1)
    assert run.model is not None
    net = cw.Network(run.model, input_size=(1, 10, 10))
    np.testing.assert_array_equal(pictures, net.restore(batch(99, 3)[0]))


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("history", {"run": "7"}, "the monitor shows no run '7'"),
        ("history", {}, "run must be str, not NoneType"),
        ("maps", {"run": "0", "step": "a"}, "step must be int"),
        ("maps", {"step": 0, "layer": "3", "what": "mops", "picture": 0}, "did you mean 'maps'"),
        ("maps", {"step": 0, "layer": "4", "what": "filters", "picture": 0}, "'4' has no filters"),
        ("maps", {"step": 0, "layer": "x", "what": "maps", "picture": 0}, "no maps of 'x' were"),
        ("maps", {"step": 0, "layer": "3", "what": "maps", "picture": 3}, "none of the 3 probe"),
        ("maps", {"step": 0, "layer": "3", "what": "maps", "picture": -1}, "none of the 3 probe"),
        ("control", {"action": "pause"}, "not being recorded here"),
        ("control", {"action": "pose"}, "did you mean 'pause'"),
    ],
)
def test_requests_that_make_no_sense(
    page: Browser, name: str, args: dict[str, Any], said: str
) -> None:
    args = {"run": "0", **args} if args else {}
    assert said in page.refusal(name, **args)
    assert page.request("history", run="0").value["last_step"] == 6  # it goes on


@pytest.mark.parametrize(
    ("trait", "value", "said"),
    [
        ("layer", "fc1", "layer: 'fc1' was not recorded; choose one of '0', '1'"),
        ("run", 1, "run: there is no run 1; choose 0 to 0"),
        ("run", -1, "run: there is no run -1"),
        ("quantity", "gradient", "did you mean 'gradients'"),
        ("smoothing", 1.0, "smoothing: 0 to 0.99, not 1.0"),
        ("smoothing", -0.1, "smoothing: 0 to 0.99"),
        ("x", "time", "x: there is no 'time'; choose one of 'step', 'epoch', 'seconds'"),
        ("total", 0, "total: a number of steps from 1 on"),
        ("step", "a", "step: a step from 0 on, not 'a'"),
        ("pinned", "a", "pinned: a step from 0 on, or None, not 'a'"),
        ("follow", "a", "follow: True or False, not 'a'"),
        ("log_y", 3, "log_y: True or False, not 3"),
        ("run", "a", "run: the number of a run, from 0 on, not 'a'"),
        ("layer", 3, "layer: the name of a layer, not 3"),
        ("smoothing", "a", "smoothing: 0 to 0.99, not 'a'"),
        ("total", 1.5, "total: a number of steps from 1 on, or None, not 1.5"),
    ],
)
def test_settings_that_make_no_sense(
    monitor: TrainingMonitor, page: Browser, trait: str, value: Any, said: str
) -> None:
    before = getattr(monitor, trait)
    with pytest.raises(ValueError, match=re.escape(said)):
        setattr(monitor, trait, value)
    page.set(**{trait: value})
    assert said in str(monitor._error)
    assert getattr(monitor, trait) == before
    page.set(**{trait: before})
    assert monitor._error is None


def test_smoothing_is_a_number(monitor: TrainingMonitor) -> None:
    with pytest.raises(ValueError, match=r"smoothing: 0 to 0.99, not nan"):
        monitor.smoothing = float("nan")


def test_what_is_no_run(tmp_path: Path, run: cw.Recorder) -> None:
    with pytest.raises(TypeError, match="runs: give one or more"):
        TrainingMonitor()
    with pytest.raises(TypeError, match=r"not Sequential; cnnwidgets.watch\(model\) records"):
        TrainingMonitor(small())
    with pytest.raises(TypeError, match="one by one"):
        TrainingMonitor([run])  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="there is no run in"):
        TrainingMonitor(run, tmp_path / "none")
    with pytest.raises(TypeError, match="'smothing'; did you mean 'smoothing'"):
        TrainingMonitor(run, smothing=0.5)
    with pytest.raises(ValueError, match="layer: 'x' was not recorded"):
        TrainingMonitor(run, layer="x")


def test_a_step_that_is_set_stays(monitor: TrainingMonitor) -> None:
    monitor.step = 10**6  # anything
    assert (monitor.step, monitor.follow) == (10**6, False)
    monitor._tell()
    assert monitor.step == 10**6
    monitor.follow = True
    assert monitor.step == 6


def test_a_page_that_scrubs(monitor: TrainingMonitor, page: Browser) -> None:
    page.set(step=2, follow=False)
    monitor._tell()
    assert (monitor.step, monitor.follow) == (2, False)
    page.set(follow=True)
    assert monitor.step == 6


def test_a_step_given_at_first_stays(run: cw.Recorder) -> None:
    monitor = TrainingMonitor(run, step=3, layer="7", pinned=1)
    assert (monitor.step, monitor.follow, monitor.layer) == (3, False, "7")
    assert monitor.comm.state["step"] == 3
    monitor.close()


def test_runs_of_different_models(run: cw.Recorder, front_end: Path) -> None:
    assert front_end
    torch.manual_seed(0)
    other = cw.Recorder(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2)), snapshots=0)
    other.close()
    other.history.add_scalar("loss", 3, 1.0, 2.0)
    monitor = TrainingMonitor(run, other, layer="3")
    assert [told["name"] for told in monitor._runs] == [run.name, other.name]
    page = Browser(monitor)
    Held().begin(page.request("history", run="1")).same_as(other, [])
    assert "has no probe" in page.refusal("predictions", run="1")
    assert "has no probe" in page.refusal("pictures", run="1")
    monitor.run = 1
    assert monitor.layer == "3"  # nothing is known of the other one's layers
    assert monitor.step == 3
    assert len(monitor.figure().axes) >= 2
    monitor.close()


def test_the_layer_changes_with_the_run(run: cw.Recorder, front_end: Path) -> None:
    assert front_end
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    with cw.Recorder(model, every=1) as other:
        model(torch.rand(2, 1, 2, 2)).sum().backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
    monitor = TrainingMonitor(run, other, layer="3")
    monitor.run = 1
    assert monitor.layer == "1"
    assert monitor.step == 1
    with pytest.raises(ValueError, match="layer: '3' was not recorded; the only one is '1'"):
        monitor.layer = "3"
    monitor.close()


def texts(monitor: TrainingMonitor) -> str:
    return "\n".join(text.get_text() for text in monitor.figure().findobj(Text))


def test_the_figure(monitor: TrainingMonitor, run: cw.Recorder) -> None:
    monitor.layer, monitor.step, monitor.pinned = "3", 4, 1
    curves, histogram = (monitor.figure().axes[i] for i in (0, -1))
    raw, smoothed = curves.lines[:2]
    loss = run.scalars["loss"]
    np.testing.assert_array_equal(raw.get_xydata(), np.stack([loss.steps, loss.values], 1))
    np.testing.assert_array_equal(smoothed.get_ydata(), smooth(loss.values, 0.6))
    pinned, shown = histogram.patches
    shares = run.histograms("3", "weights").shares
    for patch, row in ((shown, shares[3]), (pinned, shares[0])):
        drawn, edges, _ = patch.get_data()  # type: ignore[attr-defined]
        areas, ends = drawn * np.diff(edges), len(drawn) // 2
        np.testing.assert_allclose(areas[:ends], row[:ends], rtol=1e-6)
        np.testing.assert_allclose(areas[-ends:], row[-ends:], rtol=1e-6)
        assert areas[ends] == pytest.approx(row[ends:-ends].sum())
        assert ends < 80  # the octaves about zero, which hold next to nothing, are one bin
        octaves = np.log2(EDGES[-ends - 1 :])
        np.testing.assert_allclose(edges[-ends - 1 :], octaves - octaves[0] + 0.5, rtol=1e-6)
    said = texts(monitor)
    for text in ("loss", "step 4", "step 1", "3: weights", "share per octave", "val"):
        assert text in said
    monitor.quantity = "activations"
    monitor.x, monitor.log_y = "seconds", True
    assert "seconds since the run began" in texts(monitor)
    assert monitor.figure().axes[0].get_yscale() == "log"


def test_the_figures_histogram_has_its_ticks_at_the_values(monitor: TrainingMonitor) -> None:
    axes = monitor.figure().axes[-1]
    said = [text.get_text() for text in axes.get_xticklabels()]
    ticks = dict(zip(said, axes.get_xticks(), strict=True))
    end = axes.patches[-1].get_data().edges[-1]  # type: ignore[attr-defined]
    assert ticks["0"] == 0
    assert ticks["0.1"] == pytest.approx(end - 8 + np.log2(0.1))  # the last bin ends at 2^8
    assert ticks["-0.1"] == -ticks["0.1"]
    assert axes.get_xlim()[1] < ticks["100"] < end
    assert "smoothed by 0.6" in texts(monitor)


def test_epochs_are_between_those_logged(front_end: Path) -> None:
    assert front_end
    run = cw.Recorder(small())
    run.close()
    for step in range(1, 5):
        run.history.add_scalar("loss", step, step, 1.0)
    for step, epoch in ((2, 1), (4, 2)):
        run.history.add_scalar("epoch", step, step, epoch)
    monitor = TrainingMonitor(run, x="epoch", smoothing=0)
    (line,) = monitor.figure().axes[0].lines
    assert np.asarray(line.get_xdata()).tolist() == [1, 1, 1.5, 2]
    monitor.close()


def test_smoothing_is_that_of_tensorboard() -> None:
    values = np.array([4.0, np.nan, 2.0, np.inf, 1.0])
    smoothed = smooth(values, 0.5)
    assert smoothed[0] == 4
    np.testing.assert_array_equal(smoothed[[1, 3]], values[[1, 3]])
    assert smoothed[2] == pytest.approx((0.5 * 0.5 * 4 + 0.5 * 2) / 0.75)
    assert smoothed[4] == pytest.approx((0.125 * 4 + 0.25 * 2 + 0.5 * 1) / 0.875)
    np.testing.assert_array_equal(smooth(values, 0), values)


def test_a_picture_for_the_notebooks_file(monitor: TrainingMonitor) -> None:
    made = monitor._repr_mimebundle_()
    assert made is not None
    picture = Image.open(io.BytesIO(base64.b64decode(made[0]["image/png"])))
    assert picture.width > 400
    assert len(set(picture.convert("L").tobytes())) > 10
    assert made[0]["text/plain"] == repr(monitor)
    assert monitor.error is None
