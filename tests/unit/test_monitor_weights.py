"""A layer's weights over the steps, and logged pictures, as the monitor's pages get them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

import cnnwidgets as cw
from cnnwidgets.training.shelves import Files
from cnnwidgets.widgets.monitor_weights import MOST_ROWS, sample
from cnnwidgets.widgets.training_monitor import TrainingMonitor
from tests.kernel import Browser
from tests.monitoring import recorded
from tests.training import batch, small, train
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cnnwidgets.training.run import Run

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture(scope="module")
def run() -> cw.Recorder:
    return recorded(directory=None)


@pytest.fixture
def page(run: cw.Recorder) -> Iterator[Browser]:
    assert run.model is not None
    with assert_untouched(run.model):
        monitor = TrainingMonitor(run)
        yield Browser(monitor)
        monitor.close()


def one_step(model: torch.nn.Module, x: torch.Tensor, **keywords: Any) -> cw.Recorder:
    with cw.Recorder(model, every=1, **keywords) as run:
        model(x).square().sum().backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
    return run


def asked(run: Run, layer: str, after: int = -1) -> tuple[dict[str, Any], list[Any]]:
    monitor = TrainingMonitor(run)
    reply = Browser(monitor).request("weights", run="0", layer=layer, after=after)
    monitor.close()
    return reply.value, reply.tensors


@pytest.mark.parametrize("layer", ["0", "3", "7"])
def test_weights_are_those_of_the_run(page: Browser, run: cw.Recorder, layer: str) -> None:
    reply = page.request("weights", run="0", layer=layer, after=-1)
    value, (values, norms) = reply.value, reply.tensors
    assert value["steps"] == value["new"] == run.snapshots
    assert len(run.snapshots) > 3
    for i, step in enumerate(run.snapshots):
        weights = run.weights(step)[f"{layer}.weight"]
        assert value["shape"] == list(weights.shape)
        np.testing.assert_array_equal(values[i], weights.flatten()[value["weights"]])
        np.testing.assert_allclose(norms[i], weights.flatten(1).norm(dim=1), rtol=1e-6)
    assert value["weights"] == sample(weights.numel()).tolist()
    assert value["filters"] == list(range(len(weights)))
    assert np.abs(values[-1] - values[0]).max() > 0


def test_only_what_is_new_is_sent(page: Browser, run: cw.Recorder) -> None:
    whole = page.request("weights", run="0", layer="3", after=-1)
    known = run.snapshots[-3]
    more = page.request("weights", run="0", layer="3", after=known)
    assert more.value["new"] == run.snapshots[-2:]
    assert more.value["steps"] == run.snapshots
    for all_of_it, new in zip(whole.tensors, more.tensors, strict=True):
        np.testing.assert_array_equal(new, all_of_it[-2:])
    none = page.request("weights", run="0", layer="3", after=run.snapshots[-1])
    assert (none.value["new"], none.tensors[0].size) == ([], 0)


def test_of_many_weights_an_even_sample_is_sent() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(64, 300, 3), torch.nn.ReLU())
    run = one_step(model, torch.rand(1, 64, 3, 3))
    value, (values, norms) = asked(run, "0")
    assert values.shape == norms.shape == (len(run.snapshots), MOST_ROWS)
    weights = run.weights(run.snapshots[-1])["0.weight"]
    np.testing.assert_array_equal(values[-1], weights.flatten()[value["weights"]])
    norm = weights.flatten(1).norm(dim=1)[value["filters"]]
    np.testing.assert_allclose(norms[-1], norm, rtol=1e-6)
    assert len({at // (64 * 9) for at in value["weights"]}) > 200  # of most filters
    places = np.bincount(np.array(value["weights"]) % 9, minlength=9)
    assert places.min() > 0.7 * places.mean()  # of every place in a filter


@pytest.mark.parametrize("count", [1, 255, 256, 257, 2304, 25_088 * 4096])
def test_a_sample_has_one_of_each_part(count: int) -> None:
    chosen = sample(count)
    assert len(chosen) == min(count, MOST_ROWS)
    assert (np.diff(chosen) > 0).all()
    assert (chosen[0] >= 0, chosen[-1] < count) == (True, True)
    parts = np.arange(len(chosen))
    assert (chosen >= parts * count // len(chosen)).all()
    assert (chosen <= (parts + 1) * count // len(chosen)).all()


def test_layers_of_other_shapes(run: cw.Recorder) -> None:
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.Flatten(), torch.nn.PReLU())
    other = one_step(model, torch.rand(2, 3, 2, 2))
    value, (values, norms) = asked(other, "0")
    assert value["shape"] == [3]
    np.testing.assert_array_equal(norms, np.abs(values))
    assert asked(other, "2")[0]["shape"] == [1]
    monitor = TrainingMonitor(other, run)
    page = Browser(monitor)
    assert "hold no weights of '1'" in page.refusal("weights", run="0", layer="1", after=-1)
    assert "after must be int" in page.refusal("weights", run="0", layer="0", after=None)
    told = [one["snapshots"]["shapes"] for one in monitor._runs]
    assert told[0] == {"0": [3], "2": [1]}
    assert told[1] == {"0": [4, 1, 3, 3], "1": [4], "3": [4, 4, 3, 3], "7": [4, 144]}
    monitor.close()


@pytest.mark.parametrize("groups", [1, 2])
def test_filters_of_a_transposed_convolution_are_of_what_it_puts_out(
    groups: int, tmp_path: Path
) -> None:
    conv = torch.nn.ConvTranspose2d(4, 6, 3, groups=groups)
    model = torch.nn.Sequential(conv, torch.nn.ReLU())
    recorder = one_step(model, torch.rand(1, 4, 5, 5), directory=tmp_path / "run")
    ins, outs = 4 // groups, 6 // groups
    loaded = cw.load_run(tmp_path / "run")
    for run in (recorder, loaded):
        weights = run.weights(1)["0.weight"]
        assert list(weights.shape) == [4, outs, 3, 3]
        kernels = [
            weights[k // outs * ins : (k // outs + 1) * ins, k % outs] for k in range(6)
        ]  # of each output channel, by what it reads
        value, (values, norms) = asked(run, "0")
        assert value["shape"] == [6, ins, 3, 3]
        assert value["filters"] == list(range(6))
        np.testing.assert_allclose(norms[-1], [one.norm() for one in kernels], rtol=1e-6)
        np.testing.assert_array_equal(values[-1], torch.stack(kernels).flatten())
        monitor = TrainingMonitor(run)
        assert monitor._runs[0]["snapshots"]["shapes"] == {"0": [6, ins, 3, 3]}
        what = {"what": "filters", "picture": 0}
        reply = Browser(monitor).request("maps", run="0", layer="0", step=1, **what)
        assert (reply.value["channels"], reply.tensors[0].shape) == (6, (6, ins, 3, 3))
        largest = float(torch.stack(kernels).abs().max())
        np.testing.assert_allclose(reply.tensors[0], torch.stack(kernels), atol=largest / 100)
        monitor.close()
    loaded.close()


def test_shapes_of_a_stored_run_are_told_without_reading_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded(directory=tmp_path / "run")
    expected = TrainingMonitor(run)
    monkeypatch.setattr(Files, "get", None)
    loaded = cw.load_run(tmp_path / "run")
    monitor = TrainingMonitor(loaded)
    told = [one._runs[0]["snapshots"]["shapes"] for one in (expected, monitor)]
    assert told[0] == told[1] == {"0": [4, 1, 3, 3], "1": [4], "3": [4, 4, 3, 3], "7": [4, 144]}
    for one in (expected, monitor, loaded):
        one.close()
    for path in (tmp_path / "run").glob("snapshots/step-*"):
        path.write_bytes(b"damaged")
    loaded = cw.load_run(tmp_path / "run")
    monitor = TrainingMonitor(loaded)
    assert monitor._runs[0]["snapshots"]["shapes"] == {}
    monitor.close()
    loaded.close()


def test_weights_that_are_no_numbers() -> None:
    model = small()
    with cw.Recorder(model, every=1) as run:
        train(model, torch.optim.SGD(model.parameters(), 1e30), 6)
    value, (values, norms) = asked(run, "0")
    broken = np.isnan(values[-1].reshape(4, 9)).any(1)
    assert broken.any()
    np.testing.assert_array_equal(np.isnan(norms[-1]), broken)
    assert np.isfinite(values[0]).all()
    assert value["new"] == run.snapshots


def test_a_run_in_a_directory(tmp_path: Path) -> None:
    run = recorded(directory=tmp_path / "run")
    loaded = cw.load_run(tmp_path / "run")
    value, (values, _) = asked(loaded, "3")
    for i, step in enumerate(value["new"]):
        expected = run.weights(step)["3.weight"].flatten()
        np.testing.assert_array_equal(values[i], expected)
    loaded.close()


def test_snapshots_of_filters_alone(tmp_path: Path) -> None:
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(128, 900)
    )
    run = one_step(model, batch(0, 2)[0], snapshot_bytes=8 * 4 * 18 * 40)
    assert run.snapshot_kind == "filters"
    monitor = TrainingMonitor(run)
    page = Browser(monitor)
    assert monitor._runs[0]["snapshots"]["shapes"] == {"0": [2, 1, 3, 3]}
    assert page.request("weights", run="0", layer="0", after=-1).value["new"] == run.snapshots
    assert "hold no weights of '2'" in page.refusal("weights", run="0", layer="2", after=-1)
    monitor.close()
    assert tmp_path


def test_an_exported_page_has_the_chosen_layers_weights_of_all_runs_first(
    run: cw.Recorder,
) -> None:
    monitor = TrainingMonitor(run, recorded(2, directory=None), layer="3")
    asked = list(monitor.recorded())
    assert [name for name, _ in asked[:6]] == ["history"] * 2 + ["predictions"] * 2 + [
        "pictures"
    ] * 2
    weights = [(one["run"], one["layer"]) for name, one in asked if name == "weights"]
    assert weights == [(one["run"], one["layer"]) for _, one in asked[6:8]] + weights[2:]
    assert weights[:2] == [("0", "3"), ("1", "3")]
    assert sorted(weights) == [(run, layer) for run in "01" for layer in "0137"]
    assert monitor.in_words([one for one in monitor.recorded() if one[0] == "weights"]) == (
        "weights over the steps"
    )
    monitor.close()


def png(size: tuple[int, int], color: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def logged(tmp_path: Path) -> Run:
    writer = pytest.importorskip("torch.utils.tensorboard").SummaryWriter(str(tmp_path))
    for step in (0, 10, 20):
        writer.add_scalar("loss", 1.0, step)
        writer.add_image("<b>probe</b>", torch.full((3, 4, 6), step / 20), step)
    writer.add_image("large", torch.zeros(1, 512, 1024), 5)
    writer.add_image("long", torch.zeros(1, 5, 8192), 5)
    writer.add_image("wide", torch.rand(3, 20, 600), 5)
    writer.close()
    return cw.load_tensorboard(tmp_path)


def test_pictures_of_event_files_are_shown_by_their_tags(logged: Run) -> None:
    monitor = TrainingMonitor(logged)
    page = Browser(monitor)
    (told,) = monitor._runs
    assert told["images"] == {
        "<b>probe</b>": [0, 10, 20],
        "large": [5],
        "long": [5],
        "wide": [5],
    }
    assert told["snapshots"] == {"steps": [], "kind": None, "shapes": {}}
    asked = {"run": "0", "what": "images", "picture": 0}
    for step, level in ((0, 0), (11, 127), (10**9, 255)):
        reply = page.request("maps", step=step, layer="<b>probe</b>", **asked)
        assert reply.value == {"size": [6, 4]}
        assert reply.tensors[0].shape == (4, 6, 3)
        assert np.abs(reply.tensors[0].astype(int) - level).max() <= 1
    large = page.request("maps", step=5, layer="large", **asked)
    assert (large.value, large.tensors[0].shape) == ({"size": [1024, 512]}, (362, 724, 3))
    long = page.request("maps", step=5, layer="long", **asked)
    assert (long.value, long.tensors[0].shape) == ({"size": [8192, 5]}, (2, 4096, 3))
    wide = page.request("maps", step=5, layer="wide", **asked)
    assert (wide.value, wide.tensors[0].shape) == ({"size": [600, 20]}, (20, 600, 3))
    assert "no pictures of 'x'" in page.refusal("maps", step=5, layer="x", **asked)
    exported = [args for name, args in monitor.recorded() if name == "maps"]
    assert [args["step"] for args in exported] == [20, 10, 0, 5, 5, 5]
    assert exported[0] == {**asked, "layer": "<b>probe</b>", "step": 20}
    assert monitor.in_words([("maps", args) for args in exported]) == "logged pictures"
    monitor.close()


@pytest.mark.parametrize("histograms", [False, True])
def test_a_folder_of_pictures_has_their_steps(*, histograms: bool, tmp_path: Path) -> None:
    writer = pytest.importorskip("torch.utils.tensorboard").SummaryWriter(str(tmp_path))
    for tag, steps in (("first", (0, 30)), ("second", (5, 20))):
        for step in steps:
            writer.add_image(tag, torch.zeros(3, 4, 6), step)
    if histograms:
        writer.add_histogram("conv/weights", torch.arange(9.0), 10)
    writer.close()
    run = cw.load_tensorboard(tmp_path)
    assert run.last_step == 30
    monitor = TrainingMonitor(run)
    assert monitor.step == 30
    assert Browser(monitor).request("history", run="0").value["curves"] == []
    monitor.close()


def test_a_damaged_picture_is_refused_and_the_others_are_shown(logged: Run) -> None:
    images = getattr(logged, "images")  # noqa: B009
    images["bad"] = [(3, png((4, 4), (1, 2, 3))[:40]), (9, b"no picture")]
    monitor = TrainingMonitor(logged)
    page = Browser(monitor)
    for step in (3, 9):
        asked = {"run": "0", "what": "images", "picture": 0, "layer": "bad", "step": step}
        assert f"'bad' of step {step} cannot be read" in page.refusal("maps", **asked)
    images["bad"][1] = (9, png((4, 4), (1, 2, 3)))
    assert page.request("maps", **asked).tensors[0].reshape(-1, 3)[0].tolist() == [1, 2, 3]
    monitor.close()
