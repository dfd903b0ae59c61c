"""The one way in which benchmarks state what they measured: value, limit, ratio."""

from __future__ import annotations

import argparse
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured figure and the limit it has to keep.

    Parameters
    ----------
    name
        What was measured, under which circumstances.
    value
        The figure.
    limit
        The largest allowed value, or the smallest where ``at_least``.
    unit
        Of both.
    at_least
        Whether more is better.
    """

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def ok(self) -> bool:
        """Whether the limit is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def row(self) -> list[str]:
        """Return the cells of the table."""
        sign = "≥" if self.at_least else "≤"
        return [
            self.name,
            f"{_number(self.value)} {self.unit}",
            f"{sign} {_number(self.limit)} {self.unit}",
            f"{self.value / self.limit:.2f}",
            "ok" if self.ok else "MISSED",
        ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.2f}"


def report(figures: list[Figure]) -> int:
    """Print the table; with ``--check`` on the command line, return 1 if a limit is missed."""
    parser = argparse.ArgumentParser(
        description="Measure, and print the figures with their limits."
    )
    parser.add_argument("--check", action="store_true", help="fail if a limit is missed")
    check = parser.parse_args().check
    rows = [["", "measured", "limit", "ratio", ""], *(figure.row() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        name, *cells = (cell for cell in row)
        padded = [f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)]
        print(f"{name:<{widths[0]}}", *padded, sep="  ")
    return int(check and not all(figure.ok for figure in figures))
