"""What pages hold of a run is what the run says, whatever happens in between."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cnnwidgets.training import history as module
from cnnwidgets.training.history import History
from cnnwidgets.training.run import Run
from cnnwidgets.training.table import WIDTH, Table
from cnnwidgets.widgets import wire
from cnnwidgets.widgets.monitor_history import Digest
from tests.kernel import Message
from tests.monitoring import Held

KEYS = [("conv", "weights"), ("conv", "gradients"), ("<i>fc</i>", "weights")]


def row(count: int, seed: int) -> Table:
    values = np.random.default_rng(seed).random((count, WIDTH), np.float32)
    values[:, 7] = np.nan
    return Table(tuple(KEYS[:count]), values)


def told(digest: Digest) -> Message:
    value, tensors = digest.whole()
    return Message({"ok": True, "value": value}, tensors)


def news(digest: Digest, **how: Any) -> tuple[dict[str, Any], list[Any]]:
    value, tensors = digest.news(**how)
    return value, [wire.unpack(tensor) for tensor in tensors]


@pytest.fixture
def history() -> History:
    return History()


def same(held: Held, history: History) -> None:
    held.same_as(Run("run", history), list(history.keys))


@pytest.mark.parametrize("seed", range(8))
def test_pages_hold_what_the_run_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points, rows, layers, halvings, forgetting; pages that come at any time."""
    monkeypatch.setattr(module, "POINTS", 8)
    monkeypatch.setattr(module, "ROWS", 6)
    dice, history = np.random.default_rng(seed), History()
    digest, pages, layers = Digest(history), [Held()], 1
    pages[0].begin(told(digest))
    for step in range(1, 120):
        history.add_scalar("loss", step, step / 10, dice.random())
        if dice.random() < 0.3:
            history.add_scalar(str(dice.choice(["loss", "val", "nan"])), step, step / 10, math.nan)
        if dice.random() < 0.4:
            history.add_table(step, step / 10, row(layers, step))
        if dice.random() < 0.03:
            layers = min(len(KEYS), layers + 1)
        if dice.random() < 0.01:
            history.clear()
        if dice.random() < 0.05:
            pages.append(Held().begin(told(digest)))
            same(pages[-1], history)
        if dice.random() < 0.5:
            frame = news(digest)
            for page in pages:
                assert page.hear(*frame)
                same(page, history)
            assert not digest.stale


def test_only_what_is_new_is_sent(history: History) -> None:
    digest = Digest(history)
    for step in range(1, 101):
        history.add_scalar("loss", step, step, 1 / step)
        history.add_table(step, step, row(2, step))
    digest.whole()
    history.add_scalar("loss", 101, 101, 0.0)
    history.add_table(101, 101, row(2, 101))
    value, tensors = news(digest)
    assert (value["reset"], value["rows_from"], value["rows"]) == (False, 99, 2)
    assert value["curves"] == [{"name": "loss", "from": 99, "points": 2}]
    assert tensors[0].tolist()[0] == [100, 101]
    assert (value["last_step"], value["elapsed"]) == (101, 101)


def test_a_page_that_missed_news_knows(history: History) -> None:
    digest = Digest(history)
    page = Held().begin(told(digest))
    history.add_table(1, 1, row(1, 1))
    assert page.hear(*news(digest))
    for step in (2, 3):
        history.add_scalar("loss", step, step, 1.0)
        lost = news(digest)
    assert not page.hear(*lost)
    assert page.begin(told(digest)).hear(*lost)
    same(page, history)
    history.add_scalar("loss", 4, 4, 1.0)
    whole = news(digest, anew=True)
    late = Held()
    assert late.hear(*whole)
    same(late, history)


def test_what_one_look_took_is_not_sent_again(history: History) -> None:
    history.add_scalar("loss", 1, 0.5, 2.0)
    digest = Digest(history)
    assert digest.stale
    digest.whole()
    assert not digest.stale
    history.add_scalar("loss", 2, 1.0, 1.0)
    assert digest.stale


def test_speed_is_a_median_and_what_is_not_finite_is_none(history: History) -> None:
    digest = Digest(history)
    assert digest.whole()[0]["speed"] is None
    for step, speed in enumerate([10, 12, 1000, 11, 13], 1):
        history.add_scalar("samples_per_second", step, math.inf, speed)
    assert digest.whole()[0]["speed"] == 12
    assert digest.whole()[0]["elapsed"] == 0
    for step in range(6, 30):
        history.add_scalar("samples_per_second", step, 1.0, math.nan)
    assert digest.whole()[0]["speed"] is None


def test_the_last_step_counts_what_a_thinned_point_stands_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "POINTS", 8)
    history = History()
    for step in range(1, 41):
        history.add_scalar("loss", step, step, 1.0)
        assert Digest(history).whole()[0]["last_step"] == step


def test_huge_and_broken_values(history: History) -> None:
    for step, value in enumerate([1e300, -1e300, math.inf, math.nan], 1):
        history.add_scalar("loss", step, step, value)
    table = row(1, 0)
    table.values[0, :8] = math.inf
    table.values[0, 8:] = np.nan
    history.add_table(1, 1, table)
    _, tensors = Digest(history).whole()
    loss, _, fields, codes = map(wire.unpack, tensors)
    np.testing.assert_array_equal(loss[1], [math.inf, -math.inf, math.inf, math.nan])
    assert np.isinf(fields).all()
    assert (codes == 255).all()
