"""Functions that ask for values, as what stands between the questions and the questions themselves.

A function is divided at the statement in which a value is asked for.  What stands before and after
it becomes functions of their own, of the variables that they read, and these are compiled; the
statement is run by Python, as are all that do something beside computing.  A part that asks for
another value is divided again.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import itertools
import operator
import textwrap
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpugrad.compiler.given import combined

Statements = list[ast.stmt]
Names = frozenset[str]

_QUESTIONS = frozenset({"item", "tolist", "numpy"})
_NUMBERS = frozenset({"float", "int", "bool"})
# What does something beside computing, by its last name.
_HOST = frozenset({
    "print", "next", "input", "open", "append", "appendleft", "extend", "insert", "pop", "popleft",
    "popitem", "remove", "clear", "update", "setdefault", "discard", "send", "put", "get_nowait",
    "write", "read", "readline", "seek", "flush", "time", "perf_counter", "monotonic", "sleep",
})  # fmt: skip
# What computes though it stands alone, beside methods whose names end with "_".
_COMPUTING = frozenset({"backward", "step", "zero_grad"})
# With these a function's variables are not only what its text says.
_REFUSED_NAMES = frozenset({"locals", "vars", "eval", "exec", "super", "__class__", "dir"})
_REFUSED = (
    ast.AsyncFunctionDef, ast.ClassDef, ast.Yield, ast.YieldFrom, ast.Await, ast.Delete,
    ast.AsyncFor, ast.AsyncWith,
)  # fmt: skip
# Blocks that let all exceptions through, by their last name.
_OPEN = frozenset({"no_grad", "enable_grad", "set_grad_enabled", "inference_mode", "autocast"})


class Source:
    """A function and its statements."""

    def __init__(self, function: types.FunctionType, arguments: ast.arguments, body: Statements):
        """Note them."""
        self.function, self.arguments, self.body = function, arguments, body
        self.elsewhere = frozenset(_declared(body))  # variables of others, which it writes
        self.variables = (frozenset(_names_of(arguments)) | _written(body)) - self.elsewhere
        # what functions in it see of them
        self.shared = frozenset(itertools.chain(*map(_free, _functions(body)))) & self.variables
        self.moving: frozenset[int] = frozenset()  # arguments that numbers may be given in
        self.with_moving: Callable[..., Any] = function  # what does the same, where they are


def source_of(function: types.FunctionType) -> Source | None:
    """Return the source of a function, ``None`` where it is not known, or not to be divided."""
    try:
        text, _ = inspect.findsource(function)
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        if not _is_text_of(function, "".join(text)):
            return None
    except (OSError, TypeError, SyntaxError):
        return None
    ast.increment_lineno(tree, max(first, 1) - 1)
    found = tree.body[0] if len(tree.body) == 1 else None
    if not isinstance(found, ast.FunctionDef):
        return None
    for node in ast.walk(ast.Module(found.body, [])):
        if isinstance(node, _REFUSED) or (
            isinstance(node, ast.Name) and (node.id in _REFUSED_NAMES or node.id.startswith("__"))
        ):
            return None
    if any(True for _ in _declared(_functions(found.body))):  # they write variables of ours
        return None
    return Source(function, _plain(found.args), found.body)


def _is_text_of(function: types.FunctionType, text: str) -> bool:
    """Tell whether a file's text still is what a function was made of."""
    own = function.__code__
    waiting: list[Any] = [compile(text, own.co_filename, "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        if (code.co_firstlineno, code.co_name) == (own.co_firstlineno, own.co_name):
            return bool(code.co_code == own.co_code and code.co_names == own.co_names)
        waiting += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return False


def _plain(arguments: ast.arguments) -> ast.arguments:
    """Return arguments without what is computed when a function is defined."""
    found = copy.deepcopy(arguments)
    found.defaults = [ast.Constant(None) for _ in found.defaults]
    found.kw_defaults = [None if d is None else ast.Constant(None) for d in found.kw_defaults]
    named = [*found.posonlyargs, *found.args, *found.kwonlyargs, found.vararg, found.kwarg]
    for argument in named:
        if argument is not None:
            argument.annotation = None
    return found


def _made(
    source: Source, arguments: ast.arguments, body: Statements, more: dict[str, Any]
) -> types.FunctionType:
    """Return a function of statements of another one, which may use some names more."""
    function = source.function
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    name = function.__name__
    name = name if name.isidentifier() else "function"
    inner = ast.FunctionDef(name, arguments, body, [], None)
    outer = [ast.arg(free) for free in (*cells, *more)]
    factory = ast.FunctionDef(
        "factory", ast.arguments([], outer, None, [], [], None, []), [inner], []
    )
    module = ast.fix_missing_locations(ast.Module([factory], []))
    whole = compile(module, function.__code__.co_filename, "exec", dont_inherit=True)
    (outside,) = [c for c in whole.co_consts if isinstance(c, types.CodeType)]
    code = next(c for c in outside.co_consts if isinstance(c, types.CodeType))
    cells |= {key: types.CellType(value) for key, value in more.items()}
    closure = tuple([cells[free] for free in code.co_freevars])
    made = types.FunctionType(code, function.__globals__, name, None, closure)
    made.__module__, made.__qualname__ = function.__module__, function.__qualname__
    return made


_FIELDS = {ast.If: "test", ast.While: "", ast.For: "iter"}  # in which a block asks before it begins
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign)
_numbers = itertools.count()

Compile = Callable[[types.FunctionType, Source], Any]


def divided(source: Source, line: int, compiled: Compile) -> Callable[..., Any] | None:
    """Return a function that does the same, by compiled parts around the statement at a line.

    ``None`` where nothing is left to compile.
    """
    division = _Division(source, line, compiled)
    body = division.divide(source.body, frozenset(_names_of(source.arguments)))
    if not division.parts:
        return None
    made = _made(source, source.arguments, body, division.parts)
    made.__defaults__ = source.function.__defaults__
    made.__kwdefaults__ = source.function.__kwdefaults__
    return made


def _names_of(arguments: ast.arguments) -> Iterator[str]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for argument in (*named, arguments.vararg, arguments.kwarg):
        if argument is not None:
            yield argument.arg


class _Division:
    """How a function is divided at a line."""

    def __init__(self, source: Source, line: int, compiled: Compile):
        self.source, self.line, self.compiled = source, line, compiled
        self.parts: dict[str, Any] = {}
        self.shared = source.shared | source.elsewhere  # what is written of these is seen at once
        self.asked: set[str] = set()  # variables of ours, which hold what is asked
        self.reads = _read(source.body)

    def divide(self, body: Sequence[ast.stmt], known: Names) -> Statements:
        """Return statements with parts in the place of those that are compiled.

        ``known`` are the variables that have a value before.
        """
        found: Statements = []
        waiting: Statements = []
        for statement in body:
            if statement.lineno <= self.line <= (statement.end_lineno or 0):
                before, statement = self._opened(statement)
                waiting += before
                if before:
                    self.line = 0
            elif _is_computing(statement) and not _written([statement]) & self.source.elsewhere:
                if not _written([statement]) & self.shared:
                    waiting.append(statement)
                    continue
                if isinstance(statement, _SIMPLE):
                    found += self._part(waiting, known)
                    known |= _assigned(waiting)
                    found += self._part([statement], known)
                    known |= _assigned([statement])
                    waiting = []
                    continue
            found += self._part(waiting, known)
            known |= _assigned(waiting)
            waiting = []
            found.append(self._by_python(statement, known))
            known |= _assigned([statement])
        return found + self._part(waiting, known)

    def _by_python(self, statement: ast.stmt, known: Names) -> ast.stmt:
        """Return a statement that Python runs, whose blocks are divided."""
        if isinstance(statement, ast.Try):
            return self._guarded(statement, known)
        if not isinstance(statement, ast.If | ast.For | ast.While | ast.With):
            return statement
        statement = copy.copy(statement)
        if isinstance(statement, ast.With) and not all(map(_is_open, statement.items)):
            statement.body = self._step_by_step(statement.body, known | _targets(statement))
            return statement
        inside = known | _targets(statement)
        statement.body = self.divide(statement.body, inside)
        if not isinstance(statement, ast.With):
            statement.orelse = self.divide(statement.orelse, known)
        return statement

    def _guarded(self, statement: ast.Try, known: Names) -> ast.stmt:
        """Return a statement that Python runs, and that catches what parts of it raise."""
        statement = copy.copy(statement)
        statement.body = self._step_by_step(statement.body, known)
        statement.orelse = self._step_by_step(statement.orelse, known)
        return statement

    def _step_by_step(self, body: Sequence[ast.stmt], known: Names) -> Statements:
        """Return a block divided such that after an exception its variables are what they were."""
        before, self.shared = self.shared, self.shared | self.source.variables
        found = self.divide(body, known)
        self.shared = before
        return found

    def _part(self, statements: Statements, known: Names) -> Statements:
        """Return the call of a part, or the statements where they cannot be one."""
        if not any(isinstance(n, ast.Call | ast.BinOp) for s in statements for n in ast.walk(s)):
            return statements
        own = self.source.variables | self.asked
        reads, writes = _read(statements), _written(statements)
        needed = _needed(statements) & own
        used = {n for n in writes if n in needed or n in self.asked or self.reads[n] > reads[n]}
        given = needed | (used - _assigned(statements))
        if not given <= known:
            return statements  # a variable that may have no value
        ends = isinstance(statements[-1], ast.Return)
        results = sorted(used)
        body = list(statements)
        if not ends:
            body.append(ast.Return(_packed(results, ast.Load())))
        parameters = [ast.arg(n) for n in sorted(given)]
        arguments = ast.arguments([], parameters, None, [], [], None, [])
        moving = [n for n in sorted(given) if _is_combined(n, statements)]
        function = _made(self.source, arguments, copy.deepcopy(body), {})
        part = Source(function, arguments, body)
        if moving:
            part.moving = frozenset(k for k, n in enumerate(sorted(given)) if n in moving)
            part.with_moving = _made(self.source, arguments, _combining(moving, body), _COMBINED)
        name = f"__part{len(self.parts)}"
        self.parts[name] = self.compiled(function, part)
        call = ast.Call(_name(name), [_name(n) for n in sorted(given)], [])
        made: ast.stmt
        if ends:
            made = ast.Return(call)
        elif results:
            made = ast.Assign([_packed(results, ast.Store())], call)
        else:
            made = ast.Expr(call)
        return [ast.copy_location(made, statements[0])]

    # ------------------------------------------------------------------------- the question

    def _opened(self, statement: ast.stmt) -> tuple[Statements, ast.stmt]:
        """Return what computes the value that a statement asks for, and the rest of it."""
        statement = _as_branch(copy.deepcopy(statement))
        field = _FIELDS.get(type(statement), "value")
        expression = getattr(statement, field, None)
        if not isinstance(expression, ast.expr) or (
            field != "value" and self.line > (expression.end_lineno or 0)
        ):
            return [], statement
        before, rest = self._without(expression)
        if not before and field == "test" and not isinstance(expression, ast.BoolOp):
            before, rest = self._named(expression)
        setattr(statement, field, rest)
        return before, statement

    def _without(self, e: ast.expr) -> tuple[Statements, ast.expr]:
        """Return an expression with a variable for what is asked in it before all else."""
        before: Statements = []
        if isinstance(e, ast.Call):
            first = e.args[0] if e.args else None
            if isinstance(e.func, ast.Attribute) and e.func.attr in _QUESTIONS and first is None:
                before, e.func.value = self._named(e.func.value)
            elif isinstance(e.func, ast.Attribute) and not _is_simple(e.func.value):
                before, e.func.value = self._without(e.func.value)
            elif first is not None and isinstance(e.func, ast.Name) and e.func.id in _NUMBERS:
                before, e.args[0] = self._named(first)
            elif first is not None:
                before, e.args[0] = self._without(first)
        elif isinstance(e, ast.UnaryOp):
            before, e.operand = self._without(e.operand)
        elif isinstance(e, ast.BinOp):
            if _is_simple(e.left):
                before, e.right = self._without(e.right)
            else:
                before, e.left = self._without(e.left)
        elif isinstance(e, ast.Compare):
            before, e.left = self._without(e.left)
        return before, e

    def _named(self, e: ast.expr) -> tuple[Statements, ast.expr]:
        if _is_simple(e) or any(_is_host(n) for n in ast.walk(e)):
            return [], e
        name = f"__asked{next(_numbers)}"
        self.asked.add(name)
        assignment = ast.Assign([ast.Name(name, ast.Store())], e)
        return [ast.copy_location(assignment, e)], ast.copy_location(_name(name), e)


# --------------------------------------------------------------------------- numbers

_COMBINING: dict[type[ast.operator], str] = {
    ast.Add: "__add", ast.Sub: "__sub", ast.Mult: "__mul", ast.Div: "__truediv",
}  # fmt: skip
_COMBINED = {
    f"__{name}": functools.partial(combined, getattr(operator, name))
    for name in ("add", "sub", "mul", "truediv")
}


def _is_combined(name: str, statements: Sequence[ast.stmt]) -> bool:
    """Tell whether a variable is an operand of some operators, and nothing else is done with it."""
    if name in _written(statements):
        return False
    nodes = [n for s in statements for n in ast.walk(s)]
    operands = [
        e
        for n in nodes
        if isinstance(n, ast.BinOp) and type(n.op) in _COMBINING
        for e in (n.left, n.right)
        if isinstance(e, ast.Name) and e.id == name
    ]
    return bool(operands) and len(operands) == _read(statements)[name]


def _combining(names: Sequence[str], body: Statements) -> Statements:
    """Return statements in which some variables are combined with others by functions."""

    class Combining(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            self.generic_visit(node)
            pair = node.left, node.right
            if not any(isinstance(e, ast.Name) and e.id in names for e in pair):
                return node
            if type(node.op) not in _COMBINING:
                return node
            call = ast.Call(_name(_COMBINING[type(node.op)]), list(pair), [])
            return ast.copy_location(call, node)

    return [Combining().visit(s) for s in copy.deepcopy(body)]


# --------------------------------------------------------------------------- statements


def _as_branch(statement: ast.stmt) -> ast.stmt:
    """Return a choice between two expressions as one between two statements."""
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.IfExp) or not isinstance(statement, ast.Return | ast.Assign):
        return statement
    ways: list[ast.stmt] = []
    for chosen in (value.body, value.orelse):
        way = copy.copy(statement)
        way.value = chosen
        ways.append(ast.copy_location(way, chosen))
    return ast.copy_location(ast.If(value.test, ways[:1], ways[1:]), statement)


def _is_computing(statement: ast.stmt) -> bool:
    """Tell whether a statement only computes, as far as its text says, and may be compiled."""
    if any(_is_host(n) for n in ast.walk(statement)):
        return False
    return _computes(statement, inside=False)


def _computes(statement: ast.stmt, inside: bool) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is not None and not inside
    if isinstance(getattr(statement, "value", None), ast.Lambda):
        return False
    if isinstance(statement, ast.Assign):
        return all(map(_is_variable, statement.targets))
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return statement.value is not None and isinstance(statement.target, ast.Name)
    if isinstance(statement, ast.Expr):
        value = statement.value
        if isinstance(value, ast.Constant):
            return True
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
            return False
        name = value.func.attr
        return name in _COMPUTING or (name.endswith("_") and not name.startswith("_"))
    if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
        targets = [statement.target] if isinstance(statement, ast.For) else []
        if isinstance(statement, ast.With):
            targets = [i.optional_vars for i in statement.items if i.optional_vars is not None]
        return all(map(_is_variable, targets)) and all(
            _computes(s, inside=True) for s in (*statement.body, *getattr(statement, "orelse", ()))
        )
    return isinstance(statement, ast.Pass) or (
        inside and isinstance(statement, ast.Break | ast.Continue)
    )


def _is_open(item: ast.withitem) -> bool:
    """Tell whether a block lets exceptions through."""
    called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
    last = called.attr if isinstance(called, ast.Attribute) else None
    return (called.id if isinstance(called, ast.Name) else last) in _OPEN


def _is_variable(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_is_variable, target.elts))
    return isinstance(target, ast.Name)


def _is_host(node: ast.AST) -> bool:
    """Tell whether something is done beside computing."""
    if not isinstance(node, ast.Call):
        return False
    last = node.func.attr if isinstance(node.func, ast.Attribute) else None
    return (node.func.id if isinstance(node.func, ast.Name) else last) in _HOST


def _is_simple(e: ast.expr) -> bool:
    """Tell whether there is nothing to compute in an expression."""
    return isinstance(e, ast.Name | ast.Constant) or (
        isinstance(e, ast.Attribute) and _is_simple(e.value)
    )


def _targets(statement: ast.stmt) -> Names:
    """Return the variables to which a statement, or a block as it begins, gives a value."""
    if isinstance(statement, ast.Assign):
        return _written(statement.targets)
    if isinstance(statement, ast.For | ast.AugAssign | ast.AnnAssign):
        return _written([statement.target])
    if isinstance(statement, ast.With):
        return _written([i.optional_vars for i in statement.items if i.optional_vars is not None])
    return frozenset()


def _assigned(statements: Sequence[ast.stmt]) -> Names:
    """Return the variables that have a value after some statements, however these are run."""
    found: Names = frozenset()
    for statement in statements:
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
            if getattr(statement, "value", None) is not None:
                found |= _targets(statement)
        elif isinstance(statement, ast.FunctionDef | ast.Import | ast.ImportFrom):
            found |= _written([statement])
        elif isinstance(statement, ast.With):
            found |= _targets(statement) | _assigned(statement.body)
        elif isinstance(statement, ast.If | ast.Try):
            ways = [b for b in _ways(statement) if not _leaves(b)]
            both = [_assigned(way) for way in ways]
            found |= frozenset.intersection(*both) if both else frozenset()
    return found


def _ways(statement: ast.If | ast.Try) -> list[Statements]:
    """Return the statements of which one or the other are run."""
    if isinstance(statement, ast.If):
        return [statement.body, statement.orelse]
    return [[*statement.body, *statement.orelse], *(h.body for h in statement.handlers)]


def _leaves(block: Sequence[ast.stmt]) -> bool:
    """Tell whether what is behind a block is not run after it."""
    last = block[-1] if block else None
    return isinstance(last, ast.Return | ast.Raise | ast.Break | ast.Continue)


def _needed(statements: Sequence[ast.stmt], known: Names = frozenset()) -> Names:
    """Return the variables that may be read before some statements give them a value."""
    found: Names = frozenset()
    for statement in statements:
        if isinstance(statement, ast.If | ast.For | ast.While | ast.With):
            blocks = [statement.body, getattr(statement, "orelse", [])]
            within = {id(s) for block in blocks for s in block}
            head = [n for n in ast.iter_child_nodes(statement) if id(n) not in within]
            found |= frozenset(_read(head)) - known
            found |= _needed(blocks[0], known | _targets(statement)) | _needed(blocks[1], known)
        else:
            found |= frozenset(_read([statement])) - known
        known |= _assigned([statement])
    return found


def _written(nodes: Sequence[ast.AST]) -> Names:
    """Return the variables that are given a value; comprehensions and functions have their own."""
    found: Names = frozenset()
    for node in nodes:
        if isinstance(node, ast.Name):
            found |= {node.id} if isinstance(node.ctx, ast.Store) else frozenset()
        elif isinstance(node, ast.FunctionDef):
            found |= {node.name}
        elif isinstance(node, ast.ExceptHandler):
            found |= {node.name} if node.name else frozenset()
            found |= _written(node.body)
        elif isinstance(node, ast.alias):
            found |= {(node.asname or node.name).split(".")[0]}
        elif isinstance(node, ast.Lambda):
            continue
        elif not isinstance(node, ast.comprehension):
            found |= _written(list(ast.iter_child_nodes(node)))
    return found


def _functions(nodes: Sequence[ast.AST]) -> list[ast.Lambda | ast.FunctionDef]:
    """Return the functions that are defined in some statements."""
    return [
        n for outer in nodes for n in ast.walk(outer) if isinstance(n, ast.Lambda | ast.FunctionDef)
    ]


def _free(function: ast.Lambda | ast.FunctionDef) -> Names:
    """Return the variables that a function has from where it is defined, or by name."""
    body: Sequence[ast.AST] = (
        function.body if isinstance(function, ast.FunctionDef) else [function.body]
    )
    return frozenset(_read(body)) - frozenset(_names_of(function.args)) - _written(body)


def _declared(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Go through the variables of others that some statements may write."""
    for outer in nodes:
        for node in ast.walk(outer):
            if isinstance(node, ast.Global | ast.Nonlocal):
                yield from node.names


def _read(nodes: Sequence[ast.AST]) -> Counter[str]:
    """Return how often variables are read."""
    found: Counter[str] = Counter()
    for outer in nodes:
        for node in ast.walk(outer):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found[node.id] += 1
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] += 1
    return found


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _packed(names: Sequence[str], context: ast.expr_context) -> ast.expr:
    """Return one variable, or several as a tuple."""
    found: list[ast.expr] = [ast.Name(n, context) for n in names]
    return found[0] if len(found) == 1 else ast.Tuple(found, context)
