"""Each rule of the diagnosis: what it finds, and what it just does not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import cnnwidgets as cw
from cnnwidgets.training.diagnosis import Diagnosis, diagnosis_of
from cnnwidgets.training.findings import Finding, by_cause
from cnnwidgets.training.table import FIELDS, WIDTH, Table
from tests.training import loss_of, small, train

LAYERS = ["conv1", "conv2", "fc"]


def diagnosis() -> Diagnosis:
    return Diagnosis(classes=10, layers=LAYERS, convolutions=frozenset(LAYERS[:2]))


def table(**rows: dict[str, float]) -> Table:
    """Healthy rows, and others: ``table(conv1_gradients={"zeros": 0.9})``."""
    healthy = {"norm": 1.0, "mean": 0.0, "std": 0.1, "zeros": 0.1, "nans": 0, "infs": 0}
    keys, values = [], []
    for layer in LAYERS:
        for quantity in ("gradients", "activations", "weights"):
            numbers = healthy | {"update": 1e-3, "dead": 0.1} | rows.get(f"{layer}_{quantity}", {})
            keys.append((layer, quantity))
            values.append([numbers.get(field, math.nan) for field in FIELDS])
    wide = np.full((len(keys), WIDTH), np.nan, np.float32)
    wide[:, : len(FIELDS)] = values
    return Table(tuple(keys), wide)


def kinds(found: list[Any]) -> list[tuple[str, str | None]]:
    return [(one.kind, one.layer) for one in found]


def after(rows: dict[str, dict[str, float]], records: int = 3) -> list[tuple[str, str | None]]:
    looked = diagnosis()
    return kinds([one for step in range(records) for one in looked.table(step, table(**rows))])


def losses(looked: Diagnosis, values: list[float], name: str = "loss") -> list[Any]:
    return [one for step, v in enumerate(values, 1) for one in looked.scalars(step, {name: v})]


def test_healthy_tables() -> None:
    assert after({}, 10) == []


@pytest.mark.parametrize(("zeros", "expected"), [(0.71, [("zero gradients", "conv2")]), (0.69, [])])
def test_zero_gradients(zeros: float, expected: list[Any]) -> None:
    assert after({"conv2_gradients": {"zeros": zeros}}) == expected
    assert after({"conv2_gradients": {"zeros": zeros}}, 2) == []  # once may be chance


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (9e-5, 0.1, "vanishing gradients"),
        (1.1e-4, 0.2, None),  # small beside the last, but not small
        (9e-5, 0.08, None),
        (71.0, 1.0, "exploding gradients"),
        (69.0, 1.0, None),
        (math.nan, 1.0, None),
    ],
)
def test_gradients_by_depth(first: float, last: float, expected: str | None) -> None:
    found = after({"conv1_gradients": {"norm": first}, "fc_gradients": {"norm": last}})
    assert found == ([(expected, "conv1")] if expected else [])


def test_a_gradient_of_zero_does_not_vanish() -> None:
    zero = {"conv1_gradients": {"norm": 0.0, "zeros": 1.0}, "fc_gradients": {"norm": 0.1}}
    assert after(zero) == [("zero gradients", "conv1")]


def test_dead_units_of_convolutions() -> None:
    assert after({"conv1_activations": {"dead": 0.8}}, 1) == [("dead units", "conv1")]
    assert after({"conv1_activations": {"dead": 0.79}}) == []
    assert after({"fc_activations": {"dead": 1.0}}) == []
    assert after({"conv1_activations": {"dead": math.nan}}) == []


def test_where_it_is_not_finite_first() -> None:
    forward = {"conv2_activations": {"nans": 1.0}, "fc_gradients": {"nans": 5.0}}
    assert after(forward) == [("not finite", "conv2")]
    backward = {"conv1_gradients": {"nans": 1.0}, "conv2_gradients": {"infs": 2.0}}
    assert after(backward) == [("not finite", "conv2")]  # the gradient came through it first
    assert after({"fc_weights": {"infs": 2.0}}) == [("not finite", "fc")]
    (found,) = diagnosis().table(4, table(**backward))
    assert found.evidence == {"NaN gradients": 0, "infinite gradients": 2}
    assert "infinite gradients: 2" in found.message
    (loss,) = losses(diagnosis(), [math.nan])
    assert (loss.layer, "In which layer it began is not known" in loss.message) == (None, True)


@pytest.mark.parametrize(
    ("rows", "layer", "said"),
    [
        ({"conv2_activations": {"nans": 3.0}}, "conv2", "NaN activations: 3, infinite activations"),
        ({"fc_gradients": {"infs": 2.0}}, "fc", "most likely the loss itself divides by zero"),
    ],
)
def test_a_loss_and_layers_that_are_not_finite_are_one_finding(
    rows: dict[str, dict[str, float]], layer: str, said: str
) -> None:
    looked = diagnosis()
    raw = [*looked.scalars(7, {"loss": math.nan}), *looked.table(7, table(**rows))]
    assert len(raw) == 2  # a run is written as it goes
    (found,) = by_cause(raw)
    assert (found.step, found.layer) == (7, layer)
    assert found.message.startswith("The loss is NaN; no step helps any more.")
    assert said in found.message
    assert math.isnan(found.evidence["loss"])
    assert losses(looked, [math.nan] * 9) == looked.table(8, table(**rows)) == []


def test_the_loss_after_its_layer() -> None:
    looked = diagnosis()
    assert kinds(looked.table(4, table(fc_weights={"nans": 1.0}))) == [("not finite", "fc")]
    assert looked.scalars(5, {"loss": math.nan}) == []
    looked = diagnosis()
    looked.table(4, table(fc_weights={"infs": 1.0}))
    assert kinds(looked.scalars(6, {"loss": math.nan})) == [("not finite", None)]  # another cause


def test_a_step_later_all_layers_are_not_finite_and_none_is_named() -> None:
    looked, rows = diagnosis(), {"conv1_activations": {"nans": 3.0}}
    raw = looked.scalars(7, {"loss": math.inf})
    raw += [one for step in (8, 9) for one in looked.table(step, table(**rows))]
    assert kinds(by_cause(raw)) == [("not finite", None)]
    looked = diagnosis()
    looked.scalars(7, {"loss": math.inf})
    assert looked.table(8, table()) == []  # such as a scaler does: the step was left out
    (found,) = looked.table(9, table(**rows))
    assert (found.layer, "loss" in found.evidence) == ("conv1", False)


def test_other_findings_stay() -> None:
    marks = [Finding("gradient spike", "mark", 3, None, {}, "")]
    others = [Finding("dead units", "error", 3, layer, {}, "") for layer in LAYERS]
    lost = Finding("not finite", "error", 3, None, {}, "")
    assert by_cause([*marks, *others, lost]) == [*marks, *others, lost]
    elsewhere = Finding("not finite", "error", 4, "fc", {}, "")
    assert by_cause([lost, elsewhere]) == [lost, elsewhere]


@pytest.mark.parametrize(
    ("update", "zeros", "said"),
    [
        (1e-7, 0.0, "too low"),
        (1e-2, 0.9, "Units are dead: the learning rate is too high"),
        (1e-2, 0.0, "labels belong together"),
    ],
)
def test_not_learning_says_which_way(update: float, zeros: float, said: str) -> None:
    looked = diagnosis()
    rows = {f"{layer}_weights": {"update": update} for layer in LAYERS}
    rows["conv1_gradients"] = {"zeros": zeros}
    for step in range(3):
        looked.table(step, table(**rows))
    (found,) = losses(looked, [2.31] * 60)
    assert (found.kind, found.step) == ("not learning", 50)
    assert said in found.message
    assert found.evidence["guessing"] == pytest.approx(math.log(10))


def test_learning_is_not_not_learning() -> None:
    assert losses(diagnosis(), [2.4 - step / 200 for step in range(100)]) == []
    assert losses(diagnosis(), [200.0 - step for step in range(100)]) == []  # another kind of loss
    assert losses(Diagnosis(), [2.31] * 100) == []  # no classifier
    fell_to_guessing = [300.0 / (1 + step) for step in range(20)] + [2.303] * 80
    assert kinds(losses(diagnosis(), fell_to_guessing)) == [("not learning", None)]


def test_diverging() -> None:
    assert kinds(losses(Diagnosis(), [1.0] * 30 + [6.0] * 20)) == [("diverging", None)]
    assert losses(Diagnosis(), [1.0] * 30 + [3.9] * 30) == []
    assert kinds(losses(Diagnosis(), [1.0, math.nan])) == [("not finite", None)]


def test_overfitting_takes_two_evaluations() -> None:
    def evaluated(validation: list[float]) -> list[Any]:
        looked = Diagnosis()
        losses(looked, [0.1] * 30)
        return kinds(losses(looked, validation, "val_loss"))

    assert evaluated([0.3, 0.2, 0.25, 0.3]) == [("overfitting", None)]
    assert evaluated([0.3, 0.2, 0.25]) == []
    assert evaluated([0.3, 0.2, 0.15, 0.14]) == []  # still falling
    assert evaluated([0.09, 0.10, 0.105]) == []  # no gap


def test_gradient_spikes_are_marks() -> None:
    dice = np.random.default_rng(0)
    norms = list(1 + 0.1 * dice.standard_normal(200))
    norms[120] = 3.0
    found = losses(Diagnosis(), norms, "gradient_norm")
    assert [(one.kind, one.step, one.severity) for one in found] == [
        ("gradient spike", 121, "mark")
    ]
    assert losses(Diagnosis(), [1.0] * 50 + [1.5], "gradient_norm") == []  # not twice the mean


def test_what_is_known_of_a_model() -> None:
    looked = diagnosis_of(small())
    assert looked.classes == 4
    assert looked.layers == ["0", "3", "7"]
    assert looked.convolutions == {"0", "3"}
    assert diagnosis_of(nn.Conv2d(1, 1, 1)).classes is None


def test_a_buried_layer_is_named_and_a_healthy_run_is_not() -> None:
    healthy, model = small(), small()
    nn.init.constant_(model[3].bias, -50.0)
    with cw.Recorder(healthy, every=1, snapshots=0) as good:
        train(healthy, steps=60)
    with cw.Recorder(model, every=1, snapshots=0) as bad:
        train(model, torch.optim.SGD(model.parameters(), 0.01), 60)
    assert good.findings == []
    assert ("dead units", "3") in kinds(bad.findings)
    assert ("zero gradients", "3") in kinds(bad.findings)
    dead = next(one for one in bad.findings if one.kind == "dead units")
    assert dead.severity == "error"
    assert str(dead).startswith("step 8, 3: dead units. 100% of the units")


def test_a_nan_in_the_input_is_found_at_its_step() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with cw.Recorder(model, every=1) as run:
        train(model, optimizer, 3)
        optimizer.zero_grad()
        (loss_of(model, 0) * torch.nan).backward()
        optimizer.step()
        train(model, optimizer, 2)
    assert [(one.step, one.kind, one.layer) for one in run.findings] == [(4, "not finite", "7")]
    assert "1 findings" in repr(run)
