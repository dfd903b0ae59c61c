"""Traits whose errors say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from traitlets import Enum, TraitError

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from traitlets import HasTraits


class TraitValueError(TraitError, ValueError):
    """A trait's value makes no sense; the message says what does."""


class Choice(Enum[str]):
    """A trait that is one of a few words."""

    def error(
        self,
        obj: HasTraits | None,  # noqa: ARG002 - as traitlets has it
        value: Any,  # noqa: ANN401
        error: Exception | None = None,  # noqa: ARG002
        info: str | None = None,  # noqa: ARG002
    ) -> NoReturn:
        """Name the nearest word."""
        words: list[str] = list(self.values or ())
        raise TraitValueError(f"{self.name}: there is no {value!r}; {nearest(value, words)}")
