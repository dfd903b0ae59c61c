"""What a recorder sees of plain loops: the right numbers, at the right steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import cnnwidgets as cw
from cnnwidgets.training.bins import SIDE
from cnnwidgets.training.pace import Pace
from tests.training import loss_of, small, train


def values(run: cw.Recorder, name: str) -> list[float]:
    return [float(value) for value in run.scalars[name].values]


def test_every_step_is_recorded() -> None:
    model = small()
    with cw.Recorder(model, "first", every=1) as run:
        losses = train(model, steps=12)
    assert run.name == "first"
    assert run.steps == list(range(1, 13))
    assert values(run, "loss") == pytest.approx(losses)
    assert run.scalars["loss"].steps.tolist() == run.steps
    assert values(run, "learning_rate") == [0.05] * 12
    assert np.all(np.diff(run.scalars["loss"].seconds) > 0)
    assert run.error is None
    assert run.notes == []


def test_statistics_equal_torch() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    conv = model[3]
    before = conv.weight.detach().clone()
    outputs: list[Tensor] = []
    handle = conv.register_forward_hook(lambda _m, _i, o: outputs.append(o.detach().clone()))
    with cw.Recorder(model, every=1) as run:
        train(model, optimizer, steps=1)
    handle.remove()
    for quantity, tensor in {
        "weights": conv.weight.detach(),
        "biases": conv.bias.detach(),
        "gradients": conv.weight.grad,
        "bias gradients": conv.bias.grad,
        "activations": outputs[0],
    }.items():
        found = run.statistics("3", quantity)
        assert found.steps.tolist() == [1]
        assert found.norm[0] == pytest.approx(float(tensor.norm()), rel=1e-5)
        assert found.mean[0] == pytest.approx(float(tensor.mean()), rel=1e-4, abs=1e-7)
        assert found.std[0] == pytest.approx(float(tensor.std(correction=0)), rel=1e-3)
        assert found.zeros[0] == pytest.approx(float((tensor == 0).float().mean()))
        assert (found.nans[0], found.infs[0]) == (0, 0)
        histogram = run.histograms("3", quantity)
        counts, _ = np.histogram(tensor.numpy(), histogram.edges)
        assert histogram.shares[0] == pytest.approx(counts / tensor.numel(), rel=5e-4)
    change = (conv.weight.detach() - before).norm() / conv.weight.detach().norm()
    assert run.statistics("3", "weights").update[0] == pytest.approx(float(change), rel=1e-4)
    total = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    assert values(run, "gradient_norm") == pytest.approx([float(total)])


def test_an_overwritten_output_is_recorded_as_it_was() -> None:
    plain, inplace = small(), small(inplace=True)
    with cw.Recorder(plain, every=1) as one, cw.Recorder(inplace, every=1) as other:
        train(plain, steps=2)
        train(inplace, steps=2)
    for layer in ("1", "3"):
        left, right = (run.histograms(layer, "activations").shares for run in (one, other))
        assert np.array_equal(left[0], right[0])
        assert left[0, :SIDE].sum() > 0.1  # the ReLU after it leaves nothing negative


def test_gradient_accumulation_is_one_step() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    losses = []
    with cw.Recorder(model, every=1) as run:
        for step in range(3):
            optimizer.zero_grad()
            parts = [loss_of(model, 4 * step + part) / 4 for part in range(4)]
            for part in parts:
                part.backward()
            losses.append(sum(part.item() for part in parts))
            gradient = model[3].weight.grad.norm()
            optimizer.step()
    assert run.steps == [1, 2, 3]
    assert run.statistics("3", "gradients").norm[-1] == pytest.approx(float(gradient))
    assert values(run, "loss") == pytest.approx(losses)


def test_gradients_are_seen_clipped() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=2) as run:
        for step in range(4):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            optimizer.step()
    assert values(run, "gradient_norm") == pytest.approx([0.01] * 4, rel=1e-3)
    assert run.statistics("3", "gradients").norm.max() < 0.01


def test_mixed_precision_is_seen_unscaled() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses = []
    with cw.Recorder(model, every=1) as run:
        for step in range(3):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of(model, step)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.item())
    assert values(run, "loss") == pytest.approx(losses)
    assert max(values(run, "gradient_norm")) < 50
    assert run.histograms("3", "activations").shares[0].sum() == pytest.approx(1, rel=5e-4)


def test_a_step_that_the_scaler_skips_is_none() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with cw.Recorder(model, every=1) as run:
        for step in range(3):
            optimizer.zero_grad()
            loss = loss_of(model, step) * (math.inf if step == 1 else 1)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    assert run.steps == [1, 2]
    assert [one for one in run.findings if one.layer] == []


def test_closures_compute_gradients_within_the_step() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    losses: list[float] = []
    norms: list[float] = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = loss_of(model, len(losses))
        loss.backward()
        losses.append(loss.item())
        norms.append(float(model[3].weight.grad.norm()))
        return loss

    with cw.Recorder(model, every=1) as run:
        optimizer.step(closure)
        optimizer.step(closure=closure)
    assert run.steps == [1, 2]
    assert values(run, "loss") == pytest.approx(losses)
    assert run.statistics("3", "gradients").norm.tolist() == pytest.approx(norms)


def test_several_optimizers_make_one_step() -> None:
    model = small()
    body = torch.optim.SGD([*model[:5].parameters()], 0.1)
    head = torch.optim.Adam(model[7].parameters(), 0.01)
    losses = []
    with cw.Recorder(model, every=1, optimizer=[body, head]) as run:
        for step in range(3):
            for optimizer in (body, head):
                optimizer.zero_grad()
            loss = loss_of(model, step)
            loss.backward()
            body.step()
            head.step()
            losses.append(loss.item())
    assert run.steps == [1, 2, 3]
    assert values(run, "loss") == pytest.approx(losses)
    assert values(run, "learning_rate") == [0.1] * 3
    assert values(run, "learning_rate/1") == [0.01] * 3
    for layer in ("0", "3", "7"):
        assert np.all(run.statistics(layer, "gradients").norm > 0)
        assert np.all(run.statistics(layer).update > 0)


def test_optimizers_in_turns_are_found() -> None:
    """One that steps every third time, as discriminators and generators do."""
    model = small()
    often = torch.optim.SGD(model[:5].parameters(), 0.1)
    seldom = torch.optim.SGD(model[7].parameters(), 0.01)
    losses = []
    with cw.Recorder(model, every=1) as run:
        for step in range(6):
            model.zero_grad()
            loss = loss_of(model, step)
            loss.backward()
            often.step()
            if step % 3 == 0:
                seldom.step()
            losses.append(loss.item())
    assert sum(values(run, "loss")) == pytest.approx(sum(losses))
    assert len(run.steps) >= 6


def test_other_models_are_not_recorded() -> None:
    model, other = small(), small()
    with cw.Recorder(model, every=1) as run:
        train(model, steps=2)
        with torch.no_grad():  # a validation makes the next loss no loss of this model
            model(torch.ones(2, 1, 10, 10))
        train(other, steps=5)
        train(model, steps=2, first=2)
    assert run.steps == [1, 2, 3, 4]
    assert len(values(run, "loss")) == 4
    assert run._watch._losses == []
    assert max(values(run, "loss")) < 3


def test_another_model_that_trains_first_is_not_recorded() -> None:
    model, other = small(), small()
    with cw.Recorder(model, every=1) as run:
        train(other, steps=5)
        losses = train(model, steps=2)
    assert values(run, "loss") == pytest.approx(losses)


def test_what_the_loop_alone_knows(caplog: pytest.LogCaptureFixture) -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, loss=None) as run:
        for step in range(3):
            train(model, optimizer, steps=1, first=step)
            run.log(val_loss=torch.tensor(step / 2), accuracy=np.float32(step), loss=7)
        run.log(odd="text", wide=torch.ones(3))  # type: ignore[arg-type]
    assert run.scalars["val_loss"].steps.tolist() == [1, 2, 3]
    assert values(run, "val_loss") == [0, 0.5, 1]
    assert values(run, "loss") == [7, 7, 7]
    assert "odd" not in run.scalars
    assert "run.log: odd is no number but str" in caplog.text
    assert len(run.notes) == 2


def test_validation_is_not_training() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1) as run:
        train(model, optimizer, steps=1)
        model.eval()
        with torch.no_grad():
            model(1000 * torch.ones(4, 1, 10, 10))
        model.train()
        train(model, optimizer, steps=1)
    assert run.statistics("0", "activations").norm[1] < 500


def test_dead_units_need_many_batches() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)
            self.norm = nn.BatchNorm2d(4)
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            x = functional.relu(self.conv(x), inplace=True)
            return self.fc(torch.relu(self.norm(x)).mean((2, 3)))

    torch.manual_seed(0)
    model = Functional()
    with torch.no_grad():
        model.get_parameter("conv.bias")[:3] = -100
    with cw.Recorder(model, every=1) as run:
        train(model, torch.optim.SGD(model.parameters(), 1e-3), steps=20)
    dead = run.statistics("conv", "activations").dead
    assert np.isnan(dead[:7]).all()
    assert dead[7:].tolist() == [0.75] * 13
    assert np.isnan(run.statistics("fc", "activations").dead).all()  # no ReLU follows it
    assert not np.isnan(run.statistics("norm", "activations").dead[-1])


def test_bad_arguments_say_what_to_do() -> None:
    model = small()
    with pytest.raises(ValueError, match="every: 'auto' or a number"):
        cw.Recorder(model, every=0)
    with pytest.raises(ValueError, match="ranks: 1 is neither 0 nor 'all'"):
        cw.Recorder(model, ranks=1)
    with pytest.raises(TypeError, match="no keyword 'optimiser'; did you mean 'optimizer'"):
        cw.Recorder(model, optimiser=None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"optimizer: a torch\.optim\.Optimizer, not str"):
        cw.Recorder(model, optimizer="adam")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="model must be"):
        cw.Recorder("model")  # type: ignore[arg-type]
    with cw.Recorder(model) as run:
        train(model, steps=1)
    with pytest.raises(ValueError, match="layer: 'O' was not"):
        run.histograms("O")
    with pytest.raises(ValueError, match="quantity: 'weight' was not recorded of '0'; did you"):
        run.statistics("0", "weight")
    with pytest.raises(RuntimeError, match="the recorder is closed"):
        run.start(print)


def test_samples_per_second_are_counted_over_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean of single steps' rates would be that of the shortest ones."""
    seconds = iter([0.001, 0.4, 0.001, 0.098, 0.7] * 2)
    monkeypatch.setattr(Pace, "stepped", lambda _self: next(seconds))
    model, samples = small(), 8
    with cw.Recorder(model, every=1) as run:
        train(model, steps=10)
    curve = run.scalars["samples_per_second"]
    assert curve.steps.tolist() == [4, 5, 9, 10]
    assert curve.values.tolist() == pytest.approx([samples * n for n in (8, 1 / 0.7, 8, 1 / 0.7)])


def test_what_is_found_in_the_loss_is_looked_into_at_once() -> None:
    model = small()
    with cw.Recorder(model, every=1000) as run:
        train(model, steps=8)
        for parameter in model.parameters():
            parameter.data.fill_(math.nan)
        train(model, steps=3)
    assert run.findings[0].step == 9
    assert run.steps == [1, 10], "and once only"
