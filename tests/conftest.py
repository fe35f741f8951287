"""The lanes: every test that asks for ``device`` runs on the CPU, and on CUDA where there is one.

``GPUGRAD_HOSTCUDA=1`` puts an emulated device under the real CuPy (``tests/hostcuda``); without it
the CUDA half of the tests needs a GPU and is skipped with the reason where there is none.
"""

from __future__ import annotations

import os

import pytest

if os.environ.get("GPUGRAD_HOSTCUDA", "") not in ("", "0"):
    import hostcuda

    hostcuda.install()  # before anything imports CuPy

from gpugrad import backend

pytest.register_assert_rewrite("comparison")  # so that it says what differs


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> str:
    """Return the device that a test runs on."""
    return str(request.param)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA device where there is none, saying what is missing."""
    if not any(item.get_closest_marker("cuda") for item in items):
        return
    problem = backend.cuda_problem()
    if problem is not None:
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason=problem))
