"""Event files: read as TensorBoard writes them, written as TensorBoard reads them."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

import cnnwidgets as cw
from cnnwidgets.training.tensorboard import records
from cnnwidgets.training.tensorboard.events import Counted, events_of
from cnnwidgets.training.tensorboard.protobuf import chunk, double, fields, single, varint
from tests.training import batch, small, train

if TYPE_CHECKING:
    from pathlib import Path


def test_checksums_are_those_of_the_standard() -> None:
    assert records.masked_crc(b"123456789") == (
        ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    )


def test_there_and_back(tmp_path: Path) -> None:
    model = small()
    with cw.Recorder(model, every=2) as run:
        train(model, steps=7)
        run.log(**{"val_loss": 0.5, "é/<b>": float("nan")})
    run.to_tensorboard(tmp_path)
    run.to_tensorboard(tmp_path / "other" / "deep")  # a folder of its own
    again = cw.load_tensorboard(tmp_path)
    assert again.scalars.keys() == run.scalars.keys()
    for name, curve in run.scalars.items():
        assert again.scalars[name].steps.tolist() == curve.steps.tolist()
        np.testing.assert_allclose(again.scalars[name].values, curve.values, rtol=1e-6)
    assert again.steps == run.steps
    assert set(again.layers) == set(run.layers)
    for layer in run.layers:
        for quantity in run.quantities(layer):
            np.testing.assert_allclose(
                again.histograms(layer, quantity).shares,
                run.histograms(layer, quantity).shares,
                atol=5e-4,  # they are kept as halves
            )
            read, written = again.statistics(layer, quantity), run.statistics(layer, quantity)
            for field in ("norm", "mean", "std"):
                np.testing.assert_allclose(
                    getattr(read, field), getattr(written, field), 1e-5, 1e-6, err_msg=field
                )
            for field in ("zeros", "nans", "infs", "update", "dead"):  # an event file has none
                assert np.isnan(getattr(read, field)).all()


def test_pictures_there_and_back(tmp_path: Path) -> None:
    model = small()
    probe = batch(0)[0][:2]
    with cw.Recorder(model, probe=probe) as run:
        train(model, steps=2)
    run.to_tensorboard(tmp_path / "first")
    first = cw.load_tensorboard(tmp_path / "first")
    first.to_tensorboard(tmp_path / "second")
    second = cw.load_tensorboard(tmp_path / "second")
    assert run.pictures is not None
    for read in (first, second):
        images = getattr(read, "images")  # noqa: B009
        assert list(images) == ["probe/0", "probe/1"]
        for pixels, [(step, file)] in zip(run.pictures, images.values(), strict=True):
            assert step == 0
            np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), pixels[..., 0])


def test_a_torn_file_is_read_up_to_there(tmp_path: Path) -> None:
    model = small()
    with cw.Recorder(model, every=1) as run:
        train(model, steps=6)
    run.to_tensorboard(tmp_path / "whole")
    (whole,) = (tmp_path / "whole").iterdir()
    data = whole.read_bytes()
    lengths = []
    for cut in range(0, len(data), 1009):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / whole.name).write_bytes(data[:cut])
        read = cw.load_tensorboard(folder)
        lengths.append(sum(len(curve.steps) for curve in read.scalars.values()))
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert lengths[-1] > 15


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_do_not_raise(tmp_path: Path, seed: int) -> None:
    model = small()
    with cw.Recorder(model, every=1) as run:
        train(model, steps=2)
    run.to_tensorboard(tmp_path)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    dice = np.random.default_rng(seed)
    for place in dice.integers(0, len(data), 200):
        data[place] = dice.integers(0, 256)
    path.write_bytes(data)
    assert cw.load_tensorboard(tmp_path).name


def test_the_new_form_of_scalars_histograms_and_images() -> None:
    def summary(tag: str, plugin: str, tensor: bytes) -> bytes:
        about = chunk(9, chunk(1, chunk(1, plugin))) if plugin else b""
        value = chunk(1, tag) + about + chunk(8, tensor)
        return double(1, 5.0) + varint(2, 3) + chunk(5, chunk(1, value))

    scalar = varint(1, 1) + chunk(5, struct.pack("<f", 0.5))
    rows = struct.pack("<6d", -1, 0, 2, 0, 4, 6)
    histogram = varint(1, 2) + chunk(4, rows)
    image = varint(1, 7) + chunk(8, b"8") + chunk(8, b"8") + chunk(8, b"PNG")
    plugins: dict[str, str] = {}
    (one,) = events_of(summary("a", "scalars", scalar), plugins)
    (two,) = events_of(summary("a", "", scalar), plugins)  # only the first says what it is
    assert one == two == (3, 5.0, "a", 0.5)
    (three,) = events_of(summary("h", "histograms", histogram), plugins)
    assert isinstance(three.value, Counted)
    assert three.value.edges.tolist() == [-1, 0, 4]
    assert three.value.counts.tolist() == [2, 6]
    assert three.value.mean == pytest.approx((-0.5 * 2 + 2 * 6) / 8)
    (four,) = events_of(summary("i", "images", image), plugins)
    assert four.value == b"PNG"


def test_messages_that_are_none() -> None:
    for bad in (b"\x80", b"\x0a\x05ab", b"\x0b", b"\xff" * 20):
        with pytest.raises(ValueError, match=r"message ends|wire type|without an end"):
            fields(bad)
    assert fields(varint(2, -1))[2] == [(1 << 64) - 1]


def test_a_length_that_lies_ends_the_file() -> None:
    file = io.BytesIO()
    records.write(file, b"one")
    file.write(struct.pack("<QI", 1 << 40, records.masked_crc(struct.pack("<Q", 1 << 40))))
    file.seek(0)
    assert list(records.read(file)) == [b"one"]


def test_findings_of_event_files(tmp_path: Path) -> None:
    with (tmp_path / "events.out.tfevents.1").open("wb") as file:
        for step in range(100):
            value = chunk(1, "Loss/train") + single(2, 1.0 + step)
            records.write(file, double(1, 1.0) + varint(2, step) + chunk(5, chunk(1, value)))
    (found,) = cw.load_tensorboard(tmp_path).findings
    assert found.kind == "diverging"


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="logdir: there are no event files"):
        cw.load_tensorboard(tmp_path)
    model = small()
    with cw.Recorder(model) as run:
        train(model, steps=2)
    run.to_tensorboard(tmp_path / "one")
    assert cw.load_tensorboard(tmp_path).name == "one"
    run.to_tensorboard(tmp_path / "two")
    with pytest.raises(ValueError, match="several runs, give one of them: 'one', 'two'"):
        cw.load_tensorboard(tmp_path)


def test_as_tensorboard_reads_and_writes_it(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

    model = small()
    with cw.Recorder(model, every=1, probe=batch(0)[0]) as run:
        train(model, steps=5)
    run.to_tensorboard(tmp_path / "ours")
    theirs = EventAccumulator(str(tmp_path / "ours"), size_guidance={"histograms": 0}).Reload()
    assert set(theirs.Tags()["scalars"]) == set(run.scalars)
    losses = [event.value for event in theirs.Scalars("loss")]
    assert losses == pytest.approx(run.scalars["loss"].values.tolist())
    first = theirs.Histograms("3/weights")[0].histogram_value
    assert np.nansum(first.bucket) == pytest.approx(model[3].weight.numel())
    assert first.num == pytest.approx(model[3].weight.numel())
    assert len(theirs.Histograms("3/weights")) == 5
    assert len(theirs.Tags()["images"]) == 8
    assert (theirs.Images("probe/7")[0].width, theirs.Images("probe/7")[0].height) == (10, 10)

    values = torch.randn(5000, generator=torch.Generator().manual_seed(0))
    with SummaryWriter(tmp_path / "theirs") as writer:
        for step in range(3):
            writer.add_scalar("loss", step / 3, step)
            writer.add_histogram("conv1/weights", values * (step + 1), step)
            writer.add_image("probe", torch.rand(3, 4, 4), step)
    read = cw.load_tensorboard(tmp_path / "theirs")
    assert read.scalars["loss"].values.tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    histograms = read.histograms("conv1", "weights")
    assert histograms.steps.tolist() == [0, 1, 2]
    exact, _ = np.histogram(values.numpy(), histograms.edges)
    assert np.abs(histograms.shares[0] - exact / 5000).max() < 0.03
    assert read.statistics("conv1", "weights").std[0] == pytest.approx(
        float(values.std()), rel=1e-2
    )
    assert [step for step, _ in getattr(read, "images")["probe"]] == [0, 1, 2]  # noqa: B009
