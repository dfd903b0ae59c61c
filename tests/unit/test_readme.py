"""The documents say what is so: accuracy, pictures that exist, why there are dependencies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WEIGHTS = ROOT / "cnnwidgets" / "samples" / "data" / "fashion.safetensors"


def test_the_quoted_accuracy_is_that_of_the_weights() -> None:
    with safe_open(WEIGHTS, "pt") as file:
        accuracy = json.loads(file.metadata()["about"])["held_out_accuracy"]
    assert accuracy >= 0.91
    assert re.findall(r"\*\*([\d.]+) %\*\* on the 10,000 held-out", README) == [
        f"{accuracy:.2%}"[:-1]
    ]


@pytest.mark.skipif((ROOT / "PKG-INFO").exists(), reason="an sdist has no pictures")
def test_linked_pictures_and_files_exist() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    pictures = {Path(link).stem: Image.open(ROOT / link) for link in links if link.endswith(".png")}
    assert {link for link in links if not (ROOT / link).exists()} == set()
    widgets = (
        *("layer-browser", "occlusion-slider", "saliency-viewer"),
        *("training-monitor", "gradient-ascent-viewer"),
    )
    shots = {f"{widget}-{what}" for widget in widgets for what in ("light", "dark", "480")}
    others = (
        "layer-browser-receipt",
        "training-monitor-distributions",
        "gradient-ascent-viewer-channels",
    )
    assert shots | set(others) == set(pictures)
    brightness = {
        name: np.asarray(picture.convert("L")).mean() for name, picture in pictures.items()
    }
    for widget in widgets:
        assert brightness[f"{widget}-dark"] < 100
        assert brightness[f"{widget}-light"] > 150
        assert pictures[f"{widget}-480"].width == 480


def test_every_dependency_is_explained() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = project[project.index("\ndependencies = [") : project.index("[tool.")]
    names = set(re.findall(r'"([a-zA-Z][\w-]*)(?:>=[\d.]+)?"', declared))
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = contributing[contributing.index("## Dependencies, and why") :]
    assert {"torch", "jupyterlab", "transformers"} <= names
    assert {name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", table)} == set()


def test_every_benchmark_that_is_named_exists() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    text = "".join(path.read_text(encoding="utf-8") for path in documents)
    named = set(re.findall(r"python -m benchmarks\.(\w+)", text))
    assert named
    assert {name for name in named if not (ROOT / "benchmarks" / f"{name}.py").exists()} == set()
