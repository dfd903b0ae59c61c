"""What every widget does: keywords, requests, errors, streams, a PNG, closing."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure
from torch import nn
from traitlets import Int, TraitError, Unicode, validate

from cnnwidgets.network import Network
from cnnwidgets.widgets import worker
from cnnwidgets.widgets.base import Widget
from cnnwidgets.widgets.requests import Answer, Request, answers
from cnnwidgets.widgets.wire import pack
from tests.kernel import Browser, FakeComm, eventually
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("front_end")

GATE = threading.Event()
BEGAN = threading.Event()


class Toy(Widget):
    """The smallest widget that answers."""

    _bundle = "toy"

    level = Int(3).tag(sync=True)
    word = Unicode("a").tag(sync=True)

    def __init__(self, net: Network, **traits: Any) -> None:
        super().__init__(net, **traits)

    @validate("level")
    def _check_level(self, proposal: Any) -> int:
        if proposal.value < 0:
            raise TraitError(f"level: {proposal.value} is negative; give 0 or more")
        return int(proposal.value)

    def figure(self) -> Figure:
        return Figure(figsize=(1, 1))

    @answers("double")
    def _double(self, request: Request) -> Answer:
        number = request.get("number", int)
        return Answer({"is": 2 * number}, [pack([number, number], "float32")])  # type: ignore[arg-type]

    @answers("fail")
    def _fail(self, _: Request) -> Answer:
        raise RuntimeError("the well is dry\nand more lines")

    @answers("slow")
    def _slow(self, request: Request) -> Answer:
        BEGAN.set()
        for done in range(1, 1000):
            request.progress(done, 1000)
            if GATE.wait(0.005):
                break
            request.check()
        return Answer({"done": True})

    @answers("echo")
    def _echo(self, request: Request) -> Answer:
        return Answer({"page": request.page}, [bytes(part) for part in request.buffers])


@pytest.fixture
def net() -> Network:
    return Network(nn.Conv2d(1, 2, 3), input_size=8)


@pytest.fixture
def toy(net: Network) -> Iterator[Toy]:
    GATE.clear()
    BEGAN.clear()
    toy = Toy(net)
    yield toy
    GATE.set()
    toy.close()


@pytest.fixture
def page(toy: Toy) -> Browser:
    return Browser(toy)


def test_the_front_end_is_sent_as_text(toy: Toy) -> None:
    state = toy.comm.state
    assert state["_esm"].startswith("export default { name: 'toy")
    assert "cnnw-toy" in state["_css"]
    assert state["level"] == 3


def test_a_missing_front_end_says_what_to_do(net: Network, front_end: Path) -> None:
    (front_end / "toy.css").unlink()
    with pytest.raises(FileNotFoundError, match=r"toy\.css is missing .* run `make build`"):
        Toy(net)


@pytest.mark.parametrize(("keyword", "near"), [("lvel", "level"), ("wrd", "word")])
def test_unknown_keywords_raise_and_name_the_nearest(net: Network, keyword: str, near: str) -> None:
    with pytest.raises(TypeError, match=f"Toy: there is no keyword '{keyword}'.*{near}"):
        Toy(net, **{keyword: 1})
    assert Toy(net, level=5).level == 5


def test_a_misspelt_trait_is_refused_and_other_attributes_are_not(net: Network) -> None:
    toy = Toy(net)
    with pytest.raises(AttributeError, match=r"Toy: .* no attribute 'levl'; did you mean 'level'"):
        toy.levl = 1
    assert not hasattr(toy, "levl")
    toy.level, toy.mine, toy.level_of_mine, toy._levl = 4, 5, 6, 7
    assert (toy.level, toy.mine, toy.level_of_mine, toy._levl) == (4, 5, 6, 7)


def test_a_request_is_answered_with_value_and_tensors(page: Browser) -> None:
    reply = page.request("double", number=21)
    assert reply.value == {"is": 42}
    assert reply.tensors[0].tolist() == [21, 21]


def test_buffers_and_page_reach_the_handler(page: Browser) -> None:
    reply = page.request("echo", b"one", b"two")
    assert reply.value == {"page": "page"}
    assert reply.buffers == [b"one", b"two"]


def test_an_error_becomes_a_sentence_and_stays_on_the_widget(
    toy: Toy, page: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert page.refusal("fail") == "RuntimeError: the well is dry"
    assert isinstance(toy.error, RuntimeError)
    assert toy.error.__traceback__ is not None
    assert page.request("double", number=1).value == {"is": 2}


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("duble", {}, "no request 'duble'; did you mean 'double'?"),
        ("double", {}, "number must be int"),
        ("double", {"number": True}, "number must be int"),
        ("double", {"number": "2"}, "number must be int"),
        ("double", {"number": None}, "number must be int"),
    ],
)
def test_wrong_requests_are_refused_with_what_to_do(
    page: Browser, name: str, args: dict[str, Any], sentence: str
) -> None:
    assert sentence in page.refusal(name, **args)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "text",
        [],
        {},
        {"kind": "request"},
        {"kind": "request", "id": 5, "name": "double", "args": {}},
        {"kind": "request", "id": "x", "name": "double", "args": []},
        {"kind": "request", "id": "x", "name": ["double"], "args": {}},
        {"kind": "request", "id": "x", "name": "double", "args": {}, "lane": {"a": 1}},
        {"kind": "request", "id": "x", "name": "double", "args": {}, "page": {"a": 1}},
        {"kind": "cancel"},
        {"kind": "cancel", "id": "nobody"},
        {"kind": "ack", "stream": 1, "seq": "1"},
        {"kind": "ack", "stream": "none", "seq": 1},
        {"kind": "hello"},
        {"kind": "bye"},
        {"kind": "dance", "id": "x"},
    ],
)
def test_malformed_messages_do_no_harm(
    toy: Toy, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    toy.comm.receive({"method": "custom", "content": content})
    assert Browser(toy).request("double", number=2).value == {"is": 4}
    if isinstance(content, dict) and content.get("id") == "x":
        reply = toy.comm.wait_for(lambda m: m.content.get("id") == "x")
        assert reply.content["ok"] is False
        assert reply.content["error"]
    assert "Traceback" not in "".join(r.getMessage() for r in caplog.records if r.exc_info is None)


def test_progress_and_cancel(page: Browser) -> None:
    identity = page.ask("slow")
    assert BEGAN.wait(5)
    message = page.comm.wait_for(lambda m: m.content["kind"] == "progress")
    assert message.content["id"] == identity
    assert message.content["total"] == 1000
    page.send("cancel", id=identity)
    content = page.reply(identity).content
    assert content["ok"] is False
    assert content["cancelled"] is True


def test_progress_is_told_at_most_thirty_times_a_second(page: Browser) -> None:
    identity = page.ask("slow")
    assert BEGAN.wait(5)
    GATE.wait(0.5)
    GATE.set()
    page.reply(identity)
    told = [m for m in page.comm.custom() if m.content["kind"] == "progress"]
    assert 3 <= len(told) <= 30


def test_in_a_lane_the_newest_wins(page: Browser) -> None:
    first = page.ask("slow", lane="maps")
    assert BEGAN.wait(5)
    second = page.ask("double", {"number": 1}, lane="maps")
    third = page.ask("double", {"number": 2}, lane="maps")
    other = page.ask("double", {"number": 3}, lane="map")
    free = page.ask("double", {"number": 4})
    assert page.reply(first).content["cancelled"] is True
    assert page.reply(second).content["cancelled"] is True
    assert [page.reply(i).value["is"] for i in (third, other, free)] == [4, 6, 8]


def test_a_request_that_is_asked_twice_is_answered_once(page: Browser) -> None:
    identity = page.ask("slow")
    assert BEGAN.wait(5)
    page.send("request", id=identity, name="slow", args={})
    GATE.set()
    page.reply(identity)
    page.request("echo")
    replies = [m.content["id"] for m in page.comm.custom() if m.content["kind"] == "reply"]
    assert replies.count(identity) == 1


def test_pages_do_not_cancel_each_other(toy: Toy) -> None:
    one, two = Browser(toy, "one"), Browser(toy, "two")
    waiting = one.ask("slow", lane="maps")
    assert BEGAN.wait(5)
    asked = two.ask("double", {"number": 1}, lane="maps")
    GATE.set()
    assert one.reply(waiting).value == {"done": True}
    assert two.reply(asked).value == {"is": 2}


def test_a_page_that_leaves_wants_no_more_answers(toy: Toy) -> None:
    page = Browser(toy)
    identity = page.ask("slow")
    assert BEGAN.wait(5)
    page.send("bye")
    assert page.reply(identity).content["cancelled"] is True


def test_streams_reach_pages_that_said_hello(toy: Toy) -> None:
    one, two = Browser(toy, "one"), Browser(toy, "two")
    one.send("hello")
    stream = toy.stream("frames")
    assert toy.stream("frames") is stream
    two.send("hello")
    stream.offer({"n": 1}, [b"frame"])
    message = toy.comm.wait_for(lambda m: m.content["kind"] == "frame")
    assert message.content == {"kind": "frame", "stream": "frames", "seq": 1, "value": {"n": 1}}
    assert message.buffers == [b"frame"]
    stream.offer(2)
    eventually(lambda: len(one.frames()) == 2)
    one.send("ack", stream="frames", seq=1)
    stream.offer(3)
    GATE.wait(0.1)
    assert len(one.frames()) == 2, "the other page has not acknowledged"
    two.send("ack", stream="frames", seq=1)
    eventually(lambda: len(one.frames()) == 3)


def test_a_wrong_trait_from_the_browser_is_put_right(
    toy: Toy, page: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        page.set(level=-1)
    assert toy.level == 3
    assert toy._error == "level: -1 is negative; give 0 or more"
    sent = [data["state"] for data, _ in toy.comm.messages if data["method"] == "update"]
    assert {"level": 3} in sent
    page.set(level=4)
    assert toy.level == 4
    assert toy._error is None


@pytest.mark.parametrize(
    "traits", [{"level": "high"}, {"level": None}, {"word": 1}, {"nothing": 1}, {"_error": 5}]
)
def test_traits_of_the_wrong_kind_are_refused(toy: Toy, traits: dict[str, Any]) -> None:
    before = toy.level, toy.word
    Browser(toy).set(**traits)
    assert (toy.level, toy.word) == before


def test_private_traits_are_the_kernels(toy: Toy) -> None:
    esm = toy._esm
    Browser(toy).set(_esm="alert(1)", _error="all is well")
    assert toy._esm == esm
    assert toy._error is None


def test_messages_are_taken_while_a_cell_runs(toy: Toy) -> None:
    class BusyComm(FakeComm):
        """As ipykernel 7.4 has it."""

        def _reply_subshell_for(self, _data: object, _default: object) -> str:
            return "the cell's shell"

    for _ in range(2):  # also when the comm is made anew
        toy.comm = BusyComm(data={"state": {}})
        assert toy.comm._reply_subshell_for({}, "a shell of its own") == "a shell of its own"
    toy.comm = FakeComm(data={"state": {}})  # ipykernel before 7.4
    assert not hasattr(toy.comm, "_reply_subshell_for")


def test_the_mimebundle_holds_a_picture(toy: Toy) -> None:
    bundle = toy._repr_mimebundle_()
    assert bundle is not None
    data, _ = bundle
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == toy.model_id
    assert data["image/png"].startswith("iVBORw0KGgo")
    assert data["text/plain"] == repr(toy)


def test_a_failing_picture_does_not_hide_the_widget(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "figure", lambda _: 1 / 0)
    bundle = toy._repr_mimebundle_()
    assert bundle is not None
    assert "image/png" not in bundle[0]
    assert "application/vnd.jupyter.widget-view+json" in bundle[0]
    assert isinstance(toy.error, ZeroDivisionError)


def test_the_repr_is_one_line(toy: Toy) -> None:
    assert repr(toy) == "Toy(Conv2d)"


def test_closing_is_final_and_may_be_repeated(toy: Toy) -> None:
    comm, page = toy.comm, Browser(toy)
    identity = page.ask("slow")
    assert BEGAN.wait(5)
    toy.stream("frames").offer(1)
    toy.close()
    toy.close()
    assert comm.closed
    assert toy.layout is None or toy.layout.comm is None
    page.send("request", id="late", name="double", args={"number": 1})
    eventually(lambda: identity not in toy._jobs)
    toy.send({"kind": "frame"})  # nobody is there: nothing happens


def test_an_interrupt_in_a_handler_is_answered(
    toy: Toy, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Toy, __: Request) -> Answer:
        raise KeyboardInterrupt

    monkeypatch.setitem(toy._handlers, "double", interrupted)
    identity = page.ask("double", {"number": 1})
    content = page.reply(identity).content
    assert content["ok"] is False
    assert page.request("echo").value


def test_fifty_widgets_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_IDLE_SECONDS", 0.05)
    net = Network(nn.Conv2d(1, 2, 3), input_size=8)
    widgets, threads = len(_instances), threading.active_count()
    alive: list[weakref.ref[Toy]] = []
    with assert_untouched(net.model):
        for _ in range(50):
            toy = Toy(net)
            page = Browser(toy)
            page.send("hello")
            toy.stream("frames").offer(1)
            page.request("double", number=1)
            toy._repr_mimebundle_()
            toy.close()
            alive.append(weakref.ref(toy))
            del toy, page
    gc.collect()
    assert len(_instances) == widgets
    eventually(lambda: threading.active_count() <= threads)
    assert not [ref for ref in alive if ref() is not None]
