"""What Captum is given to hook is never the user's, however the network calls its ReLU."""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name
from torch.utils.checkpoint import checkpoint

import cnnwidgets as cw
from tests.architectures import ARCHITECTURES
from tests.explained import assert_same, captum
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
GATED = {"guided_backprop": "GuidedBackprop", "deconvnet": "Deconvolution"}


class Branches(nn.Module):
    """Two convolutions side by side, each rectified, and their sum once more."""

    def __init__(self, relus: list[nn.Module]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convs = nn.ModuleList(nn.Conv2d(3, 4, 3, padding=1) for _ in range(2))
        self.relus = nn.ModuleList(relus)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        one, two = (relu(conv(x)) for conv, relu in zip(self.convs, self.relus[:2], strict=True))
        return self.head(self.relus[2](one - 2 * two).mean((2, 3)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("method", GATED)
def test_one_module_in_branches_is_as_one_for_each(method: str) -> None:
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    shared, apart = Branches([nn.ReLU()] * 3), Branches([nn.ReLU() for _ in range(3)])
    with assert_untouched(shared):
        found = getattr(cw, method)(cw.Network(shared, input_size=8), x, 2)
    assert_same(found, captum(GATED[method], apart, x, target=2))


class Written(nn.Module):
    """A convolution whose maps a function rectifies, some or all of them."""

    def __init__(self, rectify: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.head = nn.Conv2d(6, 5, 8)
        self.rectify = rectify

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rectify(self.conv(x))).flatten(1)  # type: ignore[no-any-return]


def half_in_place(maps: Tensor) -> Tensor:
    maps[:, :3].relu_()
    return maps


def half(maps: Tensor) -> Tensor:
    return torch.cat([maps[:, :3].relu(), maps[:, 3:]], 1)


def computed_again(maps: Tensor) -> Tensor:
    found: Tensor = checkpoint(F.relu, maps, use_reentrant=False)
    return found


def beside_the_way(maps: Tensor) -> Tensor:
    with torch.no_grad():
        scale = maps.relu().mean()
    return maps.relu() * (scale + torch.ones(6, 1, 1).relu_()).detach()


def beside_the_way_by_other_means(maps: Tensor) -> Tensor:
    return maps.relu() * (maps.detach().clamp(min=0).mean() + 1)


@pytest.mark.parametrize("method", GATED)
@pytest.mark.parametrize(
    ("rectify", "same"),
    [
        (half_in_place, half),
        (computed_again, F.relu),
        (beside_the_way, beside_the_way_by_other_means),
    ],
)
def test_rectifiers_as_they_are_written(
    method: str, rectify: Callable[[Tensor], Tensor], same: Callable[[Tensor], Tensor]
) -> None:
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    model = Written(rectify)
    with assert_untouched(model, also=(x,)):
        found = getattr(cw, method)(cw.Network(model, input_size=8), x, 2)
    assert_same(found, getattr(cw, method)(cw.Network(Written(same), input_size=8), x, 2))
    assert not torch.equal(found, cw.saliency(cw.Network(model, input_size=8), x, 2))


@pytest.mark.parametrize("method", GATED)
def test_hooks_are_on_nothing_that_another_thread_trains(method: str) -> None:
    """Trained while it is explained, a network becomes what it does otherwise, bit for bit."""
    model, x = ARCHITECTURES["resnet18"]()
    twin = copy.deepcopy(model)
    train(twin, x)
    hooked: list[nn.Module] = []
    started, done = threading.Event(), threading.Event()

    def look(output: Tensor) -> Tensor:
        hooked.extend(m for m in model.modules() if m._forward_pre_hooks or m._forward_hooks)
        started.set()
        return output

    def explain() -> None:
        while not done.is_set():
            getattr(cw, method)(model, x, 1, score=look)

    thread = threading.Thread(target=explain)
    thread.start()
    try:
        assert started.wait(60)
        train(model, x)
    finally:
        done.set()
        thread.join()
    assert hooked == []
    others = twin.state_dict()
    assert all(torch.equal(value, others[name]) for name, value in model.state_dict().items())


def train(model: nn.Module, x: Tensor) -> None:
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    batch = torch.cat([x, -x, x.flip(3), x.flip(2)])
    for _ in range(15):
        optimizer.zero_grad()
        loss: Any = F.cross_entropy(model(batch), torch.arange(4))
        loss.backward()
        optimizer.step()


OTHER_WARNINGS = [
    ("Setting anything else", "captum.attr"),
    ("Setting backward hooks on ReLU activations", "another.module"),
]


def test_only_captums_own_warning_is_silenced() -> None:
    model, x = ARCHITECTURES["resnet18"]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cw.guided_backprop(model, x)
        assert caught == []
        for text, module in OTHER_WARNINGS:
            warnings.warn_explicit(text, UserWarning, "a file", 1, module)
    assert [str(one.message) for one in caught] == [text for text, _ in OTHER_WARNINGS]


SCRIPT = """
import random, sys, threading
import numpy, torch
import cnnwidgets as cw
from torch import nn

def states():
    kind, keys, *rest = numpy.random.get_state()
    return torch.get_rng_state().tolist(), random.getstate(), keys.tolist(), rest

"""

REAL = """
assert "captum" not in sys.modules
layers = nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)
net = cw.Network(nn.Sequential(*layers), input_size=(1, 8, 8))
net.predict(torch.zeros(1, 8, 8))
assert "captum" not in sys.modules
before = states()
cw.guided_backprop(net, torch.ones(1, 8, 8))
assert "captum" in sys.modules
assert states() == before
"""

DRAWING = """
from cnnwidgets.attribution import by_captum
before = states()
attr = by_captum.captum()
assert attr.drawn
assert states() == before
"""

IN_A_THREAD = """
from cnnwidgets.attribution import by_captum
sys.inside, sys.outside = threading.Event(), threading.Event()
thread = threading.Thread(target=by_captum.captum)
torch.manual_seed(0)
thread.start()
assert sys.inside.wait(60)
drawn = [torch.rand(1).item()]
sys.outside.set()
thread.join()
drawn.append(torch.rand(1).item())
torch.manual_seed(0)
assert drawn == torch.rand(2).tolist()
"""

CAPTUM = """
import random, sys, numpy, torch
if hasattr(sys, "inside"):
    sys.inside.set()
    assert sys.outside.wait(60)
drawn = random.random() + numpy.random.rand() + torch.rand(3).sum()
"""


@pytest.mark.parametrize(
    "script",
    [REAL, *(pytest.param(text, marks=pytest.mark.slow) for text in (DRAWING, IN_A_THREAD))],
)
def test_captum_comes_late_and_draws_no_random_numbers(script: str, tmp_path: Path) -> None:
    if script != REAL:  # a Captum that draws when it is imported, as other versions of it may
        (tmp_path / "captum").mkdir()
        (tmp_path / "captum" / "__init__.py").touch()
        (tmp_path / "captum" / "attr.py").write_text(CAPTUM, encoding="utf-8")
    path = f"import sys\nsys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
    subprocess.run([sys.executable, "-c", path + SCRIPT + script], check=True, cwd=tmp_path)
