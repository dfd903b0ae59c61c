"""A widget minds its own part of the page: prefixed classes, no ids, no search of the document."""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "js" / "src"
SCRIPTS = sorted(
    path
    for folder in ("shared", "widgets")
    for path in (SOURCES / folder).rglob("*.ts*")
    if ".test." not in path.name and path.name != "mounting.ts"  # which tests use
)
STYLES = sorted(SOURCES.rglob("*.css"))

ATTRIBUTE = re.compile(r"""\bclass=(?:"([^"]*)"|\{`((?:[^`$]|\$\{[^}]*\}|\$)*)`\}|\{([^{}]*)\})""")
OUTSIDE = re.compile(
    r"""\sid=["{]|\.id\s=\s|\bclassName\b|\bclassList\b|setAttribute\(["'](?:id|class)"""
    r"""|document\.(?:querySelector|getElement)"""
)
PREFIX = "cnnw-"


def classes(script: str) -> list[str]:
    """Every class that the elements of a script are given."""
    found = []
    for plain, template, expression in ATTRIBUTE.findall(script):
        texts = re.findall(r'"([^"]*)"', expression) if expression else [plain or template]
        found += [name for text in texts for name in re.sub(r"\$\{[^}]*\}", "…", text).split()]
    return found


def selectors(style: str) -> str:
    """What stands before the braces of a style sheet."""
    bare = re.sub(r"""/\*.*?\*/|"[^"]*\"""", "", style, flags=re.DOTALL)
    return " ".join(re.findall(r"([^{};]+)\{", bare))


def test_elements_have_prefixed_classes_and_no_ids() -> None:
    for path in SCRIPTS:
        script = path.read_text(encoding="utf-8")
        assert len(ATTRIBUTE.findall(script)) == len(re.findall(r"\bclass=", script)), path
        assert [name for name in classes(script) if not name.startswith(PREFIX)] == [], path
        assert OUTSIDE.findall(script) == [], path


def test_styles_select_prefixed_classes_and_no_ids() -> None:
    for path in STYLES:
        chosen = selectors(path.read_text(encoding="utf-8"))
        assert "#" not in chosen, path
        names = re.findall(r"\.([A-Za-z_][\w-]*)", chosen)
        assert [name for name in names if not name.startswith(PREFIX)] == [], path


def test_what_breaks_the_rules_is_found() -> None:
    assert classes('<a class="b" /> <c class={`cnnw-d e-${f}`} /> <g class={h ? "i" : ""} />') == [
        *("b", "cnnw-d", "e-…", "i")
    ]
    for bad in (' <a id="b" />', "x.id = y", "document.querySelector", 'setAttribute("id", x)'):
        assert OUTSIDE.search(bad), bad
    assert selectors(
        '/* .a{} */ .b:is(#c, [d=".e"]) { color: #fff; .f { top: .5px } }'
    ).split() == [*(".b:is(#c,", "[d=])", ".f")]
