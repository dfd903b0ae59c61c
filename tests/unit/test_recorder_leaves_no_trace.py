"""Training is the same with and without a recorder, and the model stays what it is."""

from __future__ import annotations

import copy
import io
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.amp import GradScaler

import cnnwidgets as cw
from cnnwidgets.training.statistics import Measured
from tests.training import batch, loss_of, small, train
from tests.untouched import state_of

if TYPE_CHECKING:
    from pathlib import Path

PATCHED = {"backward": torch.autograd.backward, "scale": GradScaler.scale}


def patched() -> dict[str, Any]:
    return {"backward": torch.autograd.backward, "scale": GradScaler.scale}


def trained(steps: int, **recorded: Any) -> tuple[dict[str, Tensor], Tensor]:
    """Weights after training, and the next random numbers."""
    model = small(inplace=True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    torch.manual_seed(7)
    if recorded:
        with cw.Recorder(model, **recorded):
            train(model, optimizer, steps)
    else:
        train(model, optimizer, steps)
    return model.state_dict(), torch.rand(4)


def test_training_is_bit_identical(tmp_path: Path) -> None:
    plain, dice = trained(50)
    probe = batch(99)[0]
    for recorded in (
        {"every": "auto"},
        {"every": 1, "probe": probe, "directory": tmp_path / "run"},
    ):
        weights, others = trained(50, **recorded)
        assert weights.keys() == plain.keys()
        for name, tensor in plain.items():
            assert torch.equal(tensor, weights[name]), name
        assert torch.equal(dice, others)


def test_nothing_stays_behind() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    before = state_of(model)
    run = cw.Recorder(model, every=1, probe=batch(3)[0])
    during = state_of(model)
    run.close()
    run.close()  # twice does no harm
    assert state_of(model) == before
    assert during != before
    assert patched() == PATCHED
    train(model, optimizer, 2)
    assert run.steps == []


def interrupted(model: Any) -> None:
    loss_of(model, 0).backward()
    raise KeyboardInterrupt


def test_closed_by_an_exception() -> None:
    model = small()
    before = state_of(model)
    run = cw.Recorder(model, every=1)
    with pytest.raises(KeyboardInterrupt), run:
        interrupted(model)
    model.zero_grad()
    after = state_of(model)
    hooks = {name: value for name, value in before.items() if "hooks" in name}
    assert {name: after[name] for name in hooks} == hooks
    assert patched() == PATCHED
    assert run.steps == []


def test_two_recorders_at_once() -> None:
    model = small()
    with cw.Recorder(model, every=1) as one, cw.Recorder(model, every=2) as two:
        train(model, steps=4)
    assert one.steps == [1, 2, 3, 4]
    assert two.steps == [1, 3]
    assert patched() == PATCHED
    assert one.scalars["loss"].values.tolist() == two.scalars["loss"].values.tolist()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])  # noqa: S301
def test_copies_do_not_record(copied: Any) -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1) as run:
        twin = copied(model)  # the hooks of the first step are on the layers
        copied(optimizer)
        twin(batch(0)[0] * 1e6).sum().backward()
        train(model, optimizer, 2)
    assert run.steps == [1, 2]
    assert run.statistics("0", "activations").norm.max() < 1000
    assert train(twin, steps=1)
    assert run.last_step == 2


def test_a_saved_model_does_not_need_this_package() -> None:
    model, file = small(), io.BytesIO()
    with cw.Recorder(model, every=1):
        torch.save(model, file)
    assert b"cnnwidgets" not in file.getvalue()


@pytest.mark.slow
def test_compiled_models() -> None:
    for early in (True, False):
        model = small()
        optimizer = torch.optim.SGD(model.parameters(), 0.05)
        compiled: Any = torch.compile(model, backend="eager") if early else model
        with cw.Recorder(compiled, every=1) as run:
            if not early:
                compiled = torch.compile(model, backend="eager")
            losses = train(compiled, optimizer, 3)
        assert run.steps == [1, 2, 3]
        assert run.scalars["loss"].values.tolist() == pytest.approx(losses)
        assert run.error is None
        assert "gradients" in run.quantities("3")
    torch.compiler.reset()


class Odd(nn.Module):
    """Shared, unused, empty, complex, half and frozen parameters, and odd outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.shared = self.first
        self.unused = nn.Conv2d(1, 1, 3)
        self.empty = nn.Parameter(torch.empty(0))
        self.waves = nn.Parameter(torch.ones(3, dtype=torch.complex64))
        self.brief = nn.Parameter(torch.ones(4, dtype=torch.float16))
        self.frozen = nn.Parameter(torch.ones(4), requires_grad=False)
        self.words = nn.Embedding(5, 4, sparse=True)
        self.act = nn.Sigmoid()

    def forward(self, x: Tensor) -> dict[str, Any]:
        x = self.first(x) * self.frozen * self.brief + self.waves.abs().sum()
        x = x + self.words(torch.tensor([1, 2]))
        return {"logits": self.act(self.shared(x)), "extra": None}


def test_odd_models() -> None:
    torch.manual_seed(0)
    model = Odd()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with cw.Recorder(model, every=1) as run:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(2, 4))["logits"].sum().backward()
            optimizer.step()
    assert run.error is None
    assert run.steps == [1, 2, 3]
    assert {"first", "unused", "waves", "brief", "frozen", "words", "act"} <= set(run.layers)
    assert run.quantities("unused") == ["weights", "biases"]  # never used: no more is known
    assert "gradients" in run.quantities("words")
    assert np.isfinite(run.statistics("words", "gradients").norm).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_tensors_without_a_finite_value(value: float) -> None:
    model = small()
    with cw.Recorder(model, every=1, probe=batch(0)[0]) as run:
        optimizer = torch.optim.SGD(model.parameters(), 0.05)
        train(model, optimizer, 2)
        with torch.no_grad():
            model[3].weight.fill_(value)
        train(model, optimizer, 3)
    assert run.error is None
    assert run.steps == [1, 2, 3, 4, 5]
    nans, infs = (run.statistics("3")._asdict()[name][3] for name in ("nans", "infs"))
    assert nans + infs == model[3].weight.numel()
    kinds = {(finding.kind, finding.layer) for finding in run.findings}
    assert ("not finite", "3") in kinds
    assert ("not finite", None) not in kinds, "it is the same cause"


def test_an_error_inside_lets_training_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1) as run:
        train(model, optimizer, 2)

        def fails(_: Measured) -> None:
            raise ValueError("of its own")

        monkeypatch.setattr(Measured, "table", fails)
        losses = train(model, optimizer, 3)
    assert len(losses) == 3
    assert run.steps == [1, 2]
    assert isinstance(run.error, ValueError)
    assert "recording ended at step 3, ValueError: of its own" in run.notes
    assert "recording ended" in caplog.text
    assert "of its own" in repr(run)
    assert run.model_at(2)(batch(0)[0]).shape == (8, 4)
    assert patched() == PATCHED


def test_parameters_frozen_added_and_moved_in_mid_run() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1) as run:
        train(model, optimizer, 2)
        model[0].requires_grad_(requires_grad=False)
        optimizer.zero_grad()
        train(model, optimizer, 2)
        model.append(nn.Linear(4, 4))
        optimizer.add_param_group({"params": model[8].parameters(), "lr": 0.01})
        train(model, optimizer, 2)
        model.double().float()  # other memory, as on another device
        train(model, optimizer, 2)
    assert run.error is None
    assert run.steps == list(range(1, 9))
    assert np.isnan(run.statistics("0", "gradients").norm).tolist() == [False] * 2 + [True] * 6
    assert np.isnan(run.statistics("8", "gradients").norm).tolist() == [True] * 4 + [False] * 4
    assert run.scalars["learning_rate/1"].steps.tolist() == [5, 6, 7, 8]
    assert run.statistics("8").update[-1] > 0
