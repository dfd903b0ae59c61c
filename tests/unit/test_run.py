"""What a run keeps, in bounded memory: curves and tables halved, snapshots within a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cnnwidgets as cw
from cnnwidgets.training import pace as pacing
from cnnwidgets.training.bins import BINS, EDGES, SIDE, histograms, sample
from cnnwidgets.training.halving import HalvingBuffer
from cnnwidgets.training.history import ROWS, History
from cnnwidgets.training.pace import CREDIT, LEAST, SHARE, Pace
from cnnwidgets.training.table import WIDTH, Table, merged
from tests.training import batch, small, train
from tests.untouched import assert_untouched


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.sampled_from([2, 4, 8, 64]))
def test_a_halving_buffer_keeps_the_mean_and_the_beginning(values: list[float], size: int) -> None:
    buffer = HalvingBuffer(size, 1, dtype=np.float64)
    for step, value in enumerate(values):
        buffer.append(step, step / 10, [value])
    assert 1 <= buffer.size <= size
    assert buffer.counts.sum() == len(values)
    assert (buffer.rows[:, 0] * buffer.counts).sum() == pytest.approx(sum(values), abs=1e-3)
    assert buffer.steps.tolist() == list(range(0, len(values), buffer.stride))
    assert buffer.stride & buffer.stride - 1 == 0
    first = values[: buffer.stride]
    assert buffer.rows[0, 0] == pytest.approx(sum(first) / len(first), abs=1e-6)


def test_a_halved_nan_stays_one() -> None:
    buffer = HalvingBuffer(4, 1)
    for step in range(32):
        buffer.append(step, 0.0, [math.nan if step == 5 else 1.0])
    assert np.isnan(buffer.rows[:, 0]).tolist() == [True, False, False, False]


def test_the_last_value_of_a_step_counts() -> None:
    buffer = HalvingBuffer(8, 1)
    for value in (1.0, 2.0, 3.0):
        buffer.append(7, 0.0, [value])
    assert buffer.rows.tolist() == [[3.0]]


def test_what_was_not_measured_does_not_dilute() -> None:
    rows = np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]], np.float32)
    np.testing.assert_array_equal(merged(rows, [3, 1]), [1.5, 4.0, np.nan])


def test_memory_is_bounded() -> None:
    history = History()
    keys = tuple((f"layer{i}", "weights") for i in range(36))
    table = Table(keys, np.ones((36, WIDTH), np.float32))
    sizes = []
    for step in range(4 * ROWS):
        history.add_table(step, 0.0, table)
        history.add_scalar("loss", step, 0.0, 1.0)
        sizes.append(history.nbytes)
    assert max(sizes) < 8.5e6
    assert history.tables.capacity >= 256
    assert history.tables.steps[0] == 0
    many = tuple((f"layer{i}", "weights") for i in range(1000))
    history.add_table(9999, 0.0, Table(many, np.ones((1000, WIDTH), np.float32)))
    assert history.tables.capacity == history.shares.capacity == 64


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(width=32) | st.sampled_from(EDGES.tolist()), min_size=1, max_size=300))
@example([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-45, -1e-45, 1e30, -1e30])
@example([*EDGES.tolist(), *np.nextafter(EDGES, 0, dtype=np.float32).tolist()])
def test_bins_are_numpys(values: list[float]) -> None:
    tensor = torch.tensor(values, dtype=torch.float32)
    finite = tensor[tensor.isfinite()].double().numpy()
    counts = np.zeros(BINS)
    for sign, side in ((1, np.s_[SIDE + 1 :]), (-1, np.s_[SIDE - 1 :: -1])):  # -x is where x is
        sizes = (sign * finite).clip(max=255)
        counts[side], _ = np.histogram(sizes, EDGES[SIDE + 1 :])
    counts[SIDE] = (np.abs(finite) < 2.0**-23).sum()
    (zeros,), (found,) = (part.numpy() for part in histograms([tensor]))
    assert zeros == pytest.approx(float((tensor.abs() < 2.0**-128).float().mean()))
    assert found == pytest.approx(counts / max(len(finite), 1), abs=1e-6)


def test_edges_are_four_to_an_octave() -> None:
    assert len(EDGES) == BINS + 1 == 250
    assert (np.diff(EDGES) > 0).all()
    assert (-EDGES[::-1] == EDGES).all()
    eighth = np.searchsorted(EDGES, 0.125)
    assert EDGES[eighth : eighth + 5].tolist() == [0.125, 0.15625, 0.1875, 0.21875, 0.25]


def test_histograms_are_merged_as_exactly_as_they_are_kept() -> None:
    """Many entries averaged in halves: no more is lost than a half can hold."""
    history, rows = History(), np.zeros((4 * ROWS, 1, WIDTH), np.float32)
    rows[:, 0, -BINS:] = np.random.default_rng(0).dirichlet(np.ones(BINS), 4 * ROWS)
    rows[:, 0, 0] = 1e5  # more than a half can hold
    for step, row in enumerate(rows):
        history.add_table(step, 0.0, Table((("conv", "weights"),), row))
    found = history.rows(("conv", "weights"))
    wanted = rows.reshape(len(found), -1, WIDTH).mean(1)
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-6)
    halves = np.array([[0.25], [0.5]], np.float16)
    assert merged(halves, [100_000, 300_000]).tolist() == [0.4375]


def test_samples_are_of_all_columns() -> None:
    matrix = torch.arange(1024).repeat(256)
    assert len(sample(matrix)) <= 8192
    assert len(set(sample(matrix).tolist())) == 1024
    kernels = torch.arange(9).repeat(64 * 64)
    assert set(sample(kernels).tolist()) == set(range(9))


def test_snapshots_are_spread_evenly() -> None:
    model = small()
    with cw.Recorder(model, every=1, snapshots=6) as run:
        train(model, steps=50)
    assert run.snapshots[0] == 0
    assert run.snapshots[-1] == 50
    assert len(run.snapshots) <= 6
    assert np.diff(run.snapshots).max() <= 16
    with cw.Recorder(model, every=1, snapshots=0) as run:
        train(model, steps=3)
    assert run.snapshots == []
    with pytest.raises(ValueError, match="has no snapshots"):
        run.weights(1)


@pytest.mark.parametrize(
    ("budget", "held", "said"),
    [
        (10**6, "everything", None),
        (9 * 3800, "weights", "without the optimizers"),
        (9 * 900, "filters", "the filters of convolutions alone"),
    ],
)
def test_snapshots_hold_what_there_is_room_for(budget: int, held: str, said: str | None) -> None:
    model = small()
    optimizer = torch.optim.Adam(model.parameters())
    with cw.Recorder(model, every=1, snapshot_bytes=budget) as run:
        train(model, optimizer, 5)
    assert run.snapshot(5).kind == held
    if said is None:
        assert run.notes == []
    else:
        assert said in run.notes[0]
    if held == "filters":
        assert set(run.weights(5)) == {"0.weight", "3.weight"}
        with pytest.raises(ValueError, match="hold filters alone, for lack of room"):
            run.model_at(5)
    else:
        assert run.model_at(5)(batch(0)[0]).shape == (8, 4)


def test_half_precision() -> None:
    model = small()
    with cw.Recorder(model, every=1, half=True) as run:
        train(model, steps=3)
    assert run.weights(3)["3.weight"].dtype == torch.float16
    x = batch(0)[0]
    found = run.model_at(3)(x)
    assert found.dtype == torch.float32
    assert torch.allclose(found, model.eval()(x), atol=0.02)


def test_the_model_at_a_step_is_another_one() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    x = batch(50)[0]
    answers = [model.eval()(x)]
    with cw.Recorder(model, every=1) as run:
        for step in range(4):
            model.train()
            train(model, optimizer, 1, first=step)
            answers.append(model.eval()(x))
    with assert_untouched(model):
        for step, answer in enumerate(answers):
            then = run.model_at(step)
            assert torch.equal(then(x), answer)
            with torch.no_grad():
                for parameter in then.parameters():
                    parameter.zero_()  # its own
    assert torch.equal(run.model_at(4)(x), answers[4])
    with pytest.raises(ValueError, match="model: it is not the one that was recorded"):
        run.model_at(2, torch.nn.Linear(2, 2))


def test_training_resumes_from_a_snapshot() -> None:
    model = small()
    model[5] = torch.nn.Identity()  # no dropout
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    with cw.Recorder(model, every=1) as run:
        train(model, optimizer, 8)
    once: Any = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    twin = small()
    twin[5] = torch.nn.Identity()
    again = torch.optim.Adam(twin.parameters(), 0.5)
    assert run.restore(5, twin, again) == 5
    train(twin, again, 3, first=5)
    for name, tensor in twin.state_dict().items():
        assert torch.equal(tensor, once[name]), name
    with pytest.raises(ValueError, match="holds the state of 1, not of 2"):
        run.restore(5, twin, again, again)


@dataclass
class Clock:
    now: float = 0.0

    def perf_counter(self) -> float:
        return self.now


def paced(clock: Clock, pace: Pace, steps: int, *, user: float, always: float) -> list[int]:
    """Record as often as it is due, 4 ms each; return the steps that were."""
    due, recorded = 1, []
    for step in range(1, steps + 1):
        clock.now += user
        assert pace.enter()
        assert not pace.enter()
        clock.now += always + (0.004 if step >= due else 0.0)
        pace.stepped()
        pace.leave()
        if step >= due:
            recorded.append(step)
            pace.recorded(0.004)
        due = step + pace.wait()
    return recorded


def test_the_interval_keeps_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    pace = Pace()
    recorded = paced(clock, pace, 3000, user=0.010, always=0.00002)
    assert recorded[:3] == [1, 2, 3]
    assert pace.spent <= SHARE * pace.elapsed + CREDIT + 0.005
    assert pace.spent > 0.9 * SHARE * pace.elapsed
    assert Pace(7).wait() == 7


def test_layers_are_recorded_where_steps_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done at every step takes more than the share of theirs: it does not starve them."""
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    pace = Pace()
    recorded = paced(clock, pace, 50_000, user=0.004, always=0.0005)
    rows = 0.004 * len(recorded)
    assert 0.5 * LEAST * pace.elapsed < rows <= LEAST * pace.elapsed + CREDIT + 0.005
    costly = Pace()
    clock.now = 0.0
    recorded = paced(clock, costly, 1000, user=0.00001, always=0.00001)
    assert 25 < len(recorded) < 60
    assert all(b <= 1.25 * a + 1 for a, b in pairwise(recorded))


def test_snapshots_are_taken_where_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    pace = Pace()
    pace.snapped(1.0)
    paced(clock, pace, 99, user=0.004, always=0.0)
    assert not pace.affords_snapshot(50)
    assert pace.affords_snapshot(49), "at half the steps"
    clock.now += 100.0
    assert pace.affords_snapshot(98)
    assert Pace(1).affords_snapshot(98), "as often as asked"


def test_the_same_cell_again() -> None:
    model = small()
    runs = []
    for _ in range(3):
        run = cw.Recorder(model, every=1)
        train(model, steps=2)
        runs.append(run)  # never closed
    assert [len(run.steps) for run in runs] == [6, 4, 2]
    for run in runs:
        run.close()
