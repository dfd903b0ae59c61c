"""One patch moved by hand: equal to a plain pass, wherever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.patches import PatchedPasses
from tests.architectures import ARCHITECTURES, first_cnn, resnet18
from tests.patching import patched, plain
from tests.small import noise, small_model
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from cnnwidgets.attribution.incremental.windows import Patched


class Deciding(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) if x.sum() > 0 else -x.mean((2, 3))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_equal_to_a_plain_pass(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = cw.Network(model, input_size=tuple(x.shape[1:]))
    size = x.shape[2]
    with assert_untouched(model, also=(x,)):
        probe = cw.OcclusionProbe(net, x)
        torch.testing.assert_close(probe.logits, plain(net, x))
        assert (probe.method, probe.reason) == ("incremental", None)
        for row, column in [(0, 0), (3, 2), (size - 1, 0), (-3, size - 3), (-2, -1)]:
            for window in ((4, 4), (5, 3), (size, size)):
                found = probe.at(row, column, window, "noise")
                copy = patched(x, filled(net, x, "noise"), row, column, window)
                torch.testing.assert_close(found, plain(net, copy), rtol=0, atol=1e-4)


@pytest.mark.parametrize("fill", ["mean", "blur", "noise", "red", "#00ff00", (1, 2, 3), 0.0, 1])
def test_every_fill(fill: Any) -> None:
    net = cw.Network(small_model(), input_size=16)
    probe, x = cw.OcclusionProbe(net, noise(0)), net.prepare(noise(0))
    for _ in range(2):
        expected = plain(net, patched(x, filled(net, x, fill), 3, 4, (5, 5)))
        torch.testing.assert_close(probe.at(3, 4, 5, fill), expected)
    tensor = torch.zeros(3, 16, 16)
    expected = plain(net, patched(x, tensor, 3, 4, (5, 5)))
    torch.testing.assert_close(probe.at(3, 4, 5, tensor), expected)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_several_patches_at_once_equal_a_plain_pass(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = cw.Network(model, input_size=tuple(x.shape[1:]))
    size = x.shape[2]
    probe, fill = cw.OcclusionProbe(net, x), filled(net, x, "noise")
    also = [(0, 0, 5), (size - 4, size // 2, 8), (-2, 3, 6)]  # two over the edge
    standing = x
    for row, column, edge in also:
        standing = patched(standing, fill, row, column, (edge, edge))
    with assert_untouched(model, also=(x,)):
        for row, column in [(0, 0), (3, 2), (size - 3, size - 3)]:  # beside them and over them
            found = probe.at(row, column, 4, "noise", also=also)
            expected = plain(net, patched(standing, fill, row, column, (4, 4)))
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
            alone = plain(net, patched(x, fill, row, column, (4, 4)))
            torch.testing.assert_close(probe.at(row, column, 4, "noise"), alone, rtol=0, atol=1e-4)


def test_patches_that_stand_are_laid_anew_for_another_fill_and_other_weights() -> None:
    model, x = first_cnn()
    net = cw.Network(model, input_size=32)
    probe, also = cw.OcclusionProbe(net, x), [(20, 20, 6)]
    for factor, fill, places in [
        (1.0, "noise", also),
        (1.0, "mean", also),
        (1.0, "mean", [(1, 20, 6)]),
        (1.1, "mean", [(1, 20, 6)]),
    ]:
        if factor != 1.0:
            model[2].weight.data.mul_(factor)  # type: ignore[index]
        fresh = cw.OcclusionProbe(net, x).at(3, 4, 8, fill, also=places)
        assert torch.equal(probe.at(3, 4, 8, fill, also=places), fresh)


def test_patches_beside_one_of_whole_passes() -> None:
    x = torch.randn(1, 3, 8, 8)
    probe = cw.OcclusionProbe(cw.Network(Deciding(), input_size=8), x)
    copy = patched(patched(x, torch.zeros_like(x), 2, 2, (3, 3)), torch.zeros_like(x), 5, 5, (2, 2))
    torch.testing.assert_close(probe.at(2, 2, 3, 0.0, also=[(5, 5, 2)]), Deciding()(copy)[0])


def test_a_patch_that_changes_nearly_all_is_passed_whole() -> None:
    cases = (first_cnn, 4, False), (first_cnn, 31, True), (ARCHITECTURES["vgg16"], 24, True)
    for make, window, whole in cases:
        model, x = make()
        probe = cw.OcclusionProbe(cw.Network(model.eval(), input_size=32), x)
        passes = probe._passes
        before = passes.operations
        found = probe.at(0, 0, window, 0.0)
        done = passes.operations - before
        assert (done == passes.full_cost.operations) == whole
        expected = model(patched(x, torch.zeros_like(x), 0, 0, (window, window)))[0]
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_new_weights_are_noticed() -> None:
    model, x = first_cnn()
    net = cw.Network(model, input_size=32)
    probe = cw.OcclusionProbe(net, x)
    before = probe.at(3, 4, 8), probe.logits
    with torch.no_grad():
        model[2].weight.mul_(1.5)  # type: ignore[index]
    after = probe.at(3, 4, 8), probe.logits
    fresh = cw.OcclusionProbe(net, x)
    assert torch.equal(after[0], fresh.at(3, 4, 8))
    assert torch.equal(after[1], fresh.logits)
    assert not torch.equal(after[0], before[0])
    assert not torch.equal(after[1], before[1])


def test_a_score_for_what_is_no_classifier() -> None:
    model, x = ARCHITECTURES["unet"]()
    probe = cw.OcclusionProbe(
        cw.Network(model, input_size=16), x, score=lambda y: y[:, 1].amax((1, 2))
    )
    with torch.no_grad():
        expected = model.eval()(patched(x, torch.zeros_like(x), 2, 2, (6, 6)))[:, 1].max()
    torch.testing.assert_close(probe.at(2, 2, 6, 0.0), expected[None])


def test_two_networks_of_which_one_takes_whole_passes() -> None:
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    probe = cw.OcclusionProbe(cw.Network(Deciding(), input_size=8), x)
    assert probe.method == "full"
    assert "decides by values" in str(probe.reason)
    copy = patched(x, torch.zeros_like(x), 2, 2, (3, 3))
    torch.testing.assert_close(probe.at(2, 2, 3, 0.0), Deciding()(copy)[0])


@pytest.mark.parametrize(
    ("row", "column", "window", "message"),
    [
        (16, 0, 4, "row, column: a patch of 4 × 4 at \\(16, 0\\) is beside the input"),
        (0, -4, 4, "beside"),
        (0, 0, 17, "window: 17 is larger"),
        (0, 0, 0, "window: 0; give pixels"),
    ],
)
def test_patches_that_make_no_sense(row: int, column: int, window: int, message: str) -> None:
    probe = cw.OcclusionProbe(cw.Network(small_model(), input_size=16), noise(0))
    with pytest.raises(ValueError, match=message):
        probe.at(row, column, window)


@pytest.mark.parametrize(
    ("box", "message"),
    [((16, 0, 4), "also: a patch of 4 × 4"), ((0, 0, 0), "also: 0; give pixels")],
)
def test_patches_beside_it_are_checked(box: tuple[int, int, int], message: str) -> None:
    probe = cw.OcclusionProbe(cw.Network(small_model(), input_size=16), noise(0))
    with pytest.raises(ValueError, match=message):
        probe.at(0, 0, 4, also=[box])


def test_answers_are_ordinary_tensors() -> None:
    probe = cw.OcclusionProbe(cw.Network(small_model(), input_size=16), noise(0))
    found = probe.at(1, 1, 4)
    assert not found.is_inference()
    assert not found.requires_grad
    with torch.autocast("cpu"), torch.inference_mode():
        torch.testing.assert_close(probe.at(1, 1, 4), found)


def test_a_dragged_window_has_one_size_wherever_it_is() -> None:
    """What computes it is prepared anew for every other shape."""
    model, x = resnet18()
    passes = PatchedPasses(cw.Network(model.eval(), input_size=tuple(x.shape[1:])), x)
    fill = torch.rand(x.shape)

    def extents(laid: Patched) -> tuple[Any, ...]:
        return tuple(passes.forecast.extents(laid.place))

    size = x.shape[2]
    window = (size // 8,) * 2
    places = [(row, column) for row in range(size // 2) for column in (0, 5, size - window[0])]
    dragged = [passes.dragged(fill, row, column, window) for row, column in places]
    laid = [passes.patched(fill, [row], [column], window) for row, column in places]
    assert len({extents(one) for one in dragged}) == 1
    assert len({extents(one) for one in laid}) > 1
    for one, other in zip(dragged[::7], laid[::7], strict=True):
        torch.testing.assert_close(
            passes.incremental(one), passes.full(other), rtol=1e-4, atol=1e-4
        )
