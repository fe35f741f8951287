"""Containers are the lists and dictionaries that PyTorch's are, with their texts and errors."""

from __future__ import annotations

import pytest

from comparison import agree_on

PRELUDE = """
from collections import OrderedDict
nn = torch.nn
seq = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(2, 3))
mods = nn.ModuleList([nn.Identity(), nn.Linear(2, 3), nn.Linear(2, 3), nn.Flatten()])
named = nn.ModuleDict({"a": nn.Identity(), "b": nn.Flatten()})
params = nn.ParameterList([torch.ones(2), torch.ones(2, 3), 5, "text"])
table = nn.ParameterDict({"b": torch.ones(2), "a": nn.Parameter(torch.zeros(3)), "c": 7})
def text(m): return repr(m).replace("gpugrad", "torch")
def names(m): return [(k, type(v).__name__) for k, v in m._modules.items()]
"""

SEQUENCES = """
len({0}), [type(m).__name__ for m in {0}], type({0}[-1]).__name__

names({0}[1:]), type({0}[1:]).__name__, names({0}[::-1])

{0}[0] = nn.Flatten(0)
{0}[-1] = nn.Identity()
names({0})

del {0}[0]
names({0})

del {0}[1:]
names({0})

r = {0}.append(nn.Tanh() if hasattr(nn, 'Tanh') else nn.Identity())
r is {0}, len({0})

{0}.extend([nn.Identity()]) is {0}, names({0})

{0}.insert(1, nn.Flatten(2))
repr({0})

{0}.insert(-1, nn.Flatten(2))
repr({0})

type({0}.pop(1)).__name__, names({0})

repr({0}.pop(slice(0, 2))), names({0})

repr({0})

[n for n in dir({0}) if n.isdigit()]

{0}[9]

{0}[-9]

{0}[1.5]

{0}[9] = nn.Identity()

{0}.append(3)

x = {0} + {0}
names(x), type(x).__name__

{0} + 3

copy.deepcopy({0})[-1] is {0}[-1], names(pickle.loads(pickle.dumps({0})))
""".strip().split("\n\n")

OTHERS = """
names(nn.Sequential(OrderedDict(x=nn.Identity(), y=nn.Flatten())))

s = nn.Sequential(OrderedDict(x=nn.Identity(), y=nn.Flatten(), z=nn.Identity()))
del s[0]
names(s)

repr(nn.Container(a=nn.Identity(), b=None))

nn.Sequential(3)

nn.Sequential(None)[0]

r = (
    repr(nn.Sequential()), repr(nn.ModuleList()), repr(nn.ModuleDict()),
    repr(nn.ParameterList()), repr(nn.ParameterDict()),
)
r

names(seq * 2), (seq * 2)[0] is (seq * 2)[3], names(2 * seq)

s = seq
s *= 3
len(s), s is seq, s[0] is s[3]

seq * 0

seq * 1.5

s = seq
s *= -1

s = seq
s *= 1.5

seq.insert(9, nn.Identity())

seq.insert(0, 3)

s = seq
s += 3

seq(torch.ones(4, 2)).shape, nn.Sequential()(3)

mods(1)

nn.ModuleList(3)

mods.extend(3)

repr(nn.ModuleList([nn.Linear(1, 1)]))

repr(nn.ModuleList([nn.Sequential(nn.Identity(), nn.Identity())] * 2 + [nn.Flatten()]))

repr(nn.Sequential(mods, named))

mods[9] = nn.Identity()

r = (
    len(named), list(named), 'a' in named, list(named.keys()), [k for k, _ in named.items()],
    len(named.values()),
)
r

named['c'] = nn.Linear(1, 1)
del named['a']
repr(named)

named.update(OrderedDict(z=nn.Identity(), a=nn.Flatten()))
names(named)

named.update({'z': nn.Identity(), 'c': nn.Flatten()})
names(named)

named.update([('z', nn.Identity()), ['c', nn.Flatten()]])
names(named)

named.update(nn.ModuleDict({'q': nn.Flatten()}))
names(named)

named.update(3)

named.update([3])

named.update([(1, 2, 3)])

named['x']

named['keys'] = nn.Identity()

named['a.b'] = nn.Identity()

type(named.pop('a')).__name__, names(named)

named.clear()
len(named)

named.pop('q')

len(params), [type(p).__name__ for p in params], list(params.state_dict())

text(params)

text(table)

params[0] = torch.zeros(1)
params[2] = nn.Parameter(torch.ones(1))
type(params[0]).__name__, params[-2]

params.append(torch.ones(1)) is params, len(params), len(params[1:]), type(params[::2]).__name__

params.extend([1, torch.ones(1)]) is params, len(params)

p = params
p += [torch.ones(1)]
len(p), list(p.state_dict())

params.extend(3)

params.extend(torch.ones(2))

params[7]

params(1)

r = (
    list(table), list(table.keys()), [k for k, _ in table.items()], len(list(table.values())),
    list(reversed(table)),
)
r

[k for k, _ in table.named_parameters()], list(table.state_dict())

r = (
    'a' in table, table.get('z'), table.get('z', 3), table['c'], table.setdefault('c', 1),
    table.setdefault('z'),
)
r

table.pop('a'), list(table), table.popitem(), list(table)

table.clear()
len(table)

nn.ParameterDict().popitem()

table.pop('q')

table['q']

table[3]

del table['a']
list(table)

del table['q']

r = (
    list(table.copy()), table.copy()['a'] is table['a'],
    type(table.fromkeys(['x', 'y'], 3)).__name__, list(table.fromkeys(['y', 'x'])),
)
r

t2 = nn.ParameterDict({'z': torch.ones(1)})
list(table | t2), list(t2 | table)

t2 = table
t2 |= nn.ParameterDict({'z': torch.ones(1)})
list(t2), t2 is table

table.update([('y', torch.ones(1)), ('x', 2)])
list(table), type(table['y']).__name__

table.update(OrderedDict(z=torch.ones(1), d=torch.ones(1)))
list(table)

table.update({'z': torch.ones(1), 'd': torch.ones(1)})
list(table)

table.update(3)

table.update([3])

table.update([(1, 2, 3)])

table[3] = torch.ones(1)

table(1)

lazy = nn.LazyLinear(3)
r = (
    text(lazy), list(lazy.state_dict()), lazy.has_uninitialized_params(),
    [repr(p) for p in lazy.parameters()],
)
r

lazy = nn.LazyLinear(3, bias=False)
r = (
    lazy(torch.ones(2, 4)).shape, text(lazy), type(lazy).__name__,
    len(lazy._forward_pre_hooks), hasattr(lazy, '_load_hook'),
)
r

lazy = nn.LazyLinear(3)
lazy.load_state_dict(nn.Linear(4, 3).state_dict())
type(lazy).__name__, lazy.weight.shape, lazy(torch.ones(2, 4)).shape, text(lazy)

lazy = nn.LazyLinear(3)
lazy.load_state_dict(nn.Linear(4, 3).state_dict())
lazy(torch.ones(2, 5))

other = nn.LazyLinear(3)
other.load_state_dict(nn.LazyLinear(3).state_dict())
other.has_uninitialized_params()

nn.Linear(4, 3).load_state_dict(nn.LazyLinear(3).state_dict())

lazy = copy.deepcopy(nn.LazyLinear(3))
lazy(torch.ones(2, 4)).shape, type(lazy).__name__

lazy = pickle.loads(pickle.dumps(nn.LazyLinear(3)))
lazy(torch.ones(2, 4)).shape, type(lazy).__name__

lazy = nn.LazyLinear(3).double()
lazy(torch.ones(2, 4).double()).dtype == torch.float64

class Lazy(nn.modules.lazy.LazyModuleMixin, nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.UninitializedParameter()
    def initialize_parameters(self, x):
        pass
    def forward(self, x):
        return x
Lazy()(torch.ones(1))

class Lazy(nn.modules.lazy.LazyModuleMixin, nn.Module):
    pass
Lazy()(torch.ones(1))

class Lazy(nn.modules.lazy.LazyModuleMixin, nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer('b', nn.UninitializedBuffer())
    def initialize_parameters(self, x):
        self.b.materialize(x.shape)
        self.b.fill_(2)
    def forward(self, x):
        return x * self.b
m = Lazy().double()
m(torch.ones(2).double()), m.state_dict(), type(m).__name__

nn.Bilinear(0, 2, 3)

nn.Unflatten(1, 3)

nn.Unflatten(1, (2, 'a'))

nn.Linear(3, 2)(torch.ones(2, 4))

nn.Linear(3, 2)(torch.ones(2, 3, dtype=torch.float64))
""".strip().split("\n\n")


@pytest.mark.parametrize("text", [t.format(k) for t in SEQUENCES for k in ("seq", "mods")] + OTHERS)
def test_a_container_does_what_pytorchs_does(text: str) -> None:
    found, _ = agree_on(PRELUDE + text, "cpu", warned=True)
    assert not isinstance(found, tuple) or "SyntaxError" not in found
