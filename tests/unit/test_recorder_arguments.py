"""What a recorder takes, and what it says of what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

import cnnwidgets as cw
from tests.training import batch, small, train
from tests.untouched import state_of

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.random.default_rng(0).integers(0, 255, (4, 10, 10), np.uint8)
IMAGES = [Image.fromarray(one) for one in PIXELS]


@pytest.mark.parametrize(
    "probe",
    [
        PIXELS,
        torch.from_numpy(PIXELS),
        PIXELS[..., None],
        list(PIXELS),
        list(torch.from_numpy(PIXELS)),
        IMAGES,
        tuple(IMAGES),
    ],
    ids=["uint8", "tensor", "[N, H, W, 1]", "arrays", "tensors", "PIL", "tuple"],
)
def test_several_pictures(probe: Any) -> None:
    net = cw.Network(small(), input_size=(1, 10, 10))
    with cw.Recorder(net, probe=probe) as run:
        pass
    assert run.pictures is not None
    np.testing.assert_array_equal(run.pictures[..., 0], PIXELS)
    probed = run.probed(0)
    assert probed is not None
    assert probed.output.shape == (4, 4)


@pytest.mark.parametrize("probe", [batch(0, 3)[0], list(batch(0, 3)[0]), batch(0, 3)[0].numpy()])
def test_prepared_pictures(probe: Any) -> None:
    with cw.Recorder(small(), probe=probe) as run:
        pass
    probed = run.probed(0)
    assert probed is not None
    assert probed.output.shape == (3, 4)


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (torch.zeros(2, 3, 10, 10), r"^probe: pictures of shape \[2, 3, 10, 10\] have 3 channels"),
        ([], "^probe: there are no pictures"),
        ([torch.zeros(1, 10, 10), torch.zeros(1, 9, 9)], r"^probe: pictures of one size, not"),
        (torch.zeros(2, 10, 10), "^probe: floats of shape"),
        (5, "^probe: int is no image"),
        ("nowhere.png", "^probe: there is no file"),
    ],
)
def test_no_probe(probe: Any, said: str) -> None:
    model = small()
    net = cw.Network(model, input_size=(1, 10, 10))
    with pytest.raises((TypeError, ValueError, FileNotFoundError), match=said) as caught:
        cw.Recorder(net, probe=probe)
    assert "images=" not in str(caught.value)
    assert not model._forward_pre_hooks


def test_numbers_are_no_truth_values() -> None:
    wrong: Any = True
    with pytest.raises(ValueError, match="every: 'auto' or a number of steps from 1 on, not True"):
        cw.Recorder(small(), every=wrong)
    with pytest.raises(ValueError, match="snapshots: a number from 0 on, not True"):
        cw.Recorder(small(), snapshots=wrong)


@pytest.mark.usefixtures("front_end")
def test_steps_that_training_will_have(tmp_path: Path) -> None:
    wrong: tuple[Any, ...] = (0, True, 1.5, "a")
    for total in wrong:
        with pytest.raises(ValueError, match="total: a number of steps from 1 on, or None, not"):
            cw.Recorder(small(), total=total)
    with cw.watch(small(), directory=tmp_path, total=50) as run:
        stored = cw.load_run(tmp_path)
        read = cw.TrainingMonitor(stored)
        assert run.total == stored.total == run.monitor._runs[0]["total"] == 50
        for total in wrong:
            with pytest.raises(ValueError, match="total: a number of steps from 1 on"):
                run.total = total
        run.total = 60
        assert run.total == stored.total == 60
        read._tell()
        assert read._runs[0]["total"] == 60
        read.total = 70  # whatever the run says
        read._tell()
        assert read._runs[0]["total"] == 70
    run.monitor.close()
    read.close()


def test_a_directory_is_a_path() -> None:
    wrong: Any = 3
    with pytest.raises(TypeError, match="directory: a path, not int"):
        cw.Recorder(small(), directory=wrong)
    with pytest.raises(TypeError, match="logdir: the path of a folder, not int"):
        cw.load_tensorboard(wrong)
    with pytest.raises(TypeError, match="name: text, not int"):
        cw.Recorder(small(), wrong)
    with pytest.raises(TypeError, match="directory: the path of a run's directory, not int"):
        cw.load_run(wrong)


def test_what_is_logged_before_any_step() -> None:
    with cw.Recorder(small()) as run:
        for value in range(3):
            run.log(accuracy=value)
    assert run.notes == ["log: no step of an optimizer was seen yet, all is put at step 0"]
    model = small()
    with cw.Recorder(model) as run:
        run.log(accuracy=0.1)  # of the network that is not trained
        train(model, steps=1)
        run.log(accuracy=1)
        run.log(accuracy=1)
    assert run.notes == []


@pytest.mark.parametrize("shape", [(2, 3, 10, 10), (2, 1, 7, 7)])
def test_pictures_that_the_network_fails_on(shape: tuple[int, ...]) -> None:
    model = small()
    before = state_of(model)
    for net in (model, cw.Network(model, input_size=(1, 10, 10))):
        with pytest.raises(ValueError, match=r"^probe: ") as caught:
            cw.Recorder(net, probe=torch.zeros(shape), snapshots=0)
        assert str(list(shape)) in str(caught.value) or "1×7×7" in str(caught.value)
    assert state_of(model) == before


def test_a_network_whose_input_is_not_known() -> None:
    class Two(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            if x.shape[1] != 2:
                raise RuntimeError("two channels alone")
            return x.mean((2, 3))

    with cw.Recorder(Two(), probe=torch.ones(3, 2, 4, 4)) as run:
        pass
    probed = run.probed(0)
    assert probed is not None
    assert probed.output.shape == (3, 2)


class Functional(torch.nn.Module):
    """Takes pictures of 1×10×10 alone, which no module tells."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.fc = torch.nn.Conv2d(1, 4, 3), torch.nn.Linear(256, 4)

    def forward(self, x: Any) -> Any:
        return self.fc(self.stem(x).relu().flatten(1))


@pytest.mark.parametrize("probe", [batch(0, 3)[0], list(batch(0, 3)[0]), batch(0, 3)[0].numpy()])
def test_prepared_pictures_tell_the_size_of_the_input(probe: Any) -> None:
    with cw.Recorder(Functional(), probe=probe) as run:
        pass
    probed = run.probed(0)
    assert probed is not None
    assert probed.activations["fc"].shape == (3, 4)
    assert probed.gradients["fc"].shape == (3, 4)


def test_a_network_that_is_made_by_its_first_batch() -> None:
    lazy = (torch.nn.LazyConv2d(4, 3), torch.nn.Flatten(), torch.nn.LazyLinear(4))
    with cw.Recorder(model := torch.nn.Sequential(*lazy), probe=batch(0, 3)[0]) as run:
        model(batch(1)[0])
        train(model, steps=2)
    assert run.error is None
    assert run.notes == []
    probed = run.probed(2)
    assert probed is not None
    assert probed.output.shape == (3, 4)
