"""The embedded samples: sizes, accuracy, what the licence and the extra say."""

from __future__ import annotations

import builtins
import random
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from cnnwidgets import samples
from cnnwidgets.samples.fashion_mnist import CLASSES
from cnnwidgets.samples.fashion_net import FashionNet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnwidgets.network import Network

Fashion = tuple["Network", "NDArray[np.uint8]", "NDArray[np.int64]"]
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def fashion() -> Fashion:
    return samples.fashion()


def random_states() -> tuple[Any, ...]:
    numpy_state = repr(np.random.get_state())  # noqa: NPY002  the global state is what we guard
    return torch.get_rng_state().tolist(), random.getstate(), numpy_state


def accuracy(net: Network, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    x = torch.cat([net.prepare(image) for image in images])
    with torch.no_grad():
        predicted = net.model(x).argmax(1)
    return float((predicted == torch.from_numpy(labels)).double().mean())


@pytest.mark.slow
def test_at_least_91_percent_of_the_shipped_held_out_pictures(fashion: Fashion) -> None:
    assert accuracy(*fashion) >= 0.91


@pytest.mark.parametrize(("training", "each"), [(False, 200), (True, 500)])
def test_pictures_are_balanced_uint8_and_different(
    fashion: Fashion,
    training: bool,  # noqa: FBT001  a parametrised case
    each: int,
) -> None:
    images, labels = samples.fashion_training() if training else fashion[1:]
    assert images.shape == (10 * each, 28, 28)
    assert images.dtype == np.uint8
    assert labels.shape == (10 * each,)
    assert np.bincount(labels).tolist() == [each] * 10
    assert images.min() == 0
    assert images.max() == 255
    assert len({image.tobytes() for image in images}) >= 0.999 * len(images)


def test_no_held_out_picture_is_a_training_picture(fashion: Fashion) -> None:
    training, _ = samples.fashion_training()
    assert not {i.tobytes() for i in fashion[1]} & {i.tobytes() for i in training}


def test_labels_name_what_is_on_the_training_pictures(fashion: Fashion) -> None:
    images, labels = samples.fashion_training()
    assert accuracy(fashion[0], images[:1000], labels[:1000]) >= 0.91


def test_the_data_folder_holds_at_most_six_megabytes_and_the_licence() -> None:
    data = files("cnnwidgets.samples") / "data"
    sizes = {entry.name: len(entry.read_bytes()) for entry in data.iterdir()}
    assert sum(sizes.values()) <= 6 * MEGABYTE, sizes
    licence = (data / "LICENSE-fashion-mnist.txt").read_text("utf-8")
    assert "MIT License" in licence
    assert "2017 Zalando SE" in licence
    assert "Juan Cazala" in licence


def test_parameters_follow_the_formula() -> None:
    def conv(inputs: int, outputs: int) -> int:
        return (3 * 3 * inputs + 1) * outputs

    def dense(inputs: int, outputs: int) -> int:
        return (inputs + 1) * outputs

    expected = conv(1, 32) + conv(32, 32) + conv(32, 64) + conv(64, 64)
    expected += dense(64 * 4 * 4, 256) + dense(256, 10)
    assert expected == 329_962
    assert sum(p.numel() for p in FashionNet().parameters()) == expected


def test_layer_shapes_follow_the_unpadded_convolutions(fashion: Fashion) -> None:
    shapes = {layer.name: layer.output_shape for layer in fashion[0].layers}
    sides = {"block1.conv1": 26, "block1.conv2": 24, "block1.pool": 12}
    sides |= {"block2.conv1": 10, "block2.conv2": 8, "block2.pool": 4}
    for name, side in sides.items():
        channels = 32 if name.startswith("block1") else 64
        assert shapes[name] == (channels, side, side)
    assert shapes["classifier.flatten"] == (1024,)
    assert shapes["classifier.fc2"] == (10,)


def test_two_calls_are_equal_bit_for_bit_and_share_nothing(fashion: Fashion) -> None:
    net, images, labels = samples.fashion()
    weights, again = fashion[0].model.state_dict(), net.model.state_dict()
    assert weights.keys() == again.keys()
    assert all(torch.equal(weights[key], again[key]) for key in weights)
    with torch.no_grad():
        next(net.model.parameters()).zero_()
    images[:], labels[:] = 0, 0

    fresh, fresh_images, fresh_labels = samples.fashion()
    assert all(torch.equal(weights[key], value) for key, value in fresh.model.state_dict().items())
    assert np.array_equal(fresh_images, fashion[1])
    assert np.array_equal(fresh_labels, fashion[2])


def test_loading_leaves_the_random_state_and_returns_a_model_in_eval_mode() -> None:
    before = random_states()
    net, *_ = samples.fashion()
    assert random_states() == before
    assert not any(module.training for module in net.model.modules())
    assert all(p.requires_grad and not p.is_meta for p in net.model.parameters())


def test_predicting_does_not_change_the_model(fashion: Fashion) -> None:
    net, images, _ = fashion
    before = {key: value.clone() for key, value in net.model.state_dict().items()}
    rows = net.predict(images[9], k=3)
    assert rows[0][:2] == (9, "Ankle boot")
    assert [name for _, name, *_ in net.predict(images[9], k=10)] != list(CLASSES)
    after = net.model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert all(p.grad is None for p in net.model.parameters())


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_extra(name: str, *rest: Any) -> Any:
        if name.startswith("efficientnet"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_extra)
    with pytest.raises(
        ImportError, match=r"needs efficientnet.*pip install \"cnnwidgets\[imagenet\]\""
    ):
        samples.imagenet()


def test_imagenet_recognises_cat_and_espresso() -> None:
    pytest.importorskip(
        "efficientnet_lite_pytorch", reason='needs the extra "cnnwidgets[imagenet]"'
    )
    before = random_states()
    net, images, labels = samples.imagenet()
    assert random_states() == before
    assert len(images) == len(labels) == 6
    assert sum(p.numel() for p in net.model.parameters()) == 4_652_008
    assert len(net.classes or ()) == len(set(net.classes or ())) == 1000

    cat, espresso = (net.predict(image, k=1)[0] for image in images[:2])
    assert cat[:2] == (285, "Egyptian cat")
    assert cat[2] == pytest.approx(0.36, abs=0.05)
    assert espresso[:2] == (967, "espresso")
    assert espresso[2] == pytest.approx(0.82, abs=0.05)
    found = [net.predict(image, k=1)[0][0] for image in images]
    assert found[2:5] == labels[2:5].tolist()
