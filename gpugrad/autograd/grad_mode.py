"""Whether this thread records: as a context, a decorator, or a call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from gpugrad.graph import Inference, begin_marking, end_marking, mode, restoring

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """A grad mode that lasts for a block, or for each call of a decorated function."""

    def __init__(self, enabled: bool):
        self.enabled = enabled
        self._before: list[bool] = []

    def again(self) -> _Mode:
        """Return a new mode of the same kind."""
        return _Mode(self.enabled)

    def __enter__(self) -> None:
        self._before.append(bool(mode.enabled))
        mode.enabled = self.enabled and not mode.inference and mode.on  # last, as nothing fails now

    def __exit__(self, *exception: object) -> None:
        mode.enabled = self._before[-1] and mode.on
        self._before.pop()

    def __call__(self, function: F) -> F:
        """Return the function with this mode on while it runs; generators are paused with it."""
        return _decorated(function, self.again)


def _decorated(function: F, again: Callable[[], Any]) -> F:
    """Return a function that runs in the context that ``again`` makes."""
    if inspect.isgeneratorfunction(function):
        return _generator(function, again)  # type: ignore[return-value]

    @functools.wraps(function)
    @restoring
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with again():
            return function(*args, **kwargs)

    return decorated  # type: ignore[return-value]


def _generator(function: Callable[..., Any], again: Callable[[], Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume = functools.partial(generator.send, None)
        while True:
            try:
                with again():
                    value = resume()
            except StopIteration as stop:
                return stop.value
            try:
                resume = functools.partial(generator.send, (yield value))
            except GeneratorExit:
                with again():
                    generator.close()
                raise
            except BaseException as error:  # thrown in by the caller, for the generator to see
                resume = functools.partial(generator.throw, error)

    return decorated


class no_grad(_Mode):  # noqa: N801  PyTorch's name
    """Compute without recording: ``with no_grad():`` or ``@no_grad()``, in this thread.

    >>> import gpugrad
    >>> x = gpugrad.ones(2, requires_grad=True)
    >>> with gpugrad.no_grad():
    ...     print((x * 2).requires_grad)
    False
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """Return the mode, or the decorated function where it is used without parentheses."""
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(no_grad):  # noqa: N801  PyTorch's name
    """Record, also inside ``no_grad``."""

    def __init__(self) -> None:
        _Mode.__init__(self, True)


class set_grad_enabled(_Mode):  # noqa: N801  PyTorch's name
    """Turn recording on or off, from now on; as a context, until the end of the block."""

    def __init__(self, mode: bool):
        if not isinstance(mode, bool):
            raise TypeError(
                "set_grad_enabled(): argument 'enabled' (position 1) must be bool, "
                f"not {type(mode).__name__}"
            )
        super().__init__(mode)
        self._start()

    def _start(self) -> None:
        super().__enter__()

    def __enter__(self) -> None:
        """Do nothing: the mode is on since the call."""

    def __call__(self, function: F) -> F:
        """Return the decorated function; the mode is as it was before this call."""
        self.__exit__()
        return super().__call__(function)


class _Choice:
    """A setting of this thread, from now on; as a context or a decorator, until that ends."""

    name: str  # of the attribute of the thread's mode

    def __init__(self, chosen: bool):
        if not isinstance(chosen, bool):
            raise TypeError(
                f"{type(self).__name__}(): argument 'enabled' (position 1) must be bool, "
                f"not {type(chosen).__name__}"
            )
        self.mode = chosen
        self.prev: bool = getattr(mode, self.name)
        setattr(mode, self.name, chosen)

    def __enter__(self) -> None:
        """Do nothing: it is chosen since the call."""

    def __exit__(self, *exception: object) -> None:
        setattr(mode, self.name, self.prev)

    def __call__(self, function: F) -> F:
        """Return the decorated function; the setting is as it was before this call."""
        self.__exit__()
        return _decorated(function, self.clone)

    def clone(self) -> Any:
        """Return a new choice of the same kind."""
        return type(self)(self.mode)


class set_multithreading_enabled(_Choice):  # noqa: N801  PyTorch's name
    """Say whether backwards of this thread may run in other threads, from now on.

    Only those do that lie within others, in a hook or in a backward of the user's, and so deep
    that Python's recursion limit is near; with False they end in a RecursionError.
    As a context or a decorator it lasts until that ends; unlike PyTorch's, a decorator leaves the
    setting outside of the function as it was.

    Args:
        mode: What :func:`is_multithreading_enabled` returns then.
    """

    name = "multithreading"

    def __init__(self, mode: bool):
        super().__init__(mode)


def is_multithreading_enabled() -> bool:
    """Return what was said in this thread; at first it is True."""
    return mode.multithreading


class enforce_grad_layout_policy(_Choice):  # noqa: N801  PyTorch's name
    """Say whether the ``.grad`` of a leaf has the leaf's strides, from now on, in this thread.

    With False a first gradient that nobody else holds is kept as it is, without the copy that
    gives it these strides.  As a context or a decorator it lasts until that ends.

    Args:
        enable: True at first.
    """

    name = "keeps_layout"

    def __init__(self, enable: bool = True):
        super().__init__(enable)


class inference_mode(_Mode):  # noqa: N801  PyTorch's name
    """Compute without recording and without counting writes, in this thread.

    What is made inside can neither be saved for a backward nor be written outside; a clone can.
    With ``mode=False`` the block is one without inference mode, inside of another.
    Unlike PyTorch's, gradients are off inside as :func:`is_grad_enabled` says.

    >>> import gpugrad
    >>> with gpugrad.inference_mode():
    ...     x = gpugrad.ones(2)
    >>> x.is_inference(), x.clone().is_inference()
    (True, False)
    """

    def __new__(cls, mode: Any = True) -> Any:
        """Return the mode, or the decorated function where it is used without parentheses."""
        made = super().__new__(cls)
        if not callable(mode):
            return made
        made.__init__()  # type: ignore[misc]
        return made(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)
        self._inference: list[bool] = []
        self._reasons: list[object] = []

    def __enter__(self) -> None:
        self._inference.append(mode.inference)
        self._before.append(bool(mode.enabled))
        self._reasons.append(object())
        begin_marking(self._reasons[-1])
        # and then no call, at whose end a signal might be handled: nobody would leave the mode
        mode.inference = not self.enabled
        mode.enabled = self.enabled and mode.on

    def __exit__(self, *exception: object) -> None:
        mode.inference = self._inference[-1]
        mode.enabled = self._before[-1] and mode.on
        self._inference.pop()
        self._before.pop()
        end_marking(self._reasons.pop())

    def again(self) -> inference_mode:
        """Return a new mode of the same kind."""
        return inference_mode(not self.enabled)


def is_inference_mode_enabled() -> bool:
    """Return whether this thread is in inference mode."""
    return mode.inference


def is_inference(input: Any) -> bool:
    """Return whether the memory of a tensor was made in inference mode."""
    return isinstance(input._counter, Inference)


def is_grad_enabled() -> bool:
    """Return whether this thread records."""
    return bool(mode.enabled)
