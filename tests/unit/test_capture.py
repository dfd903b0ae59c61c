"""Activations and gradients are the true ones, and taking them leaves no trace."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.capture import capture
from cnnwidgets.classes import first_output, scores
from cnnwidgets.network import Network
from tests.architectures import ARCHITECTURES, resnet18, vgg16
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


def network(model: nn.Module, x: Tensor) -> Network:
    return Network(model, input_size=tuple(x.shape[1:]))


def out_of_place(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return model


def by_hooks(model: nn.Module, x: Tensor, target: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Module name → (activation, gradient), the textbook way."""
    values: dict[str, Tensor] = {}
    seen: dict[str, Tensor] = {}
    model.eval()

    def keep(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _args: object, output: object) -> None:
            if isinstance(output, Tensor) and output.requires_grad:
                output.retain_grad()
                seen[name] = output
                values[name] = output.detach().clone()

        return hook

    for name, module in model.named_modules():
        module.register_forward_hook(keep(name))
    scores(model(x.clone().requires_grad_()))[:, target].sum().backward()
    return {
        name: (values[name], output.grad)
        for name, output in seen.items()
        if output.grad is not None
    }


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("frozen", [False, True])
def test_equal_to_hooks_and_backward(name: str, frozen: bool) -> None:  # noqa: FBT001 - pytest's
    model, x = ARCHITECTURES[name]()
    model.requires_grad_(not frozen)
    x = torch.cat([x, x.flip(-1)])
    net = network(model, x)
    with assert_untouched(model, also=(x,)):
        found = capture(net, x, gradients=True, target=1)
    assert found.activations.keys() == {layer.name for layer in net.layers}
    expected = by_hooks(out_of_place(model), x, target=1)
    compared = 0
    for layer in net.layers:
        if layer.name in expected and "#" not in layer.name and layer.kind != "recurrent":
            reused = any(f"{layer.name}#2" == other.name for other in net.layers)
            if not reused:
                activation, gradient = expected[layer.name]
                torch.testing.assert_close(found.activations[layer.name], activation)
                torch.testing.assert_close(
                    found.gradients[layer.name], gradient, rtol=1e-3, atol=1e-6
                )
                compared += 1
    assert compared >= 2
    torch.testing.assert_close(first_output(found.output), first_output(model(x)))


@pytest.mark.parametrize("around", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_any_mode_around(around: Callable[[], Any]) -> None:
    model, x = resnet18()
    net = network(model, x)
    expected = capture(net, x, ["layer3.0.conv1"], gradients=True)
    with around(), assert_untouched(model):
        found = capture(network(model, x), x * 1, ["layer3.0.conv1"], gradients=True)
        torch.testing.assert_close(found.activations, expected.activations)
        torch.testing.assert_close(found.gradients, expected.gradients)
        value = found.activations["layer3.0.conv1"]
        assert not value.is_inference()
        assert not value.requires_grad


def test_existing_gradients_and_hooks_stay() -> None:
    model, x = resnet18()
    model(torch.cat([x, x])).sum().backward()
    fired: list[object] = []
    for parameter in model.parameters():
        parameter.register_hook(fired.append)
    with assert_untouched(model):
        capture(network(model, x), x, gradients=True)
    assert not fired


def test_value_and_gradient_before_it_is_overwritten() -> None:
    model, x = vgg16()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    net = network(model, x)
    found = capture(net, x, ["features.0", "features.1"], gradients=True)
    before, after = (found.activations[name] for name in ("features.0", "features.1"))
    assert (before < 0).any()
    torch.testing.assert_close(before.relu(), after)
    gradients = found.gradients
    torch.testing.assert_close(gradients["features.0"], gradients["features.1"] * (before > 0))


def test_clones_only_what_is_overwritten() -> None:
    model, x = vgg16()
    found = capture(network(model, x), x).activations
    pooled, flat = found["avgpool"], found["flatten"]
    assert pooled.data_ptr() == flat.data_ptr()
    assert found["features.0"].data_ptr() != found["features.1"].data_ptr()


def test_an_input_overwritten_first_thing() -> None:
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(12, 2))
    x = torch.randn(1, 3, 2, 2)
    with assert_untouched(model, also=(x,)):
        found = capture(network(model, x), x, gradients=True)
    assert (found.activations["0"] >= 0).all()
    assert found.gradients["0"].shape == x.shape


class HalfFrozen(nn.Module):
    """Computes its features without gradients, as transfer learning does."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            x = self.features(x)
        return self.head(F.tanh(x).mean((2, 3)))  # type: ignore[no-any-return]


def test_behind_a_no_grad_block() -> None:
    model, x = HalfFrozen(), torch.randn(1, 3, 6, 6)
    net = network(model, x)
    found = capture(net, x, gradients=True, target=0).gradients
    assert found.keys() == {"features.1", "tanh", "mean", "head"}
    torch.testing.assert_close(found["mean"][0], model.head.weight[0].detach())
    assert net.gradients(x, 0, ["features.1"])["features.1"].abs().sum() > 0
    with pytest.raises(ValueError, match=r"'features\.0' has no gradient"):
        net.gradients(x, 0, ["features.0"])


def test_no_gradient_at_all() -> None:
    class Rounds(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.argmax(x.flatten(1), 1).float()

    x = torch.randn(1, 3, 2, 2)
    net = network(Rounds(), x)
    assert net.gradients(x) == {}
    with pytest.raises(ValueError, match="'flatten' has no gradient"):
        net.gradients(x, layers=["flatten"])


def test_score_of_a_dense_output_and_default_target() -> None:
    model, x = ARCHITECTURES["unet"]()
    net = network(model, x)
    found = capture(net, x, ["head"], gradients=True)
    best = int(found.output.mean((2, 3)).argmax())
    expected = torch.zeros(1, 2, 16, 16)
    expected[:, best] = 1 / 256
    torch.testing.assert_close(found.gradients["head"], expected)


@pytest.mark.parametrize("exact", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floating_types(exact: torch.dtype) -> None:
    model, x = vgg16()
    net = network(model.to(exact), x)
    found = capture(net, x.to(exact), ["features.28", "classifier.6"], gradients=True)
    assert {value.dtype for value in found.gradients.values()} == {exact}


@pytest.mark.parametrize(
    ("gradients", "error"), [(False, RuntimeError), (True, RuntimeError), (True, KeyboardInterrupt)]
)
def test_nothing_is_left_after_an_exception(gradients: bool, error: type[BaseException]) -> None:  # noqa: FBT001
    class Fails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
            self.broken = False

        def forward(self, x: Tensor) -> Tensor:
            x = self.body(x) + torch.rand(1)
            if self.broken:
                raise error("stop")
            return x

    model, x = Fails(), torch.randn(1, 3, 6, 6)
    net = network(model, x)
    assert net.graph.error is None
    model.broken = True
    with assert_untouched(model, also=(x,)), pytest.raises(error, match="stop"):
        capture(net, x, gradients=gradients)
    if error is RuntimeError:
        reached = capture(net, x, gradients=gradients, partial=True)
        assert list(reached.activations) == ["body.0", "body.1", "add"]
        assert reached.failure is not None
        assert reached.failure.name == "Fails"
        assert reached.output is None


def test_activations_are_not_the_models_memory() -> None:
    model, x = nn.Sequential(nn.Identity(), nn.Flatten()), torch.rand(1, 3, 2, 2)
    net = network(model, x)
    for value in net.activations(x).values():
        value.zero_()
    assert (x > 0).any()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda net, x: net.activations(x, ["features.99"]), "features.9"),
        (lambda net, x: net.activations(x, "feature.0"), "did you mean 'features.0'"),
        (lambda net, x: net.gradients(x, "cta"), "no class is named 'cta'; did you mean 'cat'"),
        (lambda net, x: net.gradients(x, 10), "there is no class 10; choose 0 to 9"),
        (lambda net, x: net.gradients(x, -1), "there is no class -1"),
    ],
)
def test_unknown_names(ask: Callable[[Network, Tensor], object], message: str) -> None:
    model, x = vgg16()
    names = ["dog", "cat", *map(str, range(8))]
    net = Network(model, names, input_size=32)
    with pytest.raises(ValueError, match=message):
        ask(net, x)
    assert net.gradients(x, "cat", "features.0").keys() == {"features.0"}
