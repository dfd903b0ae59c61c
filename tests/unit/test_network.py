"""A Network finds out what it is not told, and says what is missing."""

from __future__ import annotations

import inspect
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cnnwidgets.network import Network, as_network
from tests.architectures import first_cnn, resnet18, vgg16
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: resnet18()[0], (3, 224, 224)),
        (lambda: first_cnn()[0], (3, 32, 32)),
        (lambda: first_cnn(1, 28)[0], (1, 28, 28)),
        (lambda: nn.Sequential(nn.Conv2d(5, 2, 3)), (5, 224, 224)),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 2)), (1, 28, 28)),
        (lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.Conv2d(4, 2, 1)), (3, 224, 224)),
        (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(2)), (3, 224, 224)),
        (nn.Identity, (3, 224, 224)),
    ],
)
def test_finds_the_input_size(make: Callable[[], nn.Module], shape: tuple[int, int, int]) -> None:
    model = make()
    with assert_untouched(model):
        net = Network(model)
        assert net.input_shape == shape
        assert net.graph.error is None
    assert str(shape[1]) in repr(net)


@pytest.mark.parametrize(
    ("given", "shape"),
    [(32, (3, 32, 32)), ((20, 30), (3, 20, 30)), ([3, 16, 8], (3, 16, 8))],
)
def test_takes_the_input_size(given: Any, shape: tuple[int, ...]) -> None:
    assert Network(nn.Conv2d(3, 1, 1), input_size=given).input_shape == shape


def test_a_model_that_takes_no_picture_shows_why() -> None:
    net = Network(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(1, 1)))
    assert net.input_shape == (3, 224, 224)
    assert net.graph.error is not None
    assert net.graph.error.startswith(f"{net.layers[-1].error}. ")
    assert net.layers[0].error is None
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        net.predict(torch.zeros(3, 224, 224))


def test_a_wrong_channel_count_is_told_by_the_first_layer() -> None:
    net = Network(nn.Sequential(nn.Conv2d(3, 4, 3)), input_size=(1, 8, 8))
    assert net.layers[0].error is not None
    assert "to have 3 channels" in net.layers[0].error


def timm_like() -> nn.Module:
    model = resnet18(classes=2)[0]
    model.pretrained_cfg = {  # type: ignore[assignment]
        "input_size": (3, 64, 48),
        "mean": (0.5, 0.4, 0.3),
        "std": (0.2, 0.2, 0.1),
        "label_names": ["cat", "dog"],
    }
    return model


@pytest.mark.parametrize("attribute", ["pretrained_cfg", "default_cfg", "object"])
def test_reads_timm_settings(attribute: str) -> None:
    model = timm_like()
    config: Any = model.pretrained_cfg
    del model.pretrained_cfg
    if attribute == "object":
        attribute, config = "pretrained_cfg", SimpleNamespace(**config)
    setattr(model, attribute, config)
    net = Network(nn.DataParallel(model))
    assert net.input_shape == (3, 64, 48)
    assert (net.mean, net.std) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))
    assert list(net.classes) == ["cat", "dog"]
    assert net.name == "ResNet"
    assert Network(model, ["a"], input_size=32, mean=0).mean == 0


class Preset:
    """What torchvision's ``weights.transforms()`` returns."""

    crop_size = (40,)
    resize_size = (48,)
    mean = (0.5, 0.5, 0.5)
    std = (0.25, 0.25, 0.25)

    def __call__(self, image: Image.Image) -> Tensor:
        pixels = np.asarray(image.resize((40, 40)), np.float32)
        return (torch.from_numpy(pixels).permute(2, 0, 1) / 255 - 0.5) / 0.25


def weights(transforms: object) -> object:
    return SimpleNamespace(transforms=lambda: transforms, meta={"categories": ["cat", "dog"]})


def test_reads_torchvision_weights() -> None:
    picture = Image.new("RGB", (60, 50), (255, 128, 0))
    told = {key: value for key, value in vars(Preset).items() if not key.startswith("__")}
    for transforms in (Preset(), SimpleNamespace(**told)):
        net = Network(resnet18(classes=2)[0], weights=weights(transforms))
        assert net.input_shape == (3, 40, 40)
        assert list(net.classes) == ["cat", "dog"]
        x = net.prepare(picture)
        torch.testing.assert_close(x[0, :, 3, 3], torch.tensor([2.0, 2 * 128 / 127.5 - 2, -2]))
        assert net.restore(x)[0, 3, 3].tolist() == [255, 128, 0]
    with pytest.raises(TypeError, match=r"weights: str has no transforms\(\)"):
        Network(resnet18()[0], weights="DEFAULT")


def test_a_preprocess_of_ones_own() -> None:
    def augment(image: Image.Image) -> Tensor:
        return torch.rand(3, 24, 20) + image.width

    model = resnet18()[0]
    net = Network(model, preprocess=augment)
    with assert_untouched(model):
        assert net.input_shape == (3, 24, 20)
        x = net.prepare(Image.new("L", (9, 9)))
    assert x.shape == (1, 3, 24, 20)
    assert x.min() >= 9
    ready = torch.rand(3, 24, 20)
    torch.testing.assert_close(net.prepare(ready)[0], ready)

    class Compose:
        transforms = (SimpleNamespace(), Preset())
        __call__ = Preset.__call__

    assert Network(model, preprocess=Compose()).std == (0.25,) * 3
    with pytest.raises(TypeError, match="preprocess returned Image; return a float tensor"):
        Network(model, input_size=8, preprocess=lambda image: image).prepare(Image.new("L", (9, 9)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_prepares_for_the_models_type(dtype: torch.dtype) -> None:
    model, x = vgg16()
    net = Network(model.to(dtype), input_size=32)
    image = np.zeros((50, 60, 3), np.uint8)
    assert net.prepare(image).dtype == dtype
    assert net.batch(torch.cat([x, x])).dtype == dtype
    assert sum(p.probability for p in net.predict(image, 10)) == pytest.approx(1, abs=1e-3)


def test_meta_device() -> None:
    net = Network(vgg16()[0].to("meta"), input_size=32)
    assert net.device.type == "meta"
    assert net.layers[0].output_shape == (2, 32, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": "cat"}, "classes: a list of names by index, not str"),
        ({"input_size": 0}, "input_size: 0; give pixels"),
        ({"input_size": (1, 2, 3, 4)}, "input_size"),
        ({"input_size": 2.5}, "input_size"),
        ({"size": 32}, r"Network: there is no keyword 'size'; did you mean 'input_size'\?"),
        ({"class_names": ["a"]}, r"did you mean 'classes'\?"),
        ({"weight": None}, r"did you mean 'weights'\?"),
        ({"device": "cpu"}, "choose one of 'model', 'classes', 'input_size', 'mean', 'std', 'prep"),
    ],
)
def test_bad_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        Network(nn.Identity(), **options)


def test_the_signature_is_readable() -> None:
    parameters = inspect.signature(Network).parameters
    assert list(parameters)[:3] == ["model", "classes", "input_size"]
    assert not any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def test_as_network() -> None:
    net = Network(nn.Identity())
    assert as_network(net) is net
    assert as_network(net.model).model is net.model
    with pytest.raises(TypeError, match="model: it is a Network already"):
        Network(net)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module, not str"):
        as_network("resnet18")  # type: ignore[arg-type]


def test_the_graph_is_kept_until_a_module_is_replaced() -> None:
    model = first_cnn()[0]
    net = Network(model, input_size=32)
    graph = net.graph
    assert net.graph is graph
    assert net.layer("0").output_shape == (32, 30, 30)
    model.add_module("0", nn.Conv2d(3, 32, 3, bias=False))
    assert net.layer("0").parameters == 3 * 32 * 9


def test_the_weights_version_tells_every_change() -> None:
    model = resnet18()[0].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    net = Network(model)
    version = net.weights_version()
    with assert_untouched(model):
        assert net.weights_version() == version
    parameter = model.get_parameter("layer2.0.conv1.weight")

    def step() -> None:
        parameter.grad = torch.ones_like(parameter)
        torch.optim.SGD([parameter], lr=0.1).step()

    def forward() -> None:
        model.train()(torch.rand(2, 3, 32, 32))

    def behind_autograd() -> None:
        parameter.data.mul_(1.01)

    def reload() -> None:
        model.load_state_dict(resnet18()[0].state_dict())

    for change in (step, forward, behind_autograd, reload, model.double):
        change()
        assert net.weights_version() != version, change
        version = net.weights_version()
        assert hash(version)


def test_passes_while_the_model_trains_in_another_thread() -> None:
    model, x = resnet18()
    net = Network(model, input_size=32)
    stop = threading.Event()
    losses: list[float] = []

    def train() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
        while not stop.is_set():
            optimizer.zero_grad()
            loss = model(torch.cat([x, x])).square().sum()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(10):
            net.gradients(x, 0, ["layer1.0.conv1"])
            net.predict(x)
    finally:
        stop.set()
        thread.join()
    assert losses
    assert model.training


def test_a_size_that_cannot_be_guessed_is_asked_for() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 48 * 48, 5))
    error = Network(model).graph.error
    assert error is not None
    assert "mat1 and mat2 shapes" in error
    assert "input_size=" in error
    assert Network(model, input_size=50).graph.error is None
    given = Network(model, input_size=60).graph.error
    assert given is not None
    assert "3×60×60" in given
    assert "input_size=" in given


def test_a_failing_pass_of_a_given_preprocess_asks_for_another() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(9, 5))
    error = Network(model, preprocess=lambda _: torch.zeros(3, 7, 9)).graph.error
    assert error is not None
    assert "3×7×9" in error
    assert "preprocess" in error
    assert "input_size=" not in error


def test_a_guessed_size_is_said() -> None:
    model = nn.Conv2d(3, 1, 1)
    guessed = Network(model)
    assert repr(guessed) == "Network(Conv2d)"
    assert guessed.input_shape == (3, 224, 224)
    assert repr(guessed) == "Network(Conv2d, input 3×224×224 (guessed), 1 layers)"
    given = Network(model, input_size=8)
    preprocessed = Network(model, preprocess=lambda _: torch.zeros(3, 7, 9))
    described = Network(
        model, weights=SimpleNamespace(transforms=lambda: SimpleNamespace(crop_size=8))
    )
    for net in (given, preprocessed, described):
        assert net.input_shape[0] == 3
        assert not net.guessed
        assert "guessed" not in repr(net)
