from __future__ import annotations

import pytest

from cnnwidgets.errors import nearest


@pytest.mark.parametrize(
    ("name", "options", "phrase"),
    [
        ("layer1.0.con1", ["layer1.0.conv1", "layer1.0.bn1"], "did you mean 'layer1.0.conv1'?"),
        ("CHANNEL", ["channel", "layer"], "did you mean 'channel'?"),
        ("conv", ["Conv", "conv"], "did you mean 'Conv'?"),
        ("conv1", ["conv2", "block1.conv1"], "did you mean 'block1.conv1'?"),
        ("conv1", ["a.Conv1", "b.bn1", "b.conv1"], "did you mean 'a.Conv1' or 'b.conv1'?"),
        ("0", ["a.0", "b.0", "c.0", "d.0"], "did you mean 'a.0' or 'b.0' or 'c.0'?"),
        ("zzz", ["one", "two", "one"], "choose one of 'one', 'two'"),
        ("zzz", ["one"], "the only one is 'one'"),
        (7, ["one", "two"], "choose one of 'one', 'two'"),
        ("zzz", [], "there are none to choose from"),
    ],
)
def test_nearest(name: object, options: list[str], phrase: str) -> None:
    assert nearest(name, options) == phrase


def test_a_part_of_one_name_only() -> None:
    assert nearest("size", ["mean", "input_size"]) == "did you mean 'input_size'?"
    assert nearest("size", ["input_size", "output_size"]).startswith("choose one of")
    assert nearest("si", ["mean", "input_size"]).startswith("choose one of")


def test_long_lists_are_cut() -> None:
    phrase = nearest("?", (f"block.{i}" for i in range(40)))
    assert phrase.endswith("'block.7', … (40 in all)")
