"""SciPy's minimisers and solvers, which are given our derivatives.

The function is of tensors, of the class and on the device of ``x0``, and returns one.  SciPy
iterates on the host in float64.  Derivatives that are given are SciPy's own arguments, functions
of NumPy's arrays; those that are not are made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import gpugrad.numpy
from gpugrad.autograd import engine
from gpugrad.autograd.grad_mode import enable_grad
from gpugrad.graph import LEAF, TensorBase, mode
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import array_of, on_host
from gpugrad.scipy.theirs import InTurn, scipy

np: Any = gpugrad.numpy

_WITH_PRODUCTS = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})
_WITH_MATRICES = frozenset({"dogleg", "trust-exact"})
_WITHOUT = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})


class _Problem:
    """A function of tensors as one of NumPy's vectors, with its derivatives."""

    def __init__(self, function: Callable[..., Any], x0: Any, args: Any):
        self.start: Any = (
            x0 if isinstance(x0, TensorBase) else array_of(numpy.asarray(x0, dtype=float))
        )
        self.function = function
        self.args = args if isinstance(args, tuple) else (args,)
        self.fixed = [a.detach() if isinstance(a, TensorBase) else a for a in self.args]  # type: ignore[attr-defined]

    def check_constant(self, function: str) -> None:
        """Raise where the result would depend on a tracked tensor.

        Raises:
            ValueError: It does.
        """
        if mode.enabled and any(getattr(a, "requires_grad", False) for a in self.args):
            raise ValueError(
                f"{function}: an argument in args= requires grad, but the result has no gradient "
                "by it. Give arg.detach(), or find the root of the gradient by optimize.root."
            )
        self.check_closed()

    def check_closed(self) -> None:
        """Raise where the function knows tracked tensors that it is not given.

        Raises:
            ValueError: It does: their gradients would be lost.
        """
        closed(self.function, self.start.detach(), *self.fixed)

    def vector(self) -> Any:
        """Return where to start, as NumPy's vector."""
        return numpy.asarray(on_host(self.start.detach()), dtype=float).reshape(-1)

    def tensor(self, vector: Any) -> Any:
        """Return a vector of SciPy's as a tensor like the start."""
        start = self.start.detach()
        found = array_of(numpy.array(vector, dtype=float)).to(start.device).to(start)
        return found.reshape(tuple(start.shape)).as_subclass(type(start))

    def at(self, vector: Any) -> tuple[Any, Any]:
        """Return the point, tracked, and what the function gives there.

        Raises:
            TypeError: It gives no tensor.
        """
        x = leaf(self.tensor(vector))
        with enable_grad():
            value = self.function(x, *self.fixed)
        if not isinstance(value, TensorBase):
            raise TypeError(
                f"the function must return a tensor, but returned {type(value).__name__}: without "
                "its history there are no derivatives"
            )
        return x, value

    def value(self, vector: Any) -> Any:
        """Return the value as a number, or a vector of several."""
        found = numpy.asarray(on_host(self.at(vector)[1].detach()), float)
        return found.item() if found.size == 1 and found.ndim == 0 else found.reshape(-1)

    @enable_grad()
    def slope(self, vector: Any) -> Any:
        """Return the gradient of a number."""
        x, value = self.at(vector)
        return _vector(_gradient(value.sum(), x), x)

    @enable_grad()
    def both(self, vector: Any) -> tuple[float, Any]:
        """Return a number and its gradient.

        Raises:
            ValueError: The function returns several.
        """
        x, value = self.at(vector)
        if value.numel() != 1:
            raise ValueError(
                "the function must return one number, but returned a tensor of shape "
                f"{tuple(value.shape)}"
            )
        return float(value.detach().sum()), _vector(_gradient(value.sum(), x), x)

    @enable_grad()
    def product(self, vector: Any, direction: Any) -> Any:
        """Return the product of the Hessian and a vector."""
        x, value = self.at(vector)
        first = _gradient(value.sum(), x, create_graph=True)
        if first is None or not first.requires_grad:
            return numpy.zeros(x.numel())
        return _vector(_gradient(first, x, self.tensor(direction)), x)

    def hessian(self, vector: Any) -> Any:
        """Return the Hessian as a matrix."""
        return numpy.stack([self.product(vector, row) for row in numpy.eye(len(vector))])

    @enable_grad()
    def jacobian(self, vector: Any) -> Any:
        """Return the Jacobian of several values as a matrix."""
        x, value = self.at(vector)
        rows = [_vector(_gradient(v, x, retain_graph=True), x) for v in value.reshape(-1)]
        return numpy.stack(rows) if rows else numpy.zeros((0, x.numel()))


def leaf(tensor: Any) -> Any:
    """Return a tensor that derivatives of ours end at, also within those of a transform."""
    found = tensor.detach()
    found._edge = LEAF
    return found


def _gradient(value: Any, x: Any, weights: Any = None, **options: Any) -> Any:
    if not value.requires_grad:
        return None
    return engine.grad(value, x, weights, allow_unused=True, **options)[0]


def _vector(gradient: Any, x: Any) -> Any:
    if gradient is None:
        return numpy.zeros(x.numel())
    return numpy.asarray(on_host(gradient.detach()), float).reshape(-1)


def closed(function: Callable[..., Any], *arguments: Any) -> None:
    """Raise where a function of untracked tensors gives a tracked one.

    Raises:
        ValueError: It does: the gradient by a tensor that it knows otherwise would be lost.
    """
    if not mode.enabled:
        return
    found = function(*arguments)
    if getattr(found, "requires_grad", False):
        raise ValueError(
            "the function uses a tensor that requires grad and is not among its arguments: the "
            "result would have no gradient by it. Give it in args=, or tensor.detach()."
        )


def minimize(
    fun: Callable[..., Any], x0: Any, args: Any = (), method: Any = None, jac: Any = None,
    hess: Any = None, hessp: Any = None, bounds: Any = None, constraints: Any = (),
    tol: float | None = None, callback: Any = None, options: Any = None,
) -> Any:  # fmt: skip
    """Return SciPy's result of a minimisation, with ``x`` like ``x0``; see SciPy's ``minimize``.

    The gradient is made, and for the methods which want them the Hessian or its products.

    Raises:
        ValueError: The function returns more than one number, or a tensor that requires grad is
            among ``args`` or known to the function otherwise: the result has no gradient by it.
    """
    problem = _Problem(fun, x0, args)
    problem.check_constant("minimize")
    name = method.lower() if isinstance(method, str) else method
    function: Any = problem.both
    if name in _WITHOUT or jac is not None:
        function = problem.value
    else:
        jac = True
    if hess is None and hessp is None:
        hess = problem.hessian if name in _WITH_MATRICES else None
        hessp = problem.product if name in _WITH_PRODUCTS else None
    result = scipy("optimize").minimize(
        function, problem.vector(), method=method, jac=jac, hess=hess, hessp=hessp, bounds=bounds,
        constraints=constraints, tol=tol, callback=callback, options=options,
    )  # fmt: skip
    result.x = problem.tensor(result.x)
    return result


def least_squares(fun: Callable[..., Any], x0: Any, jac: Any = None, **options: Any) -> Any:
    """Return SciPy's result of a least squares problem, with ``x`` like ``x0``.

    The Jacobian is made where none is given; see SciPy's ``least_squares``.

    Raises:
        ValueError: A tensor that requires grad is among ``args`` or known to the function
            otherwise: the result has no gradient by it.
    """
    problem = _Problem(fun, x0, options.pop("args", ()))
    problem.check_constant("least_squares")
    result = scipy("optimize").least_squares(
        lambda v: numpy.atleast_1d(problem.value(v)), problem.vector(),
        problem.jacobian if jac is None else jac, **options,
    )  # fmt: skip
    result.x = problem.tensor(result.x)
    return result


def root(
    fun: Callable[..., Any], x0: Any, args: Any = (), method: str = "hybr", jac: Any = None,
    tol: float | None = None, callback: Any = None, options: Any = None,
) -> Any:  # fmt: skip
    """Return SciPy's result of a search for a root, with ``x`` like ``x0``.

    The Jacobian is made where none is given.  ``x`` has a gradient by the tensors among ``args``,
    of every order, by the implicit function theorem.

    Raises:
        ValueError: The function knows a tracked tensor that is not among ``args``.
    """
    problem = _Problem(fun, x0, args)
    problem.check_closed()
    if jac is None and method in ("hybr", "lm"):
        jac = problem.jacobian
    result = scipy("optimize").root(
        lambda v: numpy.atleast_1d(problem.value(v)), problem.vector(), method=method, jac=jac,
        tol=tol, callback=callback, options=options,
    )  # fmt: skip
    result.x = Implicit.apply(fun, problem.tensor(result.x), *problem.args)
    return result


@by_example
def fixed_point(
    func: Callable[..., Any], x0: Any, args: Any = (), xtol: float = 1e-8, maxiter: int = 500,
    method: str = "del2",
) -> Any:  # fmt: skip
    """Return the point that a function leaves where it is, with a gradient by ``args`` as ``root``.

    Raises:
        RuntimeError: It was not found.
        ValueError: The function knows a tracked tensor that is not among ``args``.
    """
    problem = _Problem(func, x0, args)
    problem.check_closed()
    shape = tuple(problem.start.shape)
    found = scipy("optimize").fixed_point(
        lambda v: numpy.reshape(problem.value(v), numpy.shape(v)),
        problem.vector() if shape else float(problem.vector()[0]),
        xtol=xtol, maxiter=maxiter, method=method,
    )  # fmt: skip
    return Implicit.apply(lambda x, *a: func(x, *a) - x, problem.tensor(found), *problem.args)


class Implicit(InTurn):
    """The root x of f(x, parameters), as a function of the parameters."""

    @staticmethod
    def forward(function: Any, x: Any, *parameters: Any) -> Any:
        """Return the root that was found."""
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the root and the parameters."""
        ctx.function, _, *parameters = inputs
        ctx.others = [None if isinstance(p, TensorBase) else p for p in parameters]
        ctx.tensors = [isinstance(p, TensorBase) for p in parameters]
        ctx.save_for_backward(output, *[p for p in parameters if isinstance(p, TensorBase)])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the gradients by the parameters: -f_p^T (f_x^T)^-1 grad."""
        root_, *kept = ctx.saved_tensors
        with enable_grad():
            # views, so that what follows ends here and does not go on to the parameters' own
            x = root_.view_as(root_) if root_.requires_grad else leaf(root_)
            tensors = iter([t.view_as(t) for t in kept])
            given = [
                next(tensors) if is_tensor else other
                for is_tensor, other in zip(ctx.tensors, ctx.others, strict=True)
            ]
            value = ctx.function(x, *given)
            n = x.numel()
            rows = [engine.grad(v, x, create_graph=True, allow_unused=True,
                                materialize_grads=True)[0].reshape(-1)
                    for v in value.reshape(-1)]  # fmt: skip
            jacobian = np.stack(rows).reshape(n, n)
            weights = np.linalg.solve(jacobian.mT, -grad.reshape(-1)).reshape(tuple(value.shape))
            wanted = [
                p for p, needed in zip(given, ctx.needs_input_grad[2:], strict=True) if needed
            ]
            found = iter(engine.grad(value, wanted, weights, create_graph=True, allow_unused=True))
        gradients = [next(found) if needed else None for needed in ctx.needs_input_grad[2:]]
        return (None, None, *gradients)


__all__ = ["fixed_point", "least_squares", "minimize", "root"]
