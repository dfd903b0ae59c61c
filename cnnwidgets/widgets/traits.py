"""Traits whose errors say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from traitlets import Enum, Int, TraitError, TraitType

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from traitlets import HasTraits

    from cnnwidgets.network import Network

    class _HasNetwork(Protocol):
        net: Network


T = TypeVar("T", bound=TraitType[Any, Any])


class TraitValueError(TraitError, ValueError):
    """A trait's value makes no sense; the message says what does."""


def worded(trait: T, what: str) -> T:
    """Let the error of a trait that is given something of another type say what it takes."""

    def error(_obj: object, value: object, *_: object) -> NoReturn:
        raise TraitValueError(f"{trait.name}: {what}, not {value!r}")

    trait.error = error  # type: ignore[method-assign,assignment]  # of this trait alone
    return trait


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


class ClassIndex(Int[int, int | str]):
    """A trait that is a class of the widget's network; a name becomes its index."""

    def validate(self, obj: _HasNetwork, value: Any) -> int:  # noqa: ANN401
        """Return the index; name the nearest class if there is none."""
        try:
            return obj.net.classes.index(value)
        except (TypeError, ValueError) as error:
            said = str(error).replace("target:", f"{self.name}:", 1)
            raise TraitValueError(said) from None
