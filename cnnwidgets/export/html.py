"""One offline page that replays a widget: its front-end, its state, its recorded answers."""

from __future__ import annotations

import base64
import gzip
import html
import json
from typing import TYPE_CHECKING, Any

from ipywidgets.widgets.widget import _remove_buffers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)
_NOT_STATE = ("layout", "tabbable", "tooltip", "_dom_classes", "_anywidget_id", "_foreseen")
_SPARE = 4000  # bytes of mark-up around the document


class Page:
    """A page being filled.

    Parameters
    ----------
    title
        Shown in the browser's tab.
    host
        Source of the script that plays the kernel's part.
    state
        The widget's traits, with its front-end as ``_esm`` and ``_css``.
    limit
        Bytes that it may have.

    Raises
    ------
    ValueError
        If front-end and state alone are larger than `limit`.
    """

    def __init__(self, title: str, host: str, state: Mapping[str, Any], limit: float) -> None:
        shown = {key: value for key, value in state.items() if _is_shown(key)}
        plain, paths, buffers = _remove_buffers(shown)
        self._host = host
        self._limit = limit
        self._replies: list[str] = []
        self._document = {
            "title": title,
            "state": plain,
            "buffers": [
                {"path": list(path), "data": _compressed(data)}
                for path, data in zip(paths, buffers, strict=True)
            ],
            "esm": state["_esm"],
            "css": state["_css"],
        }
        self.size = len(_json(self._document).encode()) + len(host.encode()) + _SPARE
        if self.size > limit:
            raise ValueError(
                f"limit: the page needs {self.size / 1e6:.1f} MB for the front-end and the "
                f"pictures alone, more than {limit / 1e6:.1f} MB; give a larger limit, or the "
                "widget fewer pictures to choose from"
            )

    @property
    def fullness(self) -> float:
        """The share of the limit that is taken."""
        return self.size / self._limit

    def add(
        self,
        name: str,
        args: Mapping[str, Any],
        value: Mapping[str, Any],
        tensors: Iterable[bytes],
    ) -> bool:
        """Record the answer to a request; return whether there was room for it."""
        reply = _json(
            {
                "name": name,
                "args": args,
                "value": value,
                "tensors": [_compressed(data) for data in tensors],
            }
        )
        if self.size + len(reply) + 1 > self._limit:
            return False
        self._replies.append(reply)
        self.size += len(reply) + 1
        return True

    def write(self, path: Path, missing: str = "") -> Path:
        """Say how large the page is and what is `missing`, in words, then write it."""
        note = self._note(path.name, missing) if missing else ""
        text = self._text(note)
        line = f"{path}: {len(text.encode()) / 1e6:.1f} MB, {len(self._replies)} recorded answers"
        print(f"{line}. {note}" if note else line)  # noqa: T201 - told before it is written
        path.write_text(text, encoding="utf-8")
        return path

    def _note(self, name: str, missing: str) -> str:
        return (
            f"Left out to stay within {self._limit / 1e6:.3g} MB: {missing}. To keep more: "
            f"to_html({name!r}, limit={2 * self._limit:_.0f})"
        )

    def _text(self, note: str) -> str:
        document = _json(self._document)[:-1] + f', "replies": [{",".join(self._replies)}]}}'
        title = html.escape(str(self._document["title"]))
        foot = f'<p class="cnnw-root">{html.escape(note)}</p>\n' if note else ""
        host = self._host.replace("</script", r"<\/script")
        return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{title}</title>
<div class="cnnw-page"></div>
<script type="application/json" class="cnnw-document">{document}</script>
<script type="module">{host}</script>
{foot}</html>
"""


def _is_shown(key: str) -> bool:
    return key not in _NOT_STATE and not key.startswith(("_model_", "_view_", "_esm", "_css"))


def _json(value: object) -> str:
    """Write JSON that may stand inside a script element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _compressed(data: bytes | memoryview) -> str:
    return base64.b64encode(gzip.compress(bytes(data), 6, mtime=0)).decode()
