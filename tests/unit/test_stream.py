"""Frames go out by credit, at most thirty a second, and the newest wins."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from cnnwidgets.widgets.stream import IN_FLIGHT, PER_SECOND, Stream
from tests.kernel import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Sent:
    """What a stream sent, and when."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def __call__(self, content: dict[str, Any], buffers: Sequence[bytes]) -> None:
        assert content["kind"] == "frame"
        self.frames.append({**content, "buffers": list(buffers)})
        self.times.append(time.monotonic())

    @property
    def values(self) -> list[Any]:
        return [frame["value"] for frame in self.frames]


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def stream(sent: Sent) -> Stream:
    return Stream("frames", sent)


@pytest.fixture
def impatient(sent: Sent) -> Stream:
    return Stream("frames", sent, patience=0.3)


def test_what_waits_can_be_dropped(stream: Stream, sent: Sent) -> None:
    stream.offer("old")
    stream.drop()
    stream.join("page")
    stream.offer("new")
    eventually(lambda: sent.values == ["new"], 1)


def test_a_frame_may_be_made_when_it_is_sent(stream: Stream, sent: Sent) -> None:
    """What is new since the last one is then all in it, however many were passed over."""
    seen, told = 4, 0

    def news() -> tuple[object, Sequence[bytes]]:
        nonlocal told
        told, since = seen, told
        return list(range(since, seen)), [bytes([seen])]

    for _ in range(3):
        stream.offer_made(news)
    stream.join("page")
    eventually(lambda: sent.values == [[0, 1, 2, 3]], 1)
    seen = 6
    stream.offer_made(news)
    eventually(lambda: sent.values[1:] == [[4, 5]], 1)
    assert sent.frames[1]["buffers"] == [b"\x06"]


def offer_slowly(stream: Stream, values: range) -> None:
    for value in values:
        stream.offer(value)
        time.sleep(1.5 / PER_SECOND)


def test_nobody_looks_nothing_is_sent_until_somebody_does(stream: Stream, sent: Sent) -> None:
    stream.offer("old")
    stream.offer("new", [b"tensor"])
    assert not sent.frames
    stream.join("page")
    eventually(lambda: sent.values == ["new"], 1)
    assert sent.frames[0]["stream"] == "frames"
    assert sent.frames[0]["buffers"] == [b"tensor"]


def test_two_are_in_flight_then_the_newest_waits_for_credit(stream: Stream, sent: Sent) -> None:
    stream.join("page")
    offer_slowly(stream, range(6))
    assert sent.values == list(range(IN_FLIGHT))
    stream.acknowledge("page", sent.frames[0]["seq"])
    eventually(lambda: sent.values == [0, 1, 5], 1)


def test_numbers_rise(stream: Stream, sent: Sent) -> None:
    stream.join("page")
    for value in range(5):
        stream.offer(value)
        eventually(lambda value=value: sent.values[-1:] == [value], 1)  # type: ignore[misc]
        stream.acknowledge("page", sent.frames[-1]["seq"])
    numbers = [frame["seq"] for frame in sent.frames]
    assert numbers == sorted(set(numbers))


def test_no_more_than_thirty_a_second_and_the_last_one_arrives(stream: Stream, sent: Sent) -> None:
    stream.join("page")
    for value in range(400):
        stream.offer(value)
        for frame in sent.frames[-3:]:
            stream.acknowledge("page", frame["seq"])
        time.sleep(0.001)
    eventually(lambda: sent.values[-1] == 399, 1)
    gaps = [late - early for early, late in zip(sent.times, sent.times[1:], strict=False)]
    assert min(gaps) > 0.9 / PER_SECOND
    assert len(sent.frames) > 3


def test_the_slowest_page_sets_the_pace(stream: Stream, sent: Sent) -> None:
    stream.join("fast")
    stream.join("slow")
    offer_slowly(stream, range(3))
    for frame in sent.frames:
        stream.acknowledge("fast", frame["seq"])
    time.sleep(0.05)
    assert sent.values == [0, 1]
    stream.acknowledge("slow", sent.frames[0]["seq"])
    eventually(lambda: sent.values == [0, 1, 2], 1)


def test_a_page_that_left_holds_nobody_up(stream: Stream, sent: Sent) -> None:
    stream.join("stays")
    stream.join("leaves")
    offer_slowly(stream, range(3))
    for frame in list(sent.frames):
        stream.acknowledge("stays", frame["seq"])
    stream.leave("leaves")
    eventually(lambda: sent.values == [0, 1, 2], 1)


def test_a_silent_page_is_not_waited_for_long(impatient: Stream, sent: Sent) -> None:
    impatient.join("silent")
    offer_slowly(impatient, range(3))
    assert sent.values == [0, 1]
    eventually(lambda: sent.values == [0, 1, 2], 2)
    assert sent.times[2] - sent.times[0] > 0.25


def per_second(stream: Stream, sent: Sent, living: str, seconds: float) -> float:
    """Offer as often as one can while one page answers; return the frames sent per second."""
    before, end = len(sent.frames), time.monotonic() + seconds
    while time.monotonic() < end:
        stream.offer(time.monotonic())
        for frame in sent.frames[-3:]:
            stream.acknowledge(living, frame["seq"])
        time.sleep(0.002)
    return (len(sent.frames) - before) / seconds


def test_a_page_that_died_slows_the_others_down_only_once(impatient: Stream, sent: Sent) -> None:
    impatient.join("living")
    impatient.join("dead")
    assert per_second(impatient, sent, "living", 0.25) == IN_FLIGHT / 0.25
    per_second(impatient, sent, "living", 0.1)
    assert per_second(impatient, sent, "living", 1.5) >= 20


@pytest.mark.parametrize("back", ["hello", "ack"])
def test_a_page_that_comes_back_is_waited_for_again(
    impatient: Stream, sent: Sent, back: str
) -> None:
    impatient.join("living")
    impatient.join("asleep")
    per_second(impatient, sent, "living", 0.5)
    if back == "hello":
        impatient.join("asleep")
    else:
        impatient.acknowledge("asleep", sent.frames[-1]["seq"])
    assert per_second(impatient, sent, "living", 0.25) <= (IN_FLIGHT + 1) / 0.25


def test_hello_after_a_lost_connection_gives_new_credit(stream: Stream, sent: Sent) -> None:
    stream.join("page")
    offer_slowly(stream, range(4))
    assert sent.values == [0, 1]
    stream.join("page")
    eventually(lambda: sent.values == [0, 1, 3], 1)


def test_acknowledgements_that_make_no_sense_do_no_harm(stream: Stream, sent: Sent) -> None:
    stream.join("page")
    stream.acknowledge("nobody", 1)
    stream.acknowledge("page", 99)
    offer_slowly(stream, range(3))
    for _ in range(5):
        stream.acknowledge("page", sent.frames[0]["seq"])
    offer_slowly(stream, range(10, 13))
    assert len(sent.frames) == IN_FLIGHT + 1


def test_closing_stops_everything(stream: Stream, sent: Sent) -> None:
    before = threading.active_count()
    stream.join("page")
    for value in range(3):
        stream.offer(value)
    stream.close()
    stream.offer("late")
    time.sleep(0.1)
    assert sent.values == [0]
    eventually(lambda: threading.active_count() <= before, 1)
