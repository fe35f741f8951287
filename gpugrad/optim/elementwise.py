"""Optimizers whose step is a formula: of each element of a parameter, its gradient and its state.

The formula says once what a step is.  On the CPU it is computed over many small parameters at once,
and over large ones in blocks; on CUDA one kernel writes all parameters of a group and their states;
where a step is recorded it is one operation, which has a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from gpugrad import backend
from gpugrad._tensor import Tensor
from gpugrad.formulas import Expression, Formula, variable
from gpugrad.graph import TensorBase
from gpugrad.ops.joining import stack
from gpugrad.ops.updating import Update, fill_all
from gpugrad.optim.optimizer import Optimizer, check_begun, check_countable, number, stepping

Group = dict[str, Any]
Numbers = dict[str, Any]


# What PyTorch's errors name.
CAPTURABLE = ["cuda", "xpu", "hpu", "privateuseone"]
FUSED = ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


class Names:
    """The numbers that a rule names, as variables, in the order in which it does."""

    def __init__(self) -> None:
        self.found: dict[str, Expression] = {}

    def __getattr__(self, name: str) -> Any:
        return self.found.setdefault(name, variable(f"{name}_"))  # C++ has words such as "new"


class Elementwise(Optimizer):
    """The base of optimizers whose step is a formula.

    A class states its formula in :meth:`rule`, of the numbers that :meth:`numbers` computes.
    """

    flags: tuple[str, ...] = ("maximize", "weight_decay", "decoupled_weight_decay")
    counted: tuple[str, ...] = ("step",)  # states that are one number
    reads_anew = "param_groups"  # numbers in these are read in each run of a recorded step
    foreach_on_xla = False  # whether errors about ``foreach`` name that device, as PyTorch's do
    on_device = False  # whether these lie where the parameter does, whatever the options

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the new parameter, and its new states, of expressions.

        Args:
            on: The flags whose option is not zero, and what :meth:`ways` added.
            n: Its attributes are the numbers.
            p: The parameter.
            g: The gradient: that to descend, with the decay of weights in it.
            states: Those that :meth:`shaped` names.
        """
        raise NotImplementedError

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        raise NotImplementedError

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the numbers that the rule names, and what the counted states become.

        The options and the counted states are numbers of Python's, or tensors.
        """
        raise NotImplementedError

    def begin(self, group: Group, p: Tensor) -> dict[str, Any]:
        """Return the state of a parameter before its first step: zeros, if not said otherwise."""
        on = self._place(group, p)
        return {
            **{name: number(0.0, on) for name in self.counted},
            **{name: p.detach().clone().zero_() for name in self.shaped(group)},
        }

    def ways(self, states: list[dict[str, Any]]) -> list[tuple[str, ...]] | None:
        """Return what else the formula depends on for each parameter."""
        return None

    def check(self, group: Group, p: Tensor, state: dict[str, Any]) -> None:
        """Raise where a parameter, or its state, does not agree with the options.

        Raises:
            AssertionError: The group is ``capturable``, and not all is on a GPU.
            RuntimeError: It is ``fused``, and the parameter is not of floating point.
        """
        if group.get("capturable"):
            types = {t.device.type for t in (p, *(state[name] for name in self.counted))}
            if types != {"cuda"}:
                others = [f"{name}s" for name in reversed(self.counted) if name != "step"]
                words = f"{', '.join(['params', *others])}{',' if len(others) > 1 else ''} and "
                more = [] if group.get("foreach") and not self.foreach_on_xla else ["xla"]
                raise AssertionError(
                    f"If capturable=True, {words}state_steps must be on supported devices: "
                    f"{[*CAPTURABLE, *more]}."
                )
        if group.get("fused") and not p.is_floating_point():
            raise RuntimeError(
                "`fused=True` requires all the params to be floating point Tensors of supported "
                f"devices: {FUSED} but {p.dtype} and {p.device.type}"
            )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # as they were stored before steps were tensors
            for p in group["params"]:
                own = self.state.get(p, {})
                for name in self.counted:
                    if name in own and not isinstance(own[name], Tensor):
                        own[name] = number(float(own[name]), self._place(group, p))

    def _place(self, group: Group, p: Tensor) -> Any:
        """Return the device of the counted states, None for the host in the default precision."""
        on_device = self.on_device or group.get("capturable") or group.get("fused")
        return p.device if on_device else None

    # ------------------------------------------------------------------------- a step

    @stepping
    def step(self) -> None:
        """Update the parameters once; return what ``closure``, which recomputes the loss, gives."""
        for group in self.param_groups:
            self._update(group)

    def _update(self, group: Group) -> None:
        params: list[Any] = group["params"]
        grads = [p.grad for p in params]
        if any([g is None for g in grads]):  # noqa: C419  a list is sooner made
            params = [p for p, g in zip(params, grads, strict=True) if g is not None]
            grads = [g for g in grads if g is not None]
        if not params:
            return
        names, counted = self.shaped(group), self.counted
        if counted and not group.get("capturable"):
            check_countable(self)
        states: list[Any] = []
        if names or counted:
            states = [self.state[p] for p in params]
            if not all(states):
                check_begun(self)
                for p, state in zip(params, states, strict=True):
                    if not state:
                        state.update(self.begin(group, p))
        capturable = bool(group.get("capturable"))
        if capturable or group.get("fused") or group.get("differentiable"):
            for p in params:
                self.check(group, p, self.state[p] if states else {})
        on = frozenset([name for name in self.flags if _is_on(group.get(name))])
        options = _options(group, capturable)
        columns = [params, grads]
        ways = self.ways(states) or [()] * len(params)
        columns += [self.column(states, name, grads) for name in names]
        counts = [[state[name] for state in states] for name in counted]
        if capturable and not group.get("differentiable") and _are_alike(counts):
            self._update_together(options, on, ways, columns, counts)
            return
        parts: dict[Any, list[int]] = {}  # the places of those with the same formula and numbers
        if capturable or not counts:
            values: list[Any] = list(zip(*counts, strict=True)) or [()] * len(params)
            keys: list[Any] = list(range(len(params))) if capturable else ways
        else:
            values = list(zip(*[[_number(c) for c in some] for some in counts], strict=True))
            keys = list(zip(ways, values, strict=True))
        for k, key in enumerate(keys):
            parts.setdefault(key, []).append(k)
        for places in parts.values():
            first = places[0]
            update, named = update_of(self.__class__, on.union(ways[first]), len(names))  # type: ignore[arg-type]
            if len(places) == len(params):
                some, counting = columns, counts
            else:
                some = [[column[k] for k in places] for column in columns]
                counting = [[column[k] for k in places] for column in counts]
            if backend.recorders and not capturable:
                given = self._recorded(group, on, counting, named)
            else:
                given = self._counted(options, values[first], counting, named)
            update(some, given)

    def _update_together(
        self,
        options: Group,
        on: frozenset[str],
        ways: Sequence[tuple[str, ...]],
        columns: Sequence[list[Any]],
        counts: Sequence[list[Any]],
    ) -> None:
        """Update each parameter by numbers that are computed for all of them at once."""
        numbers, new = self.numbers(options, *map(stack, counts))
        for column, values in zip(counts, new, strict=True):
            for k, state in enumerate(column):
                state.copy_(values[k])
        for k, way in enumerate(ways):
            update, named = update_of(self.__class__, on.union(way), len(columns) - 2)  # type: ignore[arg-type]
            given = [numbers[name] for name in named]
            given = [n[k] if isinstance(n, Tensor) and n.ndim else n for n in given]
            update([[column[k]] for column in columns], given)

    def _counted(
        self, options: Group, values: Sequence[Any], counting: Sequence[list[Any]], named: list[str]
    ) -> list[Any]:
        """Count a step of some parameters; return the numbers of a rule that it names."""
        # of what is overwritten below a rule may name what it was
        values = [v.clone() if isinstance(v, Tensor) else v for v in values]
        numbers, new = self.numbers(options, *values)
        for column, value in zip(counting, new, strict=True):
            if isinstance(value, TensorBase):
                column[0].copy_(value)
            else:
                fill_all(column, value)
        return [numbers[name] for name in named]

    def _recorded(
        self,
        group: Group,
        on: frozenset[str],
        counting: Sequence[list[Any]],
        named: list[str],
    ) -> list[Any]:
        """Return the same of a step that may be recorded: each run of it counts, and asks again."""

        def counted() -> list[Any]:
            values = [column[0].item() for column in counting]
            return self._counted(_options(group, False), values, counting, named)

        still = [p for p in group["params"] if p._grad is None]

        def alike() -> bool:
            now = frozenset([name for name in self.flags if _is_on(group.get(name))])
            return now == on and all(p._grad is None for p in still)

        return backend.recorders[-1].numbers(counted, len(named), alike)

    def column(self, states: list[dict[str, Any]], name: str, grads: list[Any]) -> list[Any]:
        """Return one of the states of each parameter, given their gradients."""
        return [state[name] for state in states]


@cache
def update_of(kind: type[Elementwise], on: frozenset[str], states: int) -> tuple[Update, list[str]]:
    """Return a class's step as one formula, and the names of its numbers."""
    n = Names()
    p, g = variable("p"), variable("g")
    inputs = [variable(f"s{k}") for k in range(states)]
    begun, decayed = p, g
    if "maximize" in on:
        decayed = -g
    if "weight_decay" in on and "decoupled_weight_decay" in on:
        begun = p * n.kept
    elif "weight_decay" in on:
        decayed = decayed + n.weight_decay * p
    outputs = kind.rule(on, n, begun, decayed, *inputs)
    formula = Formula(kind.__name__.lower(), [p, g, *inputs, *n.found.values()], outputs)
    return Update(formula, (0, *range(2, 2 + states))), list(n.found)


def _number(counted: Any) -> Any:
    return backend.unrecorded(counted._array).item()


def _are_alike(counts: Sequence[list[Any]]) -> bool:
    """Tell whether all counted states are of one type and device, for each parameter one."""
    return len({(c.device, c.dtype) for some in counts for c in some}) == 1


def _is_on(value: Any) -> bool:
    return bool(isinstance(value, TensorBase) or value)


def _options(group: Group, tensors: bool) -> Group:
    """Return options with numbers for tensors, but where a step must not wait for the device.

    In a recorded step those that have a gradient stay tensors, too.
    """
    recorded = bool(group.get("differentiable"))
    return {k: v if k == "params" else _plain(v, tensors, recorded) for k, v in group.items()}


def _plain(value: Any, tensors: bool, recorded: bool) -> Any:
    if isinstance(value, tuple):
        return tuple([_plain(v, tensors, recorded) for v in value])
    if not isinstance(value, Tensor):
        return value
    if tensors or (recorded and value.requires_grad):
        return value.reshape(()) if value.ndim else value
    return value.item()
