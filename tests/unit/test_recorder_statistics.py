"""What is measured of tensors: the numbers that torch has, of what they were at that moment."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.training.bins import SIDE
from cnnwidgets.training.forwards import SAMPLES, VALUES
from cnnwidgets.training.statistics import Measured
from cnnwidgets.training.table import FIELDS
from cnnwidgets.training.watch import CHANGES
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


def test_zeros_of_both_signs_are_counted() -> None:
    values = torch.tensor([0.0, -0.0, 1e-30, -1e-30, math.nan, math.inf, -math.inf, 1.0])
    columns = torch.ones(512, 128)
    columns[:, :32] = 0  # every fourth column: the values that are looked at are of all of them
    tensors = {KEY: values, ("large", "weights"): columns, ("ones", "weights"): torch.ones(3)}
    table = Measured(tensors).table()
    assert table.get(*KEY, "zeros") == pytest.approx(2 / 8)
    assert table.get("large", "weights", "zeros") == pytest.approx(1 / 4, abs=0.01)
    assert table.get("ones", "weights", "zeros") == 0


def test_the_change_of_a_large_layer_is_told_from_some_of_its_values() -> None:
    model = nn.Linear(512, 4 * CHANGES // 512, bias=False)
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with cw.Recorder(model, every=1) as run:
        model(torch.randn(8, 512)).square().sum().backward()
        optimizer.step()
    after = model.weight.detach()
    expected = float((after - before).norm() / after.norm())
    assert run.statistics(run.layers[0]).update[0] == pytest.approx(expected, rel=0.03)


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
