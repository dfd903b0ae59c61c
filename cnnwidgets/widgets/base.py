"""What every widget is: strict keywords, requests and replies, errors, a picture, a page."""

from __future__ import annotations

import base64
import io
import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
from traitlets import List, TraitError, Unicode, default, observe

from cnnwidgets.errors import nearest
from cnnwidgets.export.html import Page
from cnnwidgets.widgets import bundles
from cnnwidgets.widgets.documenting import describe_traits
from cnnwidgets.widgets.failures import sentence, without_calls
from cnnwidgets.widgets.requests import Answer, Request, RequestError, handlers, printed, seldom
from cnnwidgets.widgets.stream import PATIENCE, Stream
from cnnwidgets.widgets.worker import Cancelled, Job, Worker, worker_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from matplotlib.figure import Figure

    from cnnwidgets.network import Network
    from cnnwidgets.widgets.requests import Asked

PNG_DPI = 80
_NEAR = 0.75
"""From which likeness on an attribute is a misspelt trait; `layers` is, `step_size` is not."""


class Widget(anywidget.AnyWidget):
    """Base of every widget: a thin layer between traits and the compute floor.

    Parameters
    ----------
    net
        The network whose worker computes for this widget; None: the widget has one of its own.
    traits
        First values of public traits.

    Attributes
    ----------
    error
        The last exception that a request or a background job ended with, with its traceback
        but no longer the variables of its calls; None if there was none.

    Raises
    ------
    TypeError
        If a keyword is no public trait; the message names the nearest.
    """

    _bundle: ClassVar[str]
    """Name of the front-end in `static`."""

    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)
    _error = Unicode(None, allow_none=True).tag(sync=True)
    _foreseen: List[dict[str, Any]] = List().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - as anywidget has it
        if "_bundle" in vars(cls) and os.environ.get("ANYWIDGET_HMR") == "1":
            for trait, kind in (("_esm", "js"), ("_css", "css")):
                setattr(cls, trait, bundles.STATIC / f"{cls._bundle}.{kind}")  # paths are watched
        super().__init_subclass__(**kwargs)
        describe_traits(cls)

    net: Network
    """Not of a widget of no network."""

    def __init__(self, net: Network | None, **traits: Any) -> None:  # noqa: ANN401 - of any type
        self._check_keywords(traits)
        if net is not None:
            self.net = net
        self.error: BaseException | None = None
        self._handlers = handlers(type(self))
        self._jobs: dict[str, Job] = {}
        self._streams: dict[str, Stream] = {}
        self._pages: set[str] = set()
        self._worker = Worker() if net is None else worker_for(net)
        super().__init__(**traits)
        self.on_msg(type(self)._receive)  # noqa: SLF001 - a function: no reference to self

    def __del__(self) -> None:
        """Close, unless the constructor refused what it was given."""
        if "_worker" in self.__dict__:
            super().__del__()

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - as of any object
        """Refuse a new attribute that is nearly a trait: it would do nothing, and not say so."""
        if not (name.startswith("_") or hasattr(type(self), name) or name in vars(self)):
            public = [trait for trait in self.traits(sync=True) if not trait.startswith("_")]
            for near in get_close_matches(name, public, n=1, cutoff=_NEAR):
                own = type(self).__name__
                raise AttributeError(
                    f"{own}: there is no attribute {name!r}; did you mean {near!r}?"
                )
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.net.name})"

    @default("_esm")
    def _default_esm(self) -> str:
        return bundles.bundle(self._bundle, "js")

    @default("_css")
    def _default_css(self) -> str:
        return bundles.bundle(self._bundle, "css")

    def figure(self) -> Figure:
        """Draw what is shown as a matplotlib figure, for slides and hosts without JavaScript."""
        raise NotImplementedError

    def preview(self) -> bytes:
        """Draw the figure as PNG, for the notebook's file."""
        file = io.BytesIO()
        self.figure().savefig(file, format="png", dpi=PNG_DPI)
        return file.getvalue()

    def foreseen(self) -> Iterator[Asked]:
        """Yield the requests that a page makes first; the answers come with the state, unasked."""
        return iter(())

    def recorded(self) -> Iterator[Asked]:
        """Yield the requests that an exported page should answer, most useful first."""
        return iter(())

    def to_html(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | None = None,
        limit: float = 50e6,
    ) -> Path:
        """Write one offline page that goes on working without a kernel.

        The size, and what is left out, are printed before the file is written; meanwhile how far
        it is, where that takes over half a second.

        Parameters
        ----------
        path
            Where to write; has to be given.
        title
            Of the page; the widget's by default.
        limit
            Bytes that the page may have. What does not fit is left out, the least useful
            first, and the page says so at its foot, and where it is missed.

        Returns
        -------
        pathlib.Path
            Where it was written.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.
        TypeError
            If no path is given.
        ValueError
            If the page would be larger than `limit` without any recorded answer.
        """
        if not isinstance(path, (str, os.PathLike)):
            such = f'such as to_html("{self._bundle}.html")'
            raise TypeError(f"path: {path!r}; say where to write the page, {such}")
        file = Path(path)
        if not file.parent.is_dir():
            raise FileNotFoundError(f"path: there is no folder {str(file.parent)!r}; make it first")
        with self._recording():
            page = Page(title or repr(self), bundles.bundle("host", "js"), self.get_state(), limit)
            missing = self._record(page, printed(f"{file.name}: recording"))
        return page.write(file, self.in_words(missing) if missing else "")

    def _record(self, page: Page, tell: Callable[[float], None]) -> list[Asked]:
        """Fill a page; return what there was no room for."""
        asked = list(self.recorded())
        for done, ((name, args), answer) in enumerate(self._answered(asked)):
            tell(max(done / len(asked), page.fullness))
            if answer and not page.add(name, args, answer.value, answer.tensors):
                return asked[done:]
        return []

    def in_words(self, asked: Sequence[Asked]) -> str:
        """Say what these requests ask for, to tell what a page had no room for."""
        return f"{len(asked)} answers"

    @contextmanager
    def _recording(self) -> Iterator[None]:
        """Bring the state up to date, and keep it as it is while a page is recorded."""
        yield

    def answer(self, name: str, args: dict[str, Any]) -> Answer:
        """Answer a request here and now, as the browser would get it."""
        return self._handlers[name](self, Request(name, args))

    def _answered(self, asked: Iterable[Asked]) -> Iterator[tuple[Asked, Answer | None]]:
        for name, args in asked:
            answer = None
            with suppress(RequestError):  # a layer that has no gradient, or was not reached
                answer = self.answer(name, args)
            yield (name, args), answer

    @default("_foreseen")
    def _foresee(self) -> list[dict[str, Any]]:
        foreseen: list[dict[str, Any]] = []
        with suppress(Exception):  # the page asks for the rest, and shows what is wrong with it
            for (name, args), answer in self._answered(self.foreseen()):
                if answer is not None:
                    packed = {"value": answer.value, "tensors": list(answer.tensors)}
                    foreseen.append({"name": name, "args": args, **packed})
        return foreseen

    def stream(self, name: str, patience: float = PATIENCE) -> Stream:
        """Return the stream of frames of this name; silent pages are not waited for any longer."""
        if name not in self._streams:
            self._streams[name] = Stream(name, self.send, patience)
            for page in self._pages:
                self._streams[name].join(page)
        return self._streams[name]

    def close(self) -> None:
        """Free tensors and threads, and take the widget off every page. Once is enough."""
        for job in list(self._jobs.values()):
            job.cancel()
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        if self.comm is not None and self.layout is not None:
            self.layout.close()
        super().close()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take traits from the browser; say what is wrong with one and put it right there."""
        public = {name: value for name, value in sync_data.items() if not name.startswith("_")}
        try:
            super().set_state(public)
        except TraitError as error:
            self._failed(error)
            self._error = str(error)
            self.send_state([name for name in public if name in self.keys])
        else:
            self._error = None

    @observe("comm")
    def _keep_answering_while_a_cell_runs(self, change: Any) -> None:  # noqa: ANN401
        """Let messages reach us while a cell that has sent on this comm is still running.

        ipykernel 7.4 would queue them behind the cell's shell.
        """
        if hasattr(change.new, "_reply_subshell_for"):
            change.new._reply_subshell_for = lambda _data, default: default  # noqa: SLF001

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]] | None:
        made = super()._repr_mimebundle_()
        if made is None:
            return None
        data, metadata = made
        data["text/plain"] = repr(self)
        try:
            data["image/png"] = base64.b64encode(self.preview()).decode()
        except Exception as error:  # noqa: BLE001 - the live widget matters more than its picture
            self._failed(error)
        return data, metadata

    def _check_keywords(self, given: Iterable[str]) -> None:
        traits = self.traits(sync=True)
        for name in given:
            if name not in traits:
                known = [name for name in traits if not name.startswith("_")]
                known += list(signature(type(self)).parameters)
                raise TypeError(
                    f"{type(self).__name__}: there is no keyword {name!r}; {nearest(name, known)}"
                )

    def _receive(self, content: Any, buffers: Sequence[memoryview]) -> None:  # noqa: ANN401
        """Take a message of a page; it only starts things, whatever thread it comes on."""
        if not isinstance(content, dict):
            return
        page = str(content.get("page"))
        if content.get("kind") in ("request", "ack"):
            self._pages = self._pages | {page}
        match content:
            case {"kind": "request", "id": str(identity), "name": name, "args": dict(args)}:
                self._submit(identity, Request(str(name), args, buffers, page), content.get("lane"))
            case {"kind": "cancel", "id": str(identity)} if identity in self._jobs:
                self._jobs[identity].cancel()
            case {"kind": "ack", "stream": str(name), "seq": int(seq)} if name in self._streams:
                self._streams[name].acknowledge(page, seq)
            case {"kind": "hello"}:
                # A page that died could not say bye, so all but the newest count again only when
                # they speak. If a living one is silent until the newest leaves, `_unwatched` costs
                # it one more pass; to count a dead one would keep the passes for ever.
                self._pages = {page}
                for stream in self._streams.values():
                    stream.join(page)
            case {"kind": "bye"}:
                self._bye(page)
            case {"id": str(identity)}:
                self._reply(identity, error="this message is no request that can be answered")

    def _bye(self, page: str) -> None:
        self._pages = self._pages - {page}
        for stream in self._streams.values():
            stream.leave(page)
        for identity, job in list(self._jobs.items()):
            if identity.startswith(f"{page}:"):
                job.cancel()
        if not self._pages:
            self._unwatched()

    def _unwatched(self) -> None:
        """Free what can be computed again: no page shows the widget any more."""

    def _submit(self, identity: str, request: Request, lane: object) -> None:
        if identity in self._jobs:  # a page that lost its connection asks again
            return
        job = Job(
            run=lambda job: self._run(identity, request, job),
            cancelled=lambda: self._finish(identity, cancelled=True),
            key=None if lane is None else (id(self), request.page, str(lane)),
        )
        self._jobs[identity] = job
        self._worker.submit(job)

    def _run(self, identity: str, request: Request, job: Job) -> None:
        def progress(done: int, total: int) -> None:
            self.send({"kind": "progress", "id": identity, "done": done, "total": total})

        live = replace(request, check=job.check, progress=seldom(progress))
        try:
            if request.name not in self._handlers:
                raise RequestError(  # noqa: TRY301 - it is shown as any other error
                    f"no request {request.name!r}; {nearest(request.name, self._handlers)}"
                )
            answer = self._handlers[request.name](self, live)
            job.check()
        except Cancelled:
            raise
        except RequestError as refusal:
            self._finish(identity, error=str(refusal))
        except BaseException as error:  # noqa: BLE001 - it is shown where the user looks
            self._failed(error)
            self._finish(identity, error=sentence(error))
        else:
            self._finish(identity, answer)

    def _finish(self, identity: str, answer: Answer | None = None, **failure: object) -> None:
        self._jobs.pop(identity, None)
        self._reply(identity, answer, **failure)

    def _reply(self, identity: str, answer: Answer | None = None, **failure: object) -> None:
        reply: dict[str, object] = {"kind": "reply", "id": identity, "ok": answer is not None}
        if answer is None:
            self.send({**reply, **failure})
        else:
            self.send({**reply, "value": answer.value}, list(answer.tensors))

    def _failed(self, error: BaseException) -> None:
        """Remember an error and leave its traceback in the kernel's log."""
        self.log.error("%s: %s", type(self).__name__, error, exc_info=error)
        self.error = error if error is self.error else without_calls(error)
