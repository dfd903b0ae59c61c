"""Layers are grouped as a reader would fold them."""

from __future__ import annotations

import pytest
from torch import nn

from cnnwidgets.blocks import blocks_of
from cnnwidgets.network import Network
from tests.architectures import ARCHITECTURES


def test_residual_blocks_keep_their_sums() -> None:
    model, x = ARCHITECTURES["resnet18"]()
    net = Network(model, input_size=tuple(x.shape[1:]))
    inside = [layer.name for layer in net.layers if layer.block == "layer2.0"]
    assert len(inside) >= 9
    assert any("add" in name for name in inside)
    assert any("downsample" in name for name in inside)
    assert net.layer("conv1").block == ""


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_every_block_is_a_module_around_its_layers(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    modules = dict(model.named_modules())
    for layer in Network(model, input_size=tuple(x.shape[1:])).layers:
        assert layer.block in modules
        assert not layer.block or layer.name.startswith(f"{layer.block}.")


def test_containers_are_looked_through_and_large_modules_too() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())

    class Backbone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stages = nn.ModuleList(Pair() for _ in range(20))

    model = nn.ModuleDict({"backbone": Backbone(), "head": nn.Sequential(nn.Linear(1, 1))})
    names = [f"backbone.stages.{i}.body.{j}" for i in range(20) for j in range(2)]
    found = blocks_of(model, [*names, "head.0", "add"])
    assert found["backbone.stages.3.body.1"] == "backbone.stages.3"
    assert found["head.0"] == "head"
    assert found["add"] == ""
