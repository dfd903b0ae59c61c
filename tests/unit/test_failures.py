"""What a widget keeps of work that failed: the error and where it was, and nothing of the work."""

from __future__ import annotations

import gc
import logging
import weakref
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from torch import nn

from cnnwidgets.network import Network
from cnnwidgets.widgets.failures import without_calls
from cnnwidgets.widgets.requests import Answer, Request, answers
from cnnwidgets.widgets.running import Running
from tests.kernel import PATIENCE, Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("front_end")


class Work:
    """What takes a lot of memory while it is done."""

    made: ClassVar[weakref.WeakSet[Work]] = weakref.WeakSet()

    def __init__(self) -> None:
        self.made.add(self)

    def fail(self) -> None:
        try:
            Work().begin()
        except KeyError:
            raise RuntimeError("the well is dry") from None

    def begin(self) -> None:
        raise KeyError


def kept() -> int:
    gc.collect()
    return len(Work.made)


class Toy(Running):
    _bundle = "toy"

    def __init__(self) -> None:
        super().__init__(Network(nn.Conv2d(1, 2, 3), input_size=8))

    @answers("fail")
    def _fail(self, _: Request) -> Answer:
        work = Work()
        work.fail()
        return Answer()

    def run(self) -> None:
        self._begin(self._steps())

    def _steps(self) -> Iterator[Work]:
        yield Work()
        work = Work()
        work.fail()

    def _batch(self, found: Any) -> None:
        """Keep nothing."""

    def _over(self) -> None:
        """Keep nothing."""


def calls(error: BaseException | None) -> list[str]:
    """Where it was."""
    assert error is not None
    return [call.name for call in extract_tb(error.__traceback__)]


def test_a_request_that_failed_leaves_only_its_error(caplog: pytest.LogCaptureFixture) -> None:
    toy = Toy()
    assert Browser(toy).refusal("fail") == "RuntimeError: the well is dry"
    assert calls(toy.error) == ["_fail", "fail"]
    assert "work.fail()" in caplog.text, "all of it is in the log"
    assert kept() == 0
    toy.close()


def test_work_in_turns_that_failed_leaves_only_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    toy = Toy()
    caplog.set_level(logging.CRITICAL, toy.log.name)  # pytest keeps what is logged
    toy.run()
    with pytest.raises(RuntimeError, match="the well is dry") as raised:
        toy.wait(PATIENCE)
    assert raised.value is toy.error
    assert calls(toy.error)[-2:] == ["_steps", "fail"]
    assert kept() == 0
    toy.close()


def test_an_error_that_is_told_again_keeps_its_traceback() -> None:
    toy = Toy()
    Browser(toy).refusal("fail")
    assert toy.error is not None
    toy._failed(toy.error)
    assert calls(toy.error) == ["_fail", "fail"]
    toy.close()


def anew(error: Exception) -> BaseException:
    with pytest.raises(ValueError, match="anew") as raised:
        raise ValueError("anew") from error
    return raised.value


def held_by_a_generator() -> Iterator[BaseException]:
    try:
        Work().fail()
    except RuntimeError as error:
        yield anew(error)
    yield LookupError("it goes on")


def test_what_caught_an_error_goes_on() -> None:
    waiting = held_by_a_generator()
    error = without_calls(next(waiting))
    assert (error.args, calls(error.__cause__)) == (("anew",), ["fail"])
    assert kept() == 0
    assert isinstance(next(waiting), LookupError)
