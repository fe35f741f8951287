"""Run HIPS/autograd's own tests with gpugrad.numpy in its place.

``python tests/hips.py CHECKOUT [pytest's arguments]``, or with the variable ``HIPS_AUTOGRAD``: the
folder of a copy of https://github.com/HIPS/autograd, whose tests are run as they are.  Inside this
process ``autograd`` is a name for gpugrad's modules.  It prints how many tests pass, which fail,
and which are left out, each with its reason.  The exit status is 1 if less than 95 in 100 pass.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import gpugrad
import gpugrad.numpy
from gpugrad.numpy import differential, extend, misc, test_util
from gpugrad.op.dual import tangents_of

NEEDED = 0.95

_OLD = "a name that HIPS/autograd itself calls deprecated"
_EXTRA = "calls make_diagonal, which is HIPS/autograd's and not NumPy's"
_WHERE = "where() takes Python's numbers to arrays here, and no keywords, as NumPy's own"
_GRAPH = "HIPS/autograd's own record of a function, which is no public name"
LEFT_OUT = {
    "test_const_graph": _GRAPH,
    "test_const_graph_args": _GRAPH,
    "test_deprecated_defgrad_wrapper": _OLD,
    "test_deprecated_defvjp_wrapper": _OLD,
    "test_deprecated_defvjp_is_zero_wrapper": _OLD,
    "test_deprecated_quick_grad_check_wrapper": _OLD,
    "test_make_diagonal": _EXTRA,
    "test_diagonal": _EXTRA,
    "test_custom_where": _WHERE,
    **{
        f"test_custom_where_dtypes[{case}]": _WHERE
        for case in (
            "int-True-1-2",
            "float-True-3.0-4.0",
            "float-False-1-2.0",
            "list-True-x3-y3",
        )
    },
    "test_pinv": "calls linalg._dot, a private name",
    "test_rfftn_odd_not_implemented": "asks that something raises which is implemented here",
    "test_cast_to_int": "calls int64(x), NumPy's own class; x.astype(int) is recorded",
    "test_dtypes": "asks for longdouble, which no device computes with",
    "test_assignment_raises_error": "arrays may be written in place here, with a gradient",
    "test_wrapped_name_and_docs": "asks for the wording of a docstring",
}


def is_recorded(value: Any) -> bool:
    """Return what ``isbox`` tells: whether a value is being differentiated."""
    return isinstance(value, gpugrad.Tensor) and (value.requires_grad or bool(tangents_of(value)))


def put_in_place() -> None:
    """Give gpugrad's modules HIPS/autograd's names."""

    def module(name: str, *homes: Any, **names: Any) -> ModuleType:
        made = ModuleType(name)
        for home in homes:
            for key in getattr(home, "__all__", dir(home)):
                if not key.startswith("_"):
                    setattr(made, key, getattr(home, key))
        vars(made).update(names)
        sys.modules[name] = made
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, made)
        return made

    python = {
        name: getattr(builtins, name) for name in ("tuple", "list", "dict", "isinstance", "type")
    }
    operators = {name: getattr(differential, name) for name in differential.NAMES}
    root = module("autograd", **operators, **python, primitive=extend.primitive)
    root.__path__ = []
    for name in "numpy", "numpy.random", "numpy.linalg", "numpy.fft":
        found = importlib.import_module(f"gpugrad.{name}")
        sys.modules[f"autograd.{name}"] = found
    root.numpy = gpugrad.numpy  # type: ignore[attr-defined]
    module("autograd.extend", extend)
    module("autograd.builtins", **python)
    module("autograd.test_util", test_util)
    module("autograd.wrap_util", unary_to_nary=differential.nary)
    module("autograd.tracer", extend, isbox=is_recorded)
    module(
        "autograd.core", extend, primitive_vjps={},
        make_vjp=lambda fun, x: differential.make_vjp(fun)(x),
        make_jvp=lambda fun, x: differential.make_jvp(fun)(x),
    )  # fmt: skip
    module("autograd.differential_operators", **operators)
    module("autograd.misc", flatten=misc.flatten, const_graph=None).__path__ = []
    module("autograd.misc.optimizers", misc.optimizers)
    module("autograd.misc.fixed_points", misc.fixed_points)
    module("autograd.misc.flatten", flatten=misc.flatten, flatten_func=misc.flatten_func)
    sys.modules["autograd.misc"].flatten = misc.flatten  # type: ignore[attr-defined]
    module("autograd.scipy").__path__ = []
    for name in "linalg", "signal", "special", "integrate", "stats":
        try:
            module(f"autograd.scipy.{name}", importlib.import_module(f"gpugrad.scipy.{name}"))
        except ImportError:  # its tests fail, one by one
            module(f"autograd.scipy.{name}")
    stats = sys.modules["autograd.scipy.stats"]
    normal = getattr(stats, "multivariate_normal", None)
    sys.modules["autograd.scipy.stats.multivariate_normal"] = normal  # type: ignore[assignment]


class Counted:
    """Leaves tests out, and counts those that run."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.failed: list[str] = []
        self.left_out: dict[str, str] = {}

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        out = [item for item in items if item.name in LEFT_OUT]
        self.left_out = {item.name: LEFT_OUT[item.name] for item in out}
        items[:] = [item for item in items if item not in out]
        config.hook.pytest_deselected(items=out)

    @pytest.fixture(autouse=True)
    def seeded(self) -> None:
        gpugrad.manual_seed(42)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self.outcomes[report.outcome] += 1
            if report.failed:
                self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def main(arguments: list[str]) -> int:
    """Run the tests of a copy, and say what came of it."""
    given = arguments or [os.environ.get("HIPS_AUTOGRAD", "")]
    tests = Path(given[0]) / "tests"
    if not given[0] or not tests.is_dir():
        print("Say where a copy of https://github.com/HIPS/autograd is: python tests/hips.py COPY")
        return 2
    put_in_place()
    counted = Counted()
    options = [
        "-q",
        "--continue-on-collection-errors",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        f"--rootdir={tests}",
        *given[1:],
    ]
    pytest.main([*options, str(tests)], plugins=[counted])
    passed, failed = counted.outcomes["passed"], len(counted.failed)
    print(f"\n{passed} of {passed + failed} pass ({counted.outcomes['skipped']} skipped)")
    for name in counted.failed:
        print("fails:", name)
    for name, reason in counted.left_out.items():
        print("left out:", name, "--", reason)
    return int(passed < NEEDED * (passed + failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
