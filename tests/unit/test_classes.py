"""Classes of a network: their names, predictions, and which one is meant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.network import Network
from tests.architectures import ARCHITECTURES, vgg16
from tests.untouched import assert_untouched


def test_predictions() -> None:
    model, x = vgg16(classes=3)
    names = ["<b>cat</b>", "dog"]
    net = Network(model, dict(enumerate(names)), input_size=32)
    with assert_untouched(model, also=(x,)):
        found = net.predict(x)
    logits = model.eval()(x)[0]
    assert [p.index for p in found] == logits.argsort(descending=True).tolist()
    assert {p.name for p in found} == {"<b>cat</b>", "dog", "class 2"}
    for index, _, probability, logit in found:
        assert logit == pytest.approx(logits[index].item(), rel=1e-5)
        assert probability == pytest.approx(logits.softmax(0)[index].item(), rel=1e-5)
    assert len(net.predict(x, k=1)) == 1
    already = Network(nn.Sequential(model, nn.Softmax(1)), input_size=32).predict(x)
    assert [p.probability for p in already] == pytest.approx([p.probability for p in found])


@pytest.mark.parametrize("name", ["unet", "one logit"])
def test_no_classifier(name: str) -> None:
    model, x = ARCHITECTURES[name]() if name in ARCHITECTURES else vgg16(classes=1)
    with pytest.raises(ValueError, match="no classifier: its output for one image has the shape"):
        Network(model, input_size=tuple(x.shape[1:])).predict(x)


def test_dict_and_tuple_outputs() -> None:
    model, x = ARCHITECTURES["dict_output"]()
    assert len(Network(model, input_size=10).predict(x)) == 5
    net = Network(nn.Identity())
    assert net.first_output({"aux": x, "out": x[0]}) is not x
    assert net.first_output((None, [x])) is x
    with pytest.raises(ValueError, match="returned no tensor but str"):
        net.first_output("x")


@pytest.mark.parametrize(
    ("target", "index"), [(1, 1), ("dog", 1), ("class 2", None), (None, None), (True, None)]
)
def test_targets(target: Any, index: int | None) -> None:
    model, x = vgg16(classes=3)
    net = Network(model, {0: "cat", 1: "dog", 2: "fox"}, input_size=32)
    if target is None:
        assert net.target_index(None, x) == net.predict(x)[0].index
    elif index is None:
        with pytest.raises((ValueError, TypeError), match="target: "):
            net.target_index(target, x)
    else:
        assert net.target_index(target, x) == index
    assert net.class_name(7) == "class 7"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a"] * 9, r"^classes: 9 names for 10 outputs; give 10, or a mapping such as \{0: 'a'\}"),
        (["a"] * 11, "classes: 11 names for 10 outputs"),
        ([], "classes: 0 names for 10 outputs"),
        ({3: "x", 10: "y"}, "classes: 10 is no output; they are 0 to 9"),
        ({-1: "x"}, "classes: -1 is no output"),
    ],
)
def test_names_that_do_not_fit_the_outputs(names: Any, message: str) -> None:
    model, x = vgg16()
    net = Network(model, names, input_size=32)
    for look in (net.predict, net.prepare, net.activations):
        with pytest.raises(ValueError, match=message):
            look(x)


def test_names_of_another_network() -> None:
    model, x = vgg16()
    for names in (list("abcdefghij"), {3: "x"}):
        other = Network(vgg16()[0], names, input_size=32)
        net = Network(model, other.classes, input_size=32)
        assert net.classes.names == other.classes.names
        assert [net.class_name(i) for i in range(10)] == [other.class_name(i) for i in range(10)]
    for names, message in (
        (["cat", "dog"], "^classes: 2 names for 10 outputs; give 10"),
        ({12: "x"}, "^classes: 12 is no output; they are 0 to 9"),
    ):
        outputs = 2 if isinstance(names, list) else 13
        other = Network(nn.Sequential(nn.Flatten(), nn.Linear(27, outputs)), names, input_size=3)
        with pytest.raises(ValueError, match=message):
            Network(model, other.classes, input_size=32).predict(x)


def test_names_that_came_with_another_last_layer_are_left_out() -> None:
    came = SimpleNamespace(transforms=lambda: None, meta={"categories": ["cat", "dog"]})
    for count, names in ((10, []), (2, ["cat", "dog"])):
        model, x = vgg16(classes=count)
        net = Network(model, weights=came, input_size=32)
        assert list(net.classes) == names
        assert len(net.predict(x, k=10)) == count


def test_names_are_compared_anew_when_the_last_layer_is_replaced() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(27, 2))
    net = Network(model, ["cat", "dog"], input_size=3)
    assert list(net.classes) == ["cat", "dog"]
    model.append(nn.Linear(2, 3))
    with pytest.raises(ValueError, match="2 names for 3 outputs"):
        net.graph  # noqa: B018
    model[2] = nn.Linear(2, 2)
    assert list(net.classes) == ["cat", "dog"]


class Many(nn.Module):
    """Returns what it is told to."""

    def __init__(self, returned: Any) -> None:
        super().__init__()
        self.returned = returned

    def forward(self, x: Tensor) -> Any:
        return self.returned(x.mean() * torch.zeros(1, 7))


@pytest.mark.parametrize(
    "returned",
    [
        lambda y: (y, y[:, :3]),
        lambda y: {"boxes": y[:, :4], "labels": y[0]},
        lambda y: y[:, :1],
        lambda y: y[..., None, None],
        lambda y: y[0],
        lambda y: y.expand(2, 7),
    ],
    ids=["features and logits", "boxes", "one logit", "maps", "no batch", "another batch"],
)
def test_names_are_only_compared_with_what_are_surely_classes(returned: Any) -> None:
    assert list(Network(Many(returned), ["cat", "dog"]).classes) == ["cat", "dog"]


@pytest.mark.parametrize("returned", [lambda y: {"logits": y}, lambda y: (y, y)])
def test_names_are_compared_with_classes_however_returned(returned: Any) -> None:
    with pytest.raises(ValueError, match="2 names for 7"):
        Network(Many(returned), ["cat", "dog"]).graph  # noqa: B018


@pytest.mark.parametrize(
    ("names", "target", "message"),
    [
        (["cat", "dog", "fox"], "dgo", r"no class is named 'dgo'; did you mean 'dog'\?"),
        (["cat", "dog", "fox"], 3, "^target: there is no class 3; choose 0 to 2$"),
        (["cat", "dog", "fox"], 1.5, "^target: 1.5 is neither a class index nor a name$"),
        (["cat", "dog", "fox"], True, "True is neither"),
        (["cat", "dog", "fox"], [1], r"\[1\] is neither"),
        (
            None,
            "zebra",
            r"named 'zebra'; the classes have no names: give an index, or Network\(mod",
        ),
        (None, 3, "^target: there is no class 3; choose 0 to 2$"),
        ({0: "cat"}, 3, "^target: there is no class 3; choose 0 to 2$"),
        ({0: "cat"}, -1, "there is no class -1"),
    ],
)
def test_targets_that_make_no_sense(names: Any, target: Any, message: str) -> None:
    model, x = vgg16(classes=3)
    with pytest.raises((ValueError, TypeError), match=message):
        Network(model, names, input_size=32).gradients(x, target)


@pytest.mark.parametrize("target", [np.int64(2), torch.tensor(2), np.uint8(2)])
def test_integers_of_numpy_and_torch_are_indices(target: Any) -> None:
    model, x = vgg16(classes=3)
    assert Network(model, {0: "cat"}, input_size=32).target_index(target, x) == 2
