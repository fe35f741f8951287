"""The quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno, with limited memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import enable_grad, no_grad
from gpugrad.ops.complex import view_as_real
from gpugrad.ops.joining import cat
from gpugrad.optim.optimizer import Optimizer, check_rate

Objective = Callable[[Any], tuple[float, Tensor]]


class LBFGS(Optimizer):
    """Steps along an estimate of Newton's direction, which the last gradients give.

    One :meth:`step` is up to ``max_iter`` iterations, each of which evaluates the closure.  There
    is one group of parameters, and the state is of all of them.

    Args:
        params: Tensors.
        lr: The length of a step, or of the first one tried by a search.
        max_iter: How many iterations a step has at most.
        max_eval: How often it evaluates the closure at most; 5/4 of ``max_iter`` if not given.
        tolerance_grad: It ends where no element of the gradient is larger.
        tolerance_change: It ends where neither the loss nor a parameter changes by more.
        history_size: How many of the last steps the estimate is made of.
        line_search_fn: "strong_wolfe", or None for steps of the length ``lr``.

    Raises:
        ValueError: An option is out of range, or there are several groups.

    Source: Nocedal and Wright 2006, "Numerical optimization", algorithms 7.4, 3.5 and 3.6.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        check_rate(lr)
        super().__init__(
            params,
            {
                "lr": lr, "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                "history_size": history_size, "line_search_fn": line_search_fn,
            },
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters; return the loss before, which ``closure`` recomputes.

        The closure clears the gradients, computes the loss and its gradients, and returns it.

        Raises:
            RuntimeError: ``line_search_fn`` is not known.
        """
        if closure is None:
            raise TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")
        evaluate = enable_grad()(closure)
        group = self.param_groups[0]
        lr = group["lr"]
        if isinstance(lr, Tensor):
            lr = lr.squeeze()
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        original = evaluate()
        loss = float(original)
        state["func_evals"] += 1
        evaluations = 1
        grad = self._gradient()
        if _largest(grad) <= group["tolerance_grad"]:
            return original
        memory = _Memory(*[state.get(name) for name in _Memory._fields])
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            memory = _remembering(memory, grad, state, group["history_size"])
            d = memory.d
            memory = memory._replace(prev_flat_grad=grad.clone(), prev_loss=loss)
            first = state["n_iter"] == 1
            t = min(1.0, 1.0 / grad.abs().sum()) * lr if first else lr
            memory = memory._replace(t=t)
            slope = grad.dot(d)
            if slope > -group["tolerance_change"]:
                break
            count = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = [p.clone() for p in self._params]

                def objective(
                    t: Any, d: Tensor = d, start: list[Tensor] = start
                ) -> tuple[float, Tensor]:
                    self._move(t, d)
                    found = float(evaluate())
                    slopes = self._gradient()
                    for p, before in zip(self._params, start, strict=True):
                        p.copy_(before)
                    return found, slopes

                most = group["max_eval"] - evaluations
                loss, grad, t, count = strong_wolfe(objective, t, d, loss, grad, slope, most)
                memory = memory._replace(t=t)
                self._move(t, d)
            else:
                self._move(t, d)
                if iteration != group["max_iter"]:
                    loss = float(evaluate())
                    grad = self._gradient()
                    count = 1
            evaluations += count
            state["func_evals"] += count
            if (
                evaluations >= group["max_eval"]
                or _largest(grad) <= group["tolerance_grad"]
                or _largest(d * t) <= group["tolerance_change"]
                or abs(loss - memory.prev_loss) < group["tolerance_change"]
            ):
                break
        state.update(memory._asdict())
        return original

    def _gradient(self) -> Tensor:
        """Return the gradients of all parameters, as one vector of real numbers."""
        parts = []
        for p in self._params:
            g = p.detach().new_zeros(p.shape) if p.grad is None else p.grad
            parts.append(_real(g).reshape(-1))
        return cat(parts, 0)

    def _move(self, t: Any, d: Tensor) -> None:
        """Add a step along a direction to the parameters."""
        start = 0
        for p in self._params:
            own = _real(p)
            end = start + own.numel()
            own.add_(d[start:end].view_as(own) * t)
            start = end


class _Memory(NamedTuple):
    """What an iteration leaves to the next, under the names that the state has."""

    d: Any
    t: Any
    old_dirs: Any  # differences of gradients
    old_stps: Any  # and the steps that they belong to
    ro: Any
    H_diag: Any
    prev_flat_grad: Any
    prev_loss: Any


def _remembering(
    memory: _Memory, grad: Tensor, state: dict[str, Any], history_size: int
) -> _Memory:
    """Return the memory with the last step in it, and the direction that follows."""
    if state["n_iter"] == 1:
        return memory._replace(d=-grad, old_dirs=[], old_stps=[], ro=[], H_diag=1)
    differences, steps, ro = memory.old_dirs, memory.old_stps, memory.ro
    scale = memory.H_diag
    y, s = grad - memory.prev_flat_grad, memory.d * memory.t
    ys = y.dot(s)
    if ys > 1e-10:
        if len(differences) == history_size:
            for some in (differences, steps, ro):
                some.pop(0)
        differences.append(y)
        steps.append(s)
        ro.append(1.0 / ys)
        scale = ys / y.dot(y)
    al = state.setdefault("al", [None] * history_size)
    q = -grad
    for k in range(len(differences) - 1, -1, -1):
        al[k] = steps[k].dot(q) * ro[k]
        q = q - al[k] * differences[k]
    d = q * scale
    for k in range(len(differences)):
        d = d + steps[k] * (al[k] - differences[k].dot(d) * ro[k])
    return memory._replace(d=d, H_diag=scale)


def _real(tensor: Tensor) -> Any:
    return view_as_real(tensor) if tensor.is_complex() else tensor


def _largest(tensor: Any) -> Any:
    return tensor.abs().max()


# --------------------------------------------------------------------------- the search on a line


class _Point(NamedTuple):
    """A place on the line, and what is known there."""

    t: Any
    loss: float
    grad: Tensor
    slope: Any


def strong_wolfe(
    objective: Objective, t: Any, d: Tensor, loss: float, grad: Tensor, slope: Any, most: int,
    *, decrease: float = 1e-4, curvature: float = 0.9, tolerance: float = 1e-9,
) -> tuple[float, Tensor, Any, int]:  # fmt: skip
    """Return loss, gradient and place of a point on a line, and how often it was evaluated.

    There the loss has fallen enough, and its slope is flat enough, if such a point was found.

    Args:
        objective: Returns loss and gradient at a place on the line.
        t: The first place to try.
        d: The direction of the line.
        loss: At 0, as ``grad`` and ``slope``.
        grad: The gradient there.
        slope: Its component along ``d``.
        most: How often the objective may be evaluated after the first time.
        decrease: Which part of the slope the loss must fall by.
        curvature: Which part of the slope may be left.
        tolerance: It ends where no element changes by more.
    """
    width = _largest(d)

    def at(t: Any) -> _Point:
        value, gradient = objective(t)
        return _Point(t, value, gradient, gradient.dot(d))

    def too_high(point: _Point) -> bool:
        return bool(point.loss > loss + decrease * point.t * slope)

    def flat(point: _Point) -> bool:
        return bool(abs(point.slope) <= -curvature * slope)

    start = before = _Point(0, loss, grad.clone(), slope)
    now = at(t)
    evaluations, count, done = 1, 0, False
    bracket: list[_Point] = [start, now]
    while count < most:
        if too_high(now) or (count > 1 and now.loss >= before.loss):
            bracket = [before, now]
            break
        if flat(now):
            bracket, done = [now], True
            break
        if now.slope >= 0:
            bracket = [before, now]
            break
        bounds = (now.t + 0.01 * (now.t - before.t), now.t * 10)
        t = _minimum(before, now, bounds)
        before, now = now, at(t)
        evaluations += 1
        count += 1
    if count == most:
        bracket = [start, now]
    low, high = (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)
    stuck = False
    while not done and count < most:
        left, right = min(p.t for p in bracket), max(p.t for p in bracket)
        if abs(bracket[1].t - bracket[0].t) * width < tolerance:
            break
        t = _minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # too near to an end: once it may be, then it moves
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = at(t)
        evaluations += 1
        count += 1
        if too_high(now) or now.loss >= bracket[low].loss:
            bracket[high] = now
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        else:
            if flat(now):
                done = True
            elif now.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = now
    found = bracket[low]
    return found.loss, found.grad, found.t, evaluations


def _minimum(a: _Point, b: _Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Return where the cubic through two points, with their slopes, is least between bounds.

    Source: Nocedal and Wright 2006, equation 3.59.
    """
    least, most = bounds or ((a.t, b.t) if a.t <= b.t else (b.t, a.t))
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2
    d2 = square.sqrt()
    if a.t <= b.t:
        t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        t = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(t, least), most)
