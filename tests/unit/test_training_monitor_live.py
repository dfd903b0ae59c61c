"""A monitor while training goes on: news, control, and that training does not notice."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import IPython
import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.widgets import monitor_feed, training_monitor
from cnnwidgets.widgets.training_monitor import TrainingMonitor
from tests.kernel import Browser, eventually
from tests.monitoring import Held
from tests.training import batch, small, train
from tests.untouched import state_of

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.usefixtures("front_end")

LONG = 100_000


class Page(Browser):
    """A page that acknowledges what it hears, as the front-end does, and holds it."""

    def __init__(self, monitor: TrainingMonitor, page: str = "page") -> None:
        super().__init__(monitor, page)
        self.held = Held()
        self._heard = 0
        self.send("hello")
        self.held.begin(self.request("history", run="0"))

    def hear(self) -> None:
        """Take in the frames that came."""
        frames = [m for m in self.comm.custom() if m.content["kind"] == "frame"]
        for frame in frames[self._heard :]:
            self._heard += 1
            assert frame.content["stream"] == "news"
            if not self.held.hear(frame.content["value"], frame.tensors):
                self.held.begin(self.request("history", run="0"))
            self.send("ack", stream="news", seq=frame.content["seq"])

    def knows(self, curve: str) -> bool:
        self.hear()
        return curve in self.held.curves

    def last_step(self) -> int:
        self.hear()
        loss = self.held.curves.get("loss")
        return 0 if loss is None else int(loss[0, -1])


def news(monitor: TrainingMonitor) -> list[dict[str, Any]]:
    sent = [m.content for m in monitor.comm.custom()]
    return [content["value"] for content in sent if content["kind"] == "frame"]


def trained(steps: int, *, watched: bool) -> tuple[dict[str, Tensor], Tensor]:
    """Weights after training, and the next random numbers."""
    model = small(inplace=True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    torch.manual_seed(7)
    if not watched:
        train(model, optimizer, steps)
        return model.state_dict(), torch.rand(4)
    with cw.watch(model, every=1, probe=batch(99)[0]) as run:
        page = Page(run.monitor)
        page.ask("maps", {"run": "0", "step": 0, "layer": "3", "what": "maps", "picture": 1})
        for step in range(steps):
            train(model, optimizer, 1, first=step)
            page.hear()
            page.ask("predictions", {"run": "0"})
            time.sleep(0.01)
        dice = torch.rand(4)
    assert run.error is None
    assert page.frames()
    run.monitor.close()
    return model.state_dict(), dice


def test_training_is_bit_identical_with_a_page_watching() -> None:
    plain, dice = trained(50, watched=False)
    weights, others = trained(50, watched=True)
    for name, tensor in plain.items():
        assert torch.equal(tensor, weights[name]), name
    assert torch.equal(dice, others)


def test_a_monitor_leaves_no_trace_in_the_model() -> None:
    model = small()
    before = state_of(model)
    run = cw.watch(model)
    during = state_of(model)
    monitor = TrainingMonitor(run)
    assert state_of(model) == during
    monitor.close()
    run.close()
    assert state_of(model) == before
    run.monitor.close()


def test_pages_hold_what_the_run_says_while_it_trains() -> None:
    model = small()
    run = cw.Recorder(model, every=1)
    monitor = TrainingMonitor(run)
    first = Page(monitor)
    assert first.held.curves == {}
    run.start(train, model, steps=LONG)
    eventually(lambda: first.last_step() > 5)
    second = Page(monitor, "second")
    eventually(lambda: first.last_step() > 20 and second.last_step() > 20)
    run.stop()
    run.wait()
    run.log(accuracy=0.5)
    for page in (first, second):
        eventually(lambda page=page: page.knows("accuracy"))  # type: ignore[misc]
        page.held.same_as(run, monitor._runs[0]["keys"])
    assert first.frames()
    run.close()
    monitor.close()


def test_nothing_is_packed_while_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = []

    def news(feed: monitor_feed.Feed) -> tuple[object, list[bytes]]:
        packed.append(feed)
        return {"run": "0"}, []

    monkeypatch.setattr(monitor_feed.Feed, "_news", news)
    with cw.Recorder(model := small(), every=1) as run:
        monitor = TrainingMonitor(run)
        train(model, steps=3)
    eventually(lambda: monitor.step == 3 and not monitor._runs[0]["live"])  # the feed has looked
    assert packed == []
    Browser(monitor).send("hello")
    eventually(lambda: packed)
    monitor.close()


def test_a_page_that_cannot_speak_is_shown_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ipykernel 6, where neither hello nor acknowledgements arrive while a cell runs."""
    monkeypatch.setattr(training_monitor, "PATIENCE", 0.05)
    monkeypatch.setattr(monitor_feed, "SILENCE", 0.1)
    model = small()
    run = cw.Recorder(model, every=1)
    monitor = TrainingMonitor(run)
    monitor._repr_mimebundle_()
    run.start(train, model, steps=LONG)
    eventually(lambda: len(Browser(monitor).frames()) > 12)  # else 8 by then
    run.stop()
    run.wait()
    frames = [m for m in monitor.comm.custom() if m.content["kind"] == "frame"]
    whole = [m.content["value"]["reset"] for m in frames]
    assert whole[0]
    assert sum(whole) >= 2  # a page that came late gets all of it
    late = Held()
    for frame in frames[len(frames) - 1 - whole[::-1].index(True) :]:
        assert late.hear(frame.content["value"], frame.tensors)
    assert late.curves["loss"][0, 0] == 1
    run.close()
    monitor.close()


def test_a_page_that_speaks_is_told_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_feed, "WHOLE", 0.0)
    model = small()
    run = cw.Recorder(model, every=1)
    monitor = TrainingMonitor(run)
    monitor._repr_mimebundle_()
    page = Page(monitor)
    run.start(train, model, steps=LONG)
    eventually(lambda: page.last_step() > 0 and len(page.frames()) > 4)
    run.stop()
    run.wait()
    told = news(monitor)
    layers_known = next(i for i, value in enumerate(told) if value["rows"])
    assert not any(value["reset"] for value in told[layers_known + 1 :])
    page.send("bye")
    frames = len(page.frames())
    run.log(loss=1.0)
    run.close()
    eventually(lambda: not monitor._runs[0]["live"])  # the feed has looked
    assert len(page.frames()) == frames
    monitor.close()


def test_follow_goes_along() -> None:
    model = small()
    run = cw.Recorder(model, every=1)
    monitor = TrainingMonitor(run)
    assert (monitor.step, monitor.layer) == (0, "")
    run.start(train, model, steps=LONG)
    eventually(lambda: monitor.step > 0 and monitor.layer == "0")
    run.stop()
    run.wait()
    run.close()
    eventually(lambda: monitor.step == run.steps[-1])
    assert monitor.follow
    monitor.close()


def test_pause_resume_rate_stop() -> None:
    model = small()
    run = cw.Recorder(model, every=1)
    monitor = TrainingMonitor(run)
    page = Browser(monitor)
    assert "run.start(train_fn)" in page.refusal("control", run="0", action="pause")
    run.start(train, model, torch.optim.SGD(model.parameters(), 0.01), LONG)
    eventually(lambda: monitor._runs[0]["controllable"])
    assert page.request("control", run="0", action="pause").value == {}
    eventually(lambda: monitor._runs[0]["paused"])
    held = run.last_step
    assert page.request("control", run="0", action="rate", value=0.002).value == {}
    assert "positive number" in page.refusal("control", run="0", action="rate", value=-1)
    assert "is a number, not str" in page.refusal("control", run="0", action="rate", value="1")
    assert page.request("control", run="0", action="resume").value == {}
    eventually(lambda: run.last_step > held + 1 and monitor._runs[0]["rate"] == 0.002)
    assert page.request("control", run="0", action="stop").value == {}
    eventually(lambda: not run.running and not monitor._runs[0]["controllable"])
    eventually(lambda: not monitor._runs[0]["live"])
    train(model, steps=1)  # in the notebook's own thread
    eventually(lambda: monitor._runs[0]["live"])
    run.close()
    eventually(lambda: not monitor._runs[0]["live"])
    assert "not being recorded" in page.refusal("control", run="0", action="rate", value=1)
    monitor.close()


def test_two_live_runs_take_turns() -> None:
    runs = [cw.Recorder(small(), f"run {i}") for i in range(2)]
    monitor = TrainingMonitor(*runs)
    page = Browser(monitor)
    page.send("hello")

    def told() -> set[str]:
        for run in runs:
            run.log(loss=1.0)
        frames = [m for m in page.comm.custom() if m.content["kind"] == "frame"]
        for frame in frames:
            page.send("ack", stream="news", seq=frame.content["seq"])
        return {frame.content["value"]["run"] for frame in frames}

    eventually(lambda: told() == {"0", "1"})
    for run in runs:
        run.close()
    monitor.close()


def test_watch_displays_and_outlives_its_recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(IPython, "get_ipython", object)
    monkeypatch.setattr(IPython.display, "display", shown.append)
    model = small()
    with cw.watch(model, "mine", every=2, total=4, layer="3", log_y=True) as run:
        train(model, steps=4)
    monitor = run.monitor
    assert shown == [monitor]
    assert isinstance(run, cw.Recorder)
    assert run.name == "mine"
    assert run.steps == [1, 3]
    assert not run.live
    assert (monitor.layer, monitor.log_y) == ("3", True)
    eventually(lambda: monitor._runs[0]["total"] == 4 and not monitor._runs[0]["live"])
    page = Page(monitor)
    page.held.same_as(run, monitor._runs[0]["keys"])
    monitor.close()


@pytest.mark.parametrize(
    ("keywords", "said"),
    [({"evry": 1}, "'evry'; did you mean 'every'"), ({"layer": "x"}, "'x' was not recorded")],
)
def test_watch_with_nonsense_records_nothing(keywords: dict[str, Any], said: str) -> None:
    model = small()
    before = state_of(model)
    with pytest.raises((TypeError, ValueError), match=said):
        cw.watch(model, **keywords)
    assert state_of(model) == before


def test_an_error_in_the_feed_reaches_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fails = threading.Event()
    tell = TrainingMonitor._tell

    def failing(monitor: TrainingMonitor) -> None:
        if not fails.is_set():
            fails.set()
            raise RuntimeError("the well is dry")
        tell(monitor)

    monkeypatch.setattr(TrainingMonitor, "_tell", failing)
    with cw.watch(model := small()) as run:
        train(model, steps=3)
    assert run.error is None
    eventually(lambda: run.monitor.step == run.snapshots[-1] == 3)
    assert "the well is dry" in caplog.text
    run.monitor.close()
