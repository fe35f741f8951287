"""Is everything installed that is in the folders?  The wheel's own test is in .ci/run."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.sources
def test_every_package_is_listed_for_installation() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in [*ROOT.glob("gpugrad/**/__init__.py"), ROOT / "gpugrad/kernels/__init__.py"]
    }

    assert sorted(found) == setuptools["packages"]
