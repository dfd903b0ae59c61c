"""A kernel's end of the wire without a kernel: comms that write down what a widget sends."""

from __future__ import annotations

import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnwidgets.widgets import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cnnwidgets.widgets.base import Widget

PATIENCE = 20.0  # seconds
_numbers = itertools.count(1)


@dataclass
class Message:
    """One message that a widget sent, as the browser reads it."""

    content: dict[str, Any]
    buffers: list[bytes]

    @property
    def tensors(self) -> list[NDArray[Any]]:
        return [wire.unpack(buffer) for buffer in self.buffers]

    @property
    def value(self) -> Any:
        assert self.content["ok"], self.content
        return self.content["value"]


@dataclass
class FakeComm:
    """Stands for ipykernel's comm; data must survive strict JSON."""

    target_name: str = ""
    data: Any = None
    metadata: Any = None
    buffers: Any = None
    comm_id: str = field(default_factory=lambda: f"comm {next(_numbers)}")
    kernel: str = "a kernel"

    def __post_init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        self.closed = False
        self._arrived = threading.Condition()
        self._handler: Callable[[dict[str, Any]], None] = lambda _: None
        self.state = json.loads(json.dumps(self.data, allow_nan=False))["state"]

    def on_msg(self, handler: Callable[[dict[str, Any]], None]) -> None:
        self._handler = handler

    def send(
        self, data: Any = None, metadata: Any = None, buffers: Sequence[Any] | None = None
    ) -> None:
        assert not self.closed, "sent after closing"
        assert metadata is None or metadata
        read = json.loads(json.dumps(data, allow_nan=False))
        with self._arrived:
            self.messages.append((read, [bytes(buffer) for buffer in buffers or []]))
            self._arrived.notify_all()

    def close(self, *_: object, **__: object) -> None:
        self.closed = True

    def receive(self, data: Any, buffers: Sequence[bytes] = ()) -> None:
        """Let the widget handle what a browser sends."""
        parts = [memoryview(buffer) for buffer in buffers]
        self._handler({"content": {"data": data}, "buffers": parts})

    def custom(self) -> list[Message]:
        """List the custom messages so far."""
        sent = list(self.messages)
        return [
            Message(data["content"], buffers)
            for data, buffers in sent
            if data["method"] == "custom"
        ]

    def wait_for(self, found: Callable[[Message], bool], timeout: float = PATIENCE) -> Message:
        """Wait for a custom message."""

        def search() -> Message | None:
            return next(filter(found, self.custom()), None)

        with self._arrived:
            message = self._arrived.wait_for(search, timeout)
        assert message, f"not among {[message.content for message in self.custom()]}"
        return message


class Browser:
    """A page that shows a widget."""

    def __init__(self, widget: Widget, page: str = "page") -> None:
        self.comm: FakeComm = widget.comm
        self.page = page
        self._count = 0

    def send(self, kind: str, *, buffers: Sequence[bytes] = (), **content: Any) -> None:
        message = {"kind": kind, "page": self.page, **content}
        self.comm.receive({"method": "custom", "content": message}, buffers)

    def set(self, **traits: Any) -> None:
        """Change traits as a front-end does."""
        self.comm.receive({"method": "update", "state": traits, "buffer_paths": []})

    def ask(
        self, name: str, args: Any = None, *, lane: Any = None, buffers: Sequence[bytes] = ()
    ) -> str:
        """Send a request; return its id."""
        self._count += 1
        identity = f"{self.page}:{self._count}"
        content = {"id": identity, "name": name, "args": {} if args is None else args}
        self.send("request", **content, **({} if lane is None else {"lane": lane}), buffers=buffers)
        return identity

    def reply(self, identity: str) -> Message:
        """Wait for the reply to a request."""
        return self.comm.wait_for(
            lambda m: m.content["kind"] == "reply" and m.content["id"] == identity
        )

    def request(self, name: str, /, *buffers: bytes, **args: Any) -> Message:
        """Ask and wait."""
        return self.reply(self.ask(name, args, buffers=buffers))

    def refusal(self, name: str, /, *buffers: bytes, **args: Any) -> str:
        """Ask, and return the sentence that it was refused with."""
        content = self.request(name, *buffers, **args).content
        assert content["ok"] is False
        assert not content.get("cancelled")
        return str(content["error"])

    def frames(self) -> list[int]:
        """Return the numbers of the frames sent so far."""
        return [m.content["seq"] for m in self.comm.custom() if m.content["kind"] == "frame"]


def eventually(holds: Callable[[], object], timeout: float = PATIENCE) -> None:
    """Wait until something holds."""
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.005)
