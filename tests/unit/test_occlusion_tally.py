"""What the browser is told of a sweep: the same as all at once, but each place measured once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from cnnwidgets.attribution import occlusion_map
from cnnwidgets.attribution.grid import Grid
from cnnwidgets.attribution.measures import measured
from cnnwidgets.widgets.occlusion_probing import Patch, Probing
from cnnwidgets.widgets.occlusion_tally import SNAPSHOT_BYTES, Tally
from cnnwidgets.widgets.pictures import Shown
from cnnwidgets.widgets.wire import unpack
from tests.small import noise

if TYPE_CHECKING:
    from cnnwidgets.attribution.occlusion_map import OcclusionMap
    from cnnwidgets.network import Network


@pytest.fixture
def probing(net: Network) -> Probing:
    return Probing(net, Shown(net.prepare(noise(0)), "noise"))


def maps(probing: Probing, stride: int = 1) -> list[OcclusionMap]:
    return list(probing.sweep(Patch(0, 0, 4, "mean"), stride, 0, "probability"))


def test_it_tells_the_same_as_all_at_once(probing: Probing) -> None:
    tally = Tally(probing)
    for found in maps(probing):
        told, scores = tally.snapshot(found, 2)
        expected, all_at_once = Tally(probing).snapshot(found, 2)
        assert told == expected
        assert scores == all_at_once
        place = [one["index"] for one in told["classes"]].index(2)
        for at, name in enumerate(("logit", "log-odds")):
            there = torch.from_numpy(unpack(scores)[at, place].copy())
            torch.testing.assert_close(there, found.following(2, name).scores, equal_nan=True)


def test_each_place_is_measured_once(probing: Probing, monkeypatch: pytest.MonkeyPatch) -> None:
    found = maps(probing)
    places = 0

    def counted(outputs: Any, *args: Any) -> Any:
        nonlocal places
        places += outputs.shape[:-1].numel() if outputs.ndim > 1 else 0
        return measured(outputs, *args)

    monkeypatch.setattr(occlusion_map, "measured", counted)
    tally = Tally(probing)
    for one in [*found, found[-1]]:
        told, _ = tally.snapshot(one, 0)
    assert places == 2 * len(told["classes"]) * found[-1].known.numel()


def test_a_large_grid_has_room_for_few_classes(probing: Probing) -> None:
    (found,) = maps(probing, stride=16)[-1:]
    rows = tuple(range(700))
    large = replace(
        found,
        logits=found.logits[:1, :1].expand(700, 700, -1),
        known=torch.ones(700, 700, dtype=torch.bool),
        layout=Grid(rows, rows, (4, 4)),
    )
    told, scores = Tally(probing).snapshot(large, 4)
    assert [one["index"] for one in told["classes"]] == [4]
    assert len(scores) < SNAPSHOT_BYTES
