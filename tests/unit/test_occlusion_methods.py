"""By which passes a sweep is made: the cheaper ones, a draft, within so much memory."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.attribution.grid import Grid
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.attribution.sweep import Sweep
from tests.architectures import ARCHITECTURES, first_cnn, resnet18
from tests.untouched import assert_untouched


def test_auto_falls_back_where_it_does_not_pay() -> None:
    model, x = first_cnn()
    small = cw.occlusion(model, x, 0, window=4, stride=14)
    large = cw.occlusion(model, x, 0, window=28, stride=4)
    assert (small.method, small.reason) == ("incremental", None)
    assert large.method == "full"
    assert large.reason is not None
    assert "of the arithmetic" in large.reason
    asked = cw.occlusion(model, x, 0, window=28, stride=4, method="incremental")
    assert (asked.method, asked.reason) == ("incremental", None)
    torch.testing.assert_close(asked.scores, large.scores)
    assert cw.occlusion(model, x, 0, window=28, method="full").reason is None


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "unet"])
@pytest.mark.parametrize("share", [0.2, 0.8])
def test_auto_never_does_more_than_full_passes(name: str, share: float) -> None:
    model, x = ARCHITECTURES[name]()
    window = int(share * x.shape[2])
    found = cw.occlusion(model, x, 0, window=window, stride=3)
    asked = cw.occlusion(model, x, 0, window=window, stride=3, method="incremental")
    worth = asked.operations <= 0.75 * asked.full_operations
    assert found.method == ("incremental" if worth else "full")
    assert (found.reason is None) == worth
    assert found.operations == (asked if worth else found).operations <= found.full_operations
    torch.testing.assert_close(found.logits, asked.logits, rtol=0, atol=1e-4)


def test_a_draft_tells_how_far_off_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnwidgets.attribution.sweep.MOST", 16)
    model, x = resnet18()
    options: dict[str, Any] = {"window": 4, "stride": 3, "measure": "logit"}
    with assert_untouched(model, also=(x,)):
        draft = cw.occlusion(model, x, 0, method="draft", **options)
    exact = cw.occlusion(model, x, 0, **options)
    assert (draft.method, draft.reason, exact.error) == ("draft", None, 0.0)
    assert draft.exact is not None
    tried = draft.exact[..., 0].isfinite()
    assert 8 <= tried.sum() < 0.15 * tried.numel()
    torch.testing.assert_close(draft.exact[tried], exact.logits[tried])
    apart = (draft.scores - exact.scores).abs()
    assert draft.error == float(apart[tried].max())
    assert 0 < draft.error < 0.05 * float(exact.scores.abs().max())
    assert f"draft, error {draft.error:.2g}" in repr(draft)
    chances = draft.following(1, "probability")
    away = chances.scores - exact.following(1, "probability").scores
    assert chances.error == pytest.approx(float(away[tried].abs().max()), rel=1e-3)
    large = cw.occlusion(model, x, 0, window=30, stride=2, method="draft")
    assert (large.method, large.reason) == ("draft", None)
    assert large.operations >= large.full_operations


def test_a_draft_of_what_has_none_is_exact() -> None:
    model, x = ARCHITECTURES["recurrent"]()
    found = cw.occlusion(model, x, 0, window=4, stride=2, method="draft")
    assert found.method in {"incremental", "full"}
    assert "not possible in bfloat16" in str(found.reason)
    assert (found.exact, found.error) == (None, 0.0)
    exact = cw.occlusion(model, x, 0, window=4, stride=2, method="full")
    torch.testing.assert_close(found.scores, exact.scores)


def test_memory_bounds_the_batch() -> None:
    model, x = first_cnn()
    net = cw.Network(model, input_size=32)
    passes, layout = PatchedPasses(net, x), Grid.regular((8, 8), (8, 8), (32, 32))
    sizes = []
    for memory in (1e9, 2e6, 1):
        sweep = Sweep(passes, torch.zeros_like(x), layout, "auto", memory)
        assert all(len(block) <= sweep.batch for block in layout.blocks(sweep.batch))
        sizes.append(sweep.batch)
        assert cw.occlusion(net, x, 0, window=8, stride=8, memory=memory).complete
    assert sizes[0] > sizes[1] > sizes[2] == 1


MEASURE = """
import resource, sys, torch
from itertools import islice
from torch import nn
from cnnwidgets.attribution import iter_occlusion
torch.manual_seed(0)
body = [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()]
model = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
x = torch.randn(1, 3, 224, 224)
def grown(memory):
    next(iter_occlusion(model, x, 0, window=96, stride=1, memory=1, method=sys.argv[1]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    options = {"window": 96, "stride": 1, "memory": memory, "method": sys.argv[1]}
    for one in islice(iter_occlusion(model, x, 0, **options), 3):
        pass
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in kilobytes on Linux
    return (after - before) / 1000, int(one.known.sum())
print(*grown(float(sys.argv[2])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["incremental", "full"])
def test_memory_is_a_bound(method: str) -> None:
    command = [sys.executable, "-c", MEASURE, method, "100e6"]
    megabytes, tried = map(float, subprocess.check_output(command).split())
    assert (tried >= 3, megabytes < 130) == (True, True)
