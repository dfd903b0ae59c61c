"""Which cell of a notebook is being run."""

from __future__ import annotations

import sys
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell while it is run.

    Attributes
    ----------
    identity
        Of the cell: the same each time that it is run.
    execution
        Another one each time.
    """

    identity: str
    execution: str

    def repeats(self, earlier: Cell | None) -> bool:
        """Whether this is the cell of before, run again."""
        return (
            earlier is not None
            and self.identity == earlier.identity
            and self.execution != earlier.execution
        )


def this_cell() -> Cell | None:
    """Return the cell that is being run; None where there is none, or the page does not tell."""
    notebook = sys.modules.get("IPython")
    shell = None if notebook is None else notebook.get_ipython()
    parent: dict[str, dict[str, object]] = getattr(shell, "get_parent", dict)()
    identity = parent.get("metadata", {}).get("cellId")
    execution = parent.get("header", {}).get("msg_id")
    return Cell(str(identity), str(execution)) if identity and execution else None
