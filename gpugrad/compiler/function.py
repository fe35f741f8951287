"""Compiled functions: which program a call is for, and what happens where there is none."""

from __future__ import annotations

import functools
import operator
import random
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend import pool
from gpugrad.backend.determinism import are_deterministic_algorithms_enabled
from gpugrad.compiler.call import MISSED
from gpugrad.compiler.capture import Capture, UnknownError, check_survivors, end_of
from gpugrad.compiler.given import given
from gpugrad.compiler.parts import Source, divided, source_of
from gpugrad.compiler.plan import BY_VALUE, Plan
from gpugrad.compiler.recorded import Recorder, current
from gpugrad.compiler.watching import Watched
from gpugrad.errors import Unsupported
from gpugrad.graph import TensorBase, mode, warn
from gpugrad.op import autocast
from gpugrad.op.history import renew
from gpugrad.op.saved import wrap

Array = Any

LIMIT = 8  # PyTorch's: so many programs for one function, beyond which it runs eagerly
_recording = threading.Lock()  # held by the thread that records: it has the tensors of all
ATTEMPTS = 3  # how often a function is recorded that makes what it keeps


class RefusedError(Exception):
    """The arguments hold what no program can be recorded of."""


def signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return what says which program is for a call, and the leaves of the arguments.

    Raises:
        RefusedError: No program can be.
    """
    key: list[Any] = []
    leaves: list[Any] = []
    places: dict[int, int] = {}
    for value in args:
        _describe(value, key, leaves, places)
    for name, value in kwargs.items():
        key.append(name)
        _describe(value, key, leaves, places)
    return key, leaves


def _describe(value: Any, key: list[Any], leaves: list[Any], places: dict[int, int]) -> None:
    if isinstance(value, TensorBase):
        if value._view is not None:
            renew(value)
        array = value._array
        place = places.setdefault(id(value), len(leaves))
        leaves.append(value)
        key += (
            type(value), place, array.shape, array.strides, array.dtype,
            type(array) if array.ndim else array.dtype, *end_of(value),
        )  # fmt: skip
        if array.__class__ is not np.ndarray and backend.of(array).type != "cpu":
            key.append(backend.of(array).device_of(array))
    elif isinstance(value, tuple | list):
        key += type(value), len(value)
        for item in value:
            _describe(item, key, leaves, places)
    elif isinstance(value, dict):
        key += type(value), len(value)
        for name, item in value.items():
            key += type(name), name
            _describe(item, key, leaves, places)
    elif isinstance(value, BY_VALUE):
        key += type(value), repr(value) if isinstance(value, slice | float | complex) else value
    elif isinstance(value, types.FunctionType) and value.__closure__:
        known = id(value) in places
        place = places.setdefault(id(value), len(places))
        key += type(value), value.__code__, id(value.__globals__), place
        if not known:
            for cell in value.__closure__:
                try:
                    _describe(cell.cell_contents, key, leaves, places)
                except ValueError:
                    key.append("empty")
            _describe((value.__defaults__, value.__kwdefaults__), key, leaves, places)
    elif isinstance(value, np.ndarray) or backend.is_array(value):
        raise RefusedError("an array among the arguments that is no tensor")
    else:
        key += type(value), id(value)


all_compiled: weakref.WeakSet[Compiled] = weakref.WeakSet()


class Compiled:
    """A function that is recorded when it is first called, and run as a program afterwards.

    ``program`` is the one that ran last, or was recorded; ``reasons`` tell why calls were eager.
    """

    stance = "default"  # of PyTorch's, to all calls
    is_compiled = True

    def __init__(
        self,
        function: Callable[..., Any],
        source: Source | None = None,
        *,
        fullgraph: bool = False,
        backend: Any = "inductor",
        limit: int = LIMIT,
        graphs: bool = False,
    ):
        """Compile a function; ``source`` is that of a part of another one.

        With ``graphs`` programs on a GPU are replayed as CUDA graphs.
        """
        self.function = function
        self.source = source
        self.divided: Callable[..., Any] | None = None
        self.fullgraph = fullgraph
        self.limit = limit
        self.graphs = graphs
        self.options: dict[str, Any] = {
            "fullgraph": fullgraph, "backend": backend, "limit": limit, "graphs": graphs,
        }  # fmt: skip
        self.runs_as_it_is = backend in ("eager", "aot_eager")
        self.plans: dict[Any, list[tuple[Watched, Plan]]] = {}
        self.eager: dict[Any, str] = {}
        self.attempts: dict[Any, int] = {}
        self.count = 0
        self.last: Plan | None = None
        functools.update_wrapper(self, function, updated=())
        all_compiled.add(self)

    def __repr__(self) -> str:
        return f"<compiled {self.function!r}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def program(self) -> Any:
        """The program that was recorded or run last, ``None`` before."""
        return None if self.last is None else self.last.program

    @property
    def reasons(self) -> list[str]:
        """Why some calls run eagerly."""
        return list(dict.fromkeys(self.eager.values()))

    def reset(self) -> None:
        """Forget all programs."""
        self.plans.clear()
        self.eager.clear()
        self.attempts.clear()
        self.divided = None
        self.count = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns, by a program where there can be one."""
        if self.runs_as_it_is or Compiled.stance == "force_eager" or not _recordable():
            return self.function(*args, **kwargs)
        try:
            held = self._held(args)
            key, leaves = signature(held, kwargs)
            known = (*key, *_modes())
            plans = self.plans.get(known)
        except (RefusedError, TypeError) as error:
            return self._refused(str(error), args, kwargs)
        if plans is not None:
            found = self._planned(plans, leaves, args, kwargs)
            if found is not MISSED:
                return found
        if known in self.eager:
            if self.fullgraph:
                raise Unsupported(_as_a_whole(self.eager[known]))
            return (self.divided or self.function)(*args, **kwargs)
        return self._recorded(known, leaves, held, args, kwargs)

    def _planned(
        self, plans: list[tuple[Watched, Plan]], leaves: list[Any], args: Any, kwargs: Any
    ) -> Any:
        """Return what a call returns by the plan that is for it, ``MISSED`` if none is.

        The plan that ran last is asked first.
        """
        for k, (watched, plan) in enumerate(plans):
            if watched.is_for(leaves):
                found = plan(leaves, args, kwargs)
                if found is not MISSED:
                    self.last = plan
                    if k:
                        plans[:] = [plans[k], *plans[:k], *plans[k + 1 :]]
                    return found
        return MISSED

    def _refused(self, reason: str, args: Any, kwargs: Any) -> Any:
        if self.fullgraph:
            raise Unsupported(f"compile: {reason} cannot be part of a compiled program.")
        self.eager[reason] = reason
        return self.function(*args, **kwargs)

    def _held(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of a part, with tensors that hold the numbers which may be others.

        Numbers on their way to a GPU are constants.
        """
        source = self.source
        if source is None or not source.moving or any(_is_elsewhere(a) for a in args):
            return args
        return tuple(
            [
                wrap(np.asarray(a)) if k in source.moving and a.__class__ is float else a
                for k, a in enumerate(args)
            ]
        )

    def _recorded(
        self, key: Any, leaves: list[Any], held: tuple[Any, ...], args: Any, kwargs: Any
    ) -> Any:
        """Record a call; return what it returns."""
        if Compiled.stance == "fail_on_recompile":
            raise RuntimeError(
                f"Detected recompile when torch.compile stance is '{Compiled.stance}': "
                f"{self.function!r} has no program for this call"
            )
        if Compiled.stance == "eager_on_recompile":
            return self.function(*args, **kwargs)
        if self.count >= self.limit:
            if self.count == self.limit:
                warn(
                    f"compile: {self.function!r} was recorded {self.limit} times for calls that "
                    "differ, in shapes or in numbers, and now runs eagerly for new ones."
                )
                self.count += 1
            return self.function(*args, **kwargs)
        if not _recording.acquire(blocking=False):  # another thread does, perhaps for this one
            return self.function(*args, **kwargs)
        try:
            found = MISSED
            if key in self.plans:  # another thread may have recorded it meanwhile
                found = self._planned(self.plans[key], leaves, args, kwargs)
            if found is MISSED:
                found = self._recorded_alone(key, leaves, held, args, kwargs)
            return found
        finally:
            _recording.release()
            pool.give_back()  # a program needs none of what its operations took

    def _recorded_alone(
        self, key: Any, leaves: list[Any], held: tuple[Any, ...], args: Any, kwargs: Any
    ) -> Any:
        watched = Watched(self.function, args, kwargs)
        contents = list(_contents((args, kwargs)))
        state = _state()
        recorder = Recorder(self.fullgraph)
        capture = Capture(recorder, leaves)
        watched.find_twice(leaves, capture.gradients)
        plan, reason, begins = None, "", False
        try:
            function, given_args = self.function, args
            if held is not args and self.source is not None:
                function = self.source.with_moving
                pairs = zip(held, args, strict=True)
                given_args = [a if t is a else given(t, a) for t, a in pairs]
            result = capture.call(function, given_args, kwargs)
            if recorder.records and _state() != state:
                reason = "changing a mode, or drawing Python's or NumPy's random numbers,"
            elif recorder.records and watched.refused:
                reason = watched.refused
            elif recorder.records:
                try:
                    plan = Plan(
                        capture, result, self.function, self.graphs, self.source is not None
                    )
                except UnknownError as unknown:
                    reason, begins = str(unknown), unknown.begins
            else:
                reason = recorder.reason
        finally:
            capture.restore()
        if plan is not None:
            try:
                check_survivors(capture, [result, plan.kept])
            except UnknownError as unknown:
                plan, reason, begins = None, str(unknown), unknown.begins
        if plan is not None and not _are(list(_contents((args, kwargs))), contents):
            plan, reason = None, "changing a list or a dictionary among the arguments"
        if plan is not None and not watched.untouched():
            plan, reason, begins = None, "changing what the function finds by name", True
        if plan is not None:
            plan.kept = []
            if plan.gradient is not None and plan.gradient.again is not None:
                plan.gradient.again.unchanged = watched.unchanged
            self.plans.setdefault(key, []).append((watched, plan))
            self.count += 1
            self.last = plan
            return result
        self.attempts[key] = self.attempts.get(key, 0) + 1
        if not begins or self.attempts[key] >= ATTEMPTS:
            self.eager[key] = reason
            if self.fullgraph:
                raise Unsupported(_as_a_whole(reason))
            self._divide(recorder)
        return result

    def _divide(self, recorder: Recorder) -> None:
        """Compile what stands before and behind the statement that ended the recording."""
        called: Any = self.function
        module: Any = getattr(called, "__self__", None)
        if getattr(called, "__module__", "") == "gpugrad.nn.modules.hooked":
            called = module.forward
        function = getattr(called, "__func__", called)
        if not isinstance(function, types.FunctionType) or self.divided is not None:
            return
        line = recorder.lines.get(function.__code__)
        if line is None:
            return
        source = self.source or source_of(function)
        if source is None:
            return
        made = divided(source, line, functools.partial(Compiled, **self.options))
        if made is None:
            return
        if function is not called:
            made = types.MethodType(made, called.__self__)
        self.divided = made if called is self.function else Surrounded(self.function, made)


class Surrounded:
    """The call of a module whose ``forward`` is divided: with hooks around it, it is not."""

    def __init__(self, call: Any, forward: Callable[..., Any]):
        """Note the module's call, and what is called in the place of ``forward``."""
        self.call, self.forward = call, forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the module returns."""
        chosen = self.call if self.call.__self__._has_hooks() else self.forward
        return chosen(*args, **kwargs)


def _contents(value: Any) -> Iterator[Any]:
    """Go through lists, tuples and dictionaries, and all that is in them."""
    yield value
    if isinstance(value, tuple | list):
        for item in value:
            yield from _contents(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _contents(item)


def _are(found: list[Any], others: list[Any]) -> bool:
    """Tell whether two lists are of the same objects, beside the first ones."""
    return len(found) == len(others) and all(map(operator.is_, found[1:], others[1:]))


def _is_elsewhere(argument: Any) -> bool:
    return isinstance(argument, TensorBase) and backend.of(argument._array).type != "cpu"


def _as_a_whole(reason: str) -> str:
    return f"compile: {reason} cannot be part of a compiled program (fullgraph=True)."


def _recordable() -> bool:
    """Tell whether a call may be recorded or run as a program: no transform asks what it does."""
    return not (
        mode.levels or mode.batches or mode.transforms or mode.calls or mode.hooks or mode.anomaly
        or mode.replay is not None or mode.scope is not None or mode.walk is not None
        or mode.linearizing or current.recorder is not None
    )  # fmt: skip


def _state() -> tuple[Any, ...]:
    """Return what a function may change that is no tensor."""
    numpy: Any = np.random.get_state()  # noqa: NPY002  it is the state that all share
    return *_modes(), random.getstate(), numpy[2], numpy[1].tobytes()


def _modes() -> tuple[Any, ...]:
    """Return what a program depends on beside the arguments."""
    casting = autocast.state
    return (
        bool(mode.enabled), mode.inference, mode.conventions[-1], mode.keeps_layout,
        _dtype.get_default_dtype(), tuple(casting.enabled.items()), tuple(casting.dtypes.items()),
        are_deterministic_algorithms_enabled(),
    )  # fmt: skip
