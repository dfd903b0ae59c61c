"""What is measured of tensors: the numbers that torch has, of what they were at that moment."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.training.bins import SIDE
from cnnwidgets.training.forwards import SAMPLES, VALUES
from cnnwidgets.training.statistics import _PART, Measured
from cnnwidgets.training.table import FIELDS
from tests.training import small, train

KEY = ("layer", "activations")


def test_what_is_not_finite_is_counted() -> None:
    table = Measured({KEY: torch.tensor([1.0, math.nan, math.inf, -math.inf, 0.0])}).table()
    assert (table.get(*KEY, "nans"), table.get(*KEY, "infs")) == (1, 2)
    assert table.get(*KEY, "zeros") == pytest.approx(0.2)
    assert table.values[0, len(FIELDS) + SIDE] == pytest.approx(0.5), "of what is finite"


def test_an_infinite_output_that_a_layer_overwrites_is_found() -> None:
    model = small(inplace=True)
    with torch.no_grad():
        model[3].bias.fill_(-math.inf)
    with cw.Recorder(model, every=1) as run:
        train(model, steps=1)
    assert run.statistics("3", "activations").infs[0] == 8 * 4 * 6 * 6
    assert run.statistics("4", "activations").infs[0] == 0
    assert run.statistics("4", "activations").zeros[0] == 1


def test_zeros_of_a_large_tensor_are_all_counted() -> None:
    values = torch.ones(3 * _PART + 5)
    values[[0, _PART - 1, _PART, 3 * _PART, -1]] = 0
    table = Measured({KEY: values, ("small", "weights"): torch.zeros(3)}).table()
    assert table.get(*KEY, "zeros") == pytest.approx(5 / len(values))
    assert table.get("small", "weights", "zeros") == 1


def test_finite_values_of_an_infinite_norm_are_no_infinities() -> None:
    table = Measured({KEY: torch.full((8,), 1e30)}).table()
    assert table.get(*KEY, "norm") == math.inf
    assert (table.get(*KEY, "nans"), table.get(*KEY, "infs")) == (0, 0)


def test_tables_of_several_measurements_keep_their_order() -> None:
    tensors = {(str(i), "weights"): torch.arange(i + 1.0) - 1 for i in range(6)}
    measured = Measured({})
    for part in (["0", "1", "2"], ["3"], ["4", "5"]):
        measured.join(Measured({(one, "weights"): tensors[one, "weights"] for one in part}))
    measured.put({("3", "weights"): torch.tensor(2.0)}, "update")
    table = measured.table()
    assert table.keys == tuple(tensors)
    for (layer, of), tensor in tensors.items():
        assert table.get(layer, of, "norm") == pytest.approx(float(tensor.norm()))
        assert table.get(layer, of, "mean") == pytest.approx(float(tensor.mean()))
        assert table.get(layer, of, "zeros") == pytest.approx(float((tensor == 0).float().mean()))
    update = 2 / float(tensors["3", "weights"].norm())
    assert table.get("3", "weights", "update") == pytest.approx(update)
    assert math.isnan(table.get("4", "weights", "update"))


@pytest.mark.parametrize("size", [1, 20, 150])
def test_of_large_layers_fewer_pictures_are_measured(size: int) -> None:
    model = nn.Sequential(nn.Conv2d(1, 8, 1), nn.Flatten(1), nn.Linear(8 * size * size, 2))
    outputs: list[Tensor] = []
    model[0].register_forward_hook(lambda _m, _i, o: outputs.append(o.detach().clone()))
    with cw.Recorder(model, every=1) as run:
        optimizer = torch.optim.SGD(model.parameters(), 0.0)
        model(torch.randn(24, 1, size, size)).sum().backward()
        optimizer.step()
    pictures = {1: SAMPLES, 20: SAMPLES, 150: 1}[size]
    assert (8 * size * size > VALUES) == (pictures == 1)
    norm = float(outputs[0][:pictures].norm())
    assert run.statistics("0", "activations").norm[0] == pytest.approx(norm, rel=1e-5)
    assert run.steps == [1]


def test_between_one_and_all_pictures() -> None:
    model = nn.Sequential(nn.Conv2d(1, 8, 1), nn.Flatten(1), nn.Linear(8 * 64 * 64, 2))
    outputs: list[Tensor] = []
    model[0].register_forward_hook(lambda _m, _i, o: outputs.append(o.detach().clone()))
    with cw.Recorder(model, every=1) as run:
        model(torch.randn(8, 1, 64, 64)).sum().backward()
        torch.optim.SGD(model.parameters(), 0.0).step()
    norm = float(outputs[0][: VALUES // (8 * 64 * 64)].norm())
    assert run.statistics("0", "activations").norm[0] == pytest.approx(norm, rel=1e-5)
