"""CuPy's ``RawKernel`` for the arrays of both devices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.graph import TensorBase
from gpugrad.kernel import host


class RawKernel:
    """A kernel that is launched by hand, with CuPy's signature, on arrays of NumPy's or CuPy's.

    On a GPU it is CuPy's ``RawKernel``.  For NumPy's arrays a C++ compiler makes the same text a
    function, whose threads run in turn.  Nothing is recorded: see :func:`gpugrad.raw_kernel`.

    Args:
        code: CUDA's text, with an ``extern "C" __global__`` function.
        name: The name of that function.
        options: Those of the compiler; ``-D`` is also the host's.
        others: What else CuPy's ``RawKernel`` takes.
    """

    def __init__(self, code: str, name: str, options: Sequence[str] = (), **others: Any):
        self.code, self.name, self.options = code, name, tuple(options)
        self._others = others

    def __repr__(self) -> str:
        return f"<raw kernel '{self.name}'>"

    @cached_property
    def _on_gpu(self) -> Any:
        xp = backend.cuda_backend().xp
        return xp.RawKernel(self.code, self.name, self.options, **self._others)

    def __call__(
        self,
        grid: Sequence[int],
        block: Sequence[int],
        args: Sequence[Any],
        *,
        shared_mem: int = 0,
        stream: Any = None,
    ) -> None:
        """Launch so many blocks of so many threads.

        Raises:
            NotImplementedError: The arrays are NumPy's, and there is no compiler, or threads wait
                for each other.
            RuntimeError: The text does not compile for the CPU.
            TypeError: An argument is a tensor, which would lose its gradient; arrays are of both
                devices; for the CPU there are more or fewer arguments than parameters.
        """
        if any(isinstance(a, TensorBase) for a in args):
            raise TypeError(
                f"the kernel '{self.name}' takes arrays, and was given a tensor, whose gradient "
                "would be lost. Launch it in a function of gpugrad.raw_kernel, which is given "
                "arrays"
            )
        arrays = [a for a in args if backend.is_array(a) and not isinstance(a, np.generic)]
        doors = {backend.of(a).type for a in arrays}
        if len(doors) > 1:
            raise TypeError(f"the kernel '{self.name}' was given arrays of the CPU and of a GPU")
        if doors == {"cpu"}:
            if shared_mem:
                raise NotImplementedError(
                    f"the kernel '{self.name}' has no form on the CPU: it is given shared memory. "
                    "Move the arguments to a GPU"
                )
            host.launch(self.code, self.name, self.options, grid, block, args)
        else:
            self._on_gpu(grid, block, args, shared_mem=shared_mem, stream=stream)
