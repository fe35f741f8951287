"""Datasets, samplers and loaders: beside PyTorch's, and what workers do when things go wrong."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import agree_on, described, pytorch
from gpugrad.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    get_worker_info,
    random_split,
)
from gpugrad.utils.data.collate import collate, default_collate_fn_map
from gpugrad.utils.data.dataloader import pinned

# Newer Pythons warn where a process that has threads is forked, as pytest-xdist's have.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture(autouse=True)
def processes_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is defined in tests cannot be imported by processes that are started otherwise."""
    find = multiprocessing.get_context
    monkeypatch.setattr(multiprocessing, "get_context", lambda method=None: find(method or "fork"))


DATA = "import numpy as np\nfrom collections import OrderedDict, namedtuple\nd = torch.utils.data\n"
STREAM = (
    "class Stream(d.IterableDataset):\n    def __init__(s, *n): s.n = n\n"
    "    def __iter__(s): return iter(range(*s.n))\n    def __len__(s): return len(range(*s.n))\n"
)
DATASETS = (
    "t = d.TensorDataset(torch.arange(4), torch.ones(4, 2)); (len(t), t[1], t[-1], t[1:3])",
    "d.TensorDataset(torch.ones(3), torch.ones(4))",
    "s = d.StackDataset(range(3), 'abc'); (len(s), s[1], s.__getitems__([2, 0]))",
    "s = d.StackDataset(a=range(3), b='abc'); (len(s), s[1], s.__getitems__([2, 0]))",
    "d.StackDataset()", "d.StackDataset(range(3), a=range(3))", "d.StackDataset(range(3), 'ab')",
    "d.StackDataset(a=range(3), b='ab')",
    "s = d.StackDataset(d.Subset(range(9), [5, 6])); s.__getitems__([1, 1])",
    "c = d.ConcatDataset(['ab', 'cde']); (len(c), [c[k] for k in range(-5, 5)])",
    "d.ConcatDataset(['ab', 'cde']).cumulative_sizes", "d.ConcatDataset([])",
    "c = d.ConcatDataset(['ab']); c[-3]", "c = d.ConcatDataset(['ab']); c[2]",
    STREAM + "d.ConcatDataset([Stream(3)])",
    STREAM + "c = d.ChainDataset([Stream(3), Stream(2)]); (list(c), len(c))",
    STREAM + "list(Stream(2) + Stream(1))",
    "list(d.ChainDataset(['ab']))", "len(d.ChainDataset(['ab']))",
    "t = d.TensorDataset(torch.arange(4)); (len(t + t), (t + t)[5])",
    "s = d.Subset('abcdef', [4, 2, 0]); (len(s), s[1], s.__getitems__([0, 2]))",
    "s = d.Subset(torch.arange(6), [4, 2, 0]); s[[0, 1]]",
    "class S(d.Subset):\n    def __getitem__(s, i): return 0\nS('ab', [0])",
    "[len(p) for p in d.random_split(range(10), [3, 7])]",
    "[len(p) for p in d.random_split(range(10), [0.33, 0.33, 0.34])]",
    "d.random_split(range(10), [3, 8])", "d.random_split(range(10), [1.5, -0.5])",
    "d.random_split(range(10), [0.5, 0.6])",
    "sorted(k for p in d.random_split(range(10), [0.5, 0.5]) for k in p.indices)",
    "d.Dataset()[0]", "next(iter(d.Sampler()))",
)  # fmt: skip
SAMPLERS = (
    "list(d.SequentialSampler('abc')), len(d.SequentialSampler('abc'))",
    "sorted(d.RandomSampler('abcd')), len(d.RandomSampler('abcd'))",
    "s = d.RandomSampler('ab', num_samples=5); (len(list(s)), len(s), sorted(list(s)[:2]))",
    "s = d.RandomSampler('ab', True, 70); (len(list(s)), set(s))",
    "d.RandomSampler([])", "d.RandomSampler('ab', 3)", "d.RandomSampler('ab', True, 0)",
    "d.RandomSampler('ab', num_samples=1.5)",
    "s = d.SubsetRandomSampler([7, 8, 9]); (sorted(s), len(s))",
    "s = d.WeightedRandomSampler([0, 1, 0], 3); (list(s), len(s))",
    "sorted(d.WeightedRandomSampler([1.0, 2.0, 0.0], 2, replacement=False))",
    "d.WeightedRandomSampler([1], 0)", "d.WeightedRandomSampler([1], True)",
    "d.WeightedRandomSampler([1], 2, 3)", "d.WeightedRandomSampler([[1]], 2)",
    "b = d.BatchSampler(range(7), 3, False); (list(b), len(b))",
    "b = d.BatchSampler(range(7), 3, True); (list(b), len(b))",
    "d.BatchSampler(range(7), 0, True)", "d.BatchSampler(range(7), 2, 1)",
    "d.BatchSampler(range(7), True, False)", "len(d.BatchSampler(iter([1]), 1, False))",
    "[list(d.DistributedSampler(range(7), 3, r, shuffle=False)) for r in range(3)]",
    "[list(d.DistributedSampler(range(7), 3, r, False, drop_last=True)) for r in range(3)]",
    "[list(d.DistributedSampler(range(2), 5, r, shuffle=False)) for r in range(5)]",
    "s = [d.DistributedSampler(range(9), 3, r) for r in range(3)]\n"
    "(sorted(k for x in s for k in x), [len(x) for x in s])",
    "d.DistributedSampler(range(7), 3, 3)", "d.DistributedSampler(range(7), 3, -1)",
)  # fmt: skip
COLLATED = (
    "[1, 2]", "[1.5, 2]", "[True, False]", "['a', 'b']", "[b'a', b'b']", "[None]", "[{1}, {2}]",
    "[torch.ones(2), torch.zeros(2)]", "[torch.ones(2), torch.zeros(3)]",
    "[np.ones(2), np.zeros(2)]", "[np.float32(1), np.float32(2)]", "[np.int16(1), np.int16(2)]",
    "[np.array(['a'])]", "[np.array(1.5), np.array(2.5)]", "[np.bool_(True)]",
    "[(1, 'a'), (2, 'b')]", "[[1, 2], [3, 4]]", "[[1, 2], [3]]", "[{'a': 1}, {'a': 2}]",
    "[OrderedDict(a=1, b=(1, 2.0))] * 2", "[range(2), range(2)]", "[[], []]",
    "[namedtuple('P', 'x y')(1, np.ones(2))] * 2", "[{'a': [{'b': torch.ones(1)}]}] * 3",
)  # fmt: skip
LOADERS = (
    "num_workers=-1", "timeout=-1", "prefetch_factor=2", "num_workers=1, prefetch_factor=-1",
    "persistent_workers=True", "sampler=[0], shuffle=True", "batch_sampler=[[0]], batch_size=2",
    "batch_sampler=[[0]], drop_last=True", "batch_sampler=[[0]], shuffle=True",
    "batch_size=None, drop_last=True", "batch_size=0", "batch_size=True",
    "multiprocessing_context='fork'", "num_workers=1, multiprocessing_context='x'",
    "num_workers=1, multiprocessing_context=3",
)  # fmt: skip
ITERATIONS = (
    "l = d.DataLoader(range(7), 3); (list(l), len(l), l.batch_size, type(l.sampler).__name__)",
    "l = d.DataLoader(range(7), 3, drop_last=True); (list(l), len(l))",
    "l = d.DataLoader(range(3), None); (list(l), len(l))",
    "l = d.DataLoader(range(7), sampler=[5, 3]); (list(l), len(l))",
    "l = d.DataLoader(range(7), batch_sampler=[[5, 3], [1]]); (list(l), len(l))",
    "l = d.DataLoader(d.TensorDataset(torch.arange(5), torch.ones(5)), 2); list(l)",
    "list(d.DataLoader(range(5), 2, collate_fn=lambda b: b))",
    "l = d.DataLoader(range(5)); l.batch_size = 3", "l = d.DataLoader(range(5)); l.dataset = 3",
    "list(d.DataLoader(range(5), timeout=3))", "list(d.DataLoader([1, None], 2))",
    STREAM + "l = d.DataLoader(Stream(7), 3); (list(l), len(l))",
    STREAM + "l = d.DataLoader(Stream(7), 3, drop_last=True); (list(l), len(l))",
    STREAM + "l = d.DataLoader(Stream(3), None); (list(l), len(l))",
    STREAM + "d.DataLoader(Stream(3), shuffle=True)",
    STREAM + "d.DataLoader(Stream(3), sampler=[1])",
    STREAM + "d.DataLoader(Stream(3), batch_sampler=[[1]])",
    "it = iter(d.DataLoader(range(3))); (next(it), next(it), len(it), iter(it) is it)",
    "d.get_worker_info()", "len(d.DataLoader(range(5), sampler=iter([1])))",
)  # fmt: skip


@pytest.mark.parametrize(
    "snippet",
    [
        *DATASETS, *SAMPLERS, *ITERATIONS, *(f"d.default_collate({c})" for c in COLLATED),
        *(f"d.default_convert({c})" for c in COLLATED),
        *(f"d.DataLoader(range(5), {a})" for a in LOADERS),
    ],
)  # fmt: skip
def test_a_snippet_ends_as_in_pytorch(snippet: str) -> None:
    agree_on(DATA + snippet, "cpu")


def test_what_may_be_batched_is_as_in_pytorchs_table() -> None:
    theirs = pytorch().utils.data._utils.collate.default_collate_fn_map
    ours = {str(kind).replace("gpugrad", "torch") for kind in default_collate_fn_map}
    assert ours == set(map(str, theirs))
    table: Any = {int: lambda batch, *, collate_fn_map: sum(batch)}
    assert collate([(1, 2), (3, 4)], collate_fn_map=table) == [4, 6]


# --------------------------------------------------------------------------- random numbers


def numbers(loader: Any) -> list[Any]:
    return [described(batch)[2] for batch in loader]


def test_the_same_seed_gives_the_same_order_with_any_workers() -> None:
    def order(**options: Any) -> Any:
        generator = gpugrad.Generator().manual_seed(3)
        data: Any = range(20)
        loader: Any = DataLoader(data, 3, shuffle=True, generator=generator, **options)
        return [numbers(loader), numbers(loader)]

    expected = order()
    assert expected[0] != expected[1]
    assert sorted(k for batch in expected[0] for k in batch) == list(range(20))
    assert order(num_workers=2) == order(num_workers=2, worker_method="thread") == expected
    assert order(num_workers=1, persistent_workers=True, prefetch_factor=5) == expected


def test_each_draws_by_its_generator_and_each_epoch_anew() -> None:
    generator = gpugrad.Generator().manual_seed(3)
    sampler = RandomSampler(range(50), generator=generator)
    assert list(sampler) != list(sampler)
    gpugrad.manual_seed(5)
    first = list(RandomSampler(range(50))), random_split(range(9), [4, 5])[0].indices  # type: ignore[arg-type]
    gpugrad.manual_seed(5)
    assert first == (list(RandomSampler(range(50))), random_split(range(9), [4, 5])[0].indices)  # type: ignore[arg-type]
    shared = DistributedSampler(range(50), 2, 0)
    before = list(shared)
    assert list(shared) == before
    shared.set_epoch(1)
    assert list(shared) != before
    drawn = list(WeightedRandomSampler([1.0, 3.0], 4000, generator=generator))
    assert 0.7 < sum(drawn) / 4000 < 0.8


# --------------------------------------------------------------------------- workers

METHODS = pytest.mark.parametrize("method", ["multiprocessing", "thread"])


class Numbers(Dataset[Any]):
    """Numbers, some of which end in something else."""

    def __init__(self, count: int, **ends: int):
        self.count = count
        self.ends = ends

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        if index == self.ends.get("error"):
            raise KeyError("no such example")
        if index == self.ends.get("strange"):
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "strange")
        if index == self.ends.get("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if index == self.ends.get("late"):
            time.sleep(30)
        if index == self.ends.get("unpicklable"):
            return lambda: index
        return index


class Parts(IterableDataset[int]):
    """The numbers that belong to a worker."""

    def __init__(self, count: int):
        self.count = count

    def __iter__(self) -> Any:
        info = get_worker_info()
        return (
            iter(range(self.count))
            if info is None
            else iter(range(info.id, self.count, info.num_workers))
        )


@METHODS
def test_workers_give_what_is_given_without_them(method: str) -> None:
    rows = TensorDataset(gpugrad.randn(50, 3), gpugrad.arange(50))
    plain = list(DataLoader(rows, 4))
    for options in ({"num_workers": 1}, {"num_workers": 2, "prefetch_factor": 4}):
        found = list(DataLoader(rows, 4, worker_method=method, **options))  # type: ignore[arg-type]
        assert described(found) == described(plain)


@METHODS
def test_batches_of_workers_are_as_pytorchs(method: str) -> None:
    data = pytorch().utils.data

    class Theirs(data.IterableDataset):  # type: ignore[misc,name-defined]
        def __iter__(self) -> Any:
            info = data.get_worker_info()
            return iter(range(info.id, 11, info.num_workers))

    expected = [b.tolist() for b in data.DataLoader(Theirs(), 2, num_workers=2)]
    assert numbers(DataLoader(Parts(11), 2, num_workers=2, worker_method=method)) == expected


class Large(Dataset[Any]):
    """Arrays that are large, views of a larger one, and of different types."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        x = gpugrad.arange(100_000) + index
        many = gpugrad.zeros(1_000_000)[index : index + 2]
        odd = np.full(70_001, index, np.uint8)
        return {"x": x, "view": many, "odd": odd, "half": x[:5].bfloat16(), "none": x[:0]}


def test_large_batches_come_whole_and_can_be_written() -> None:
    expected = list(DataLoader(Large(), None))
    found = list(DataLoader(Large(), None, num_workers=2))
    assert described(found) == described(expected)
    for batch in found:
        assert batch["view"].untyped_storage().nbytes() == 8, "not all that it was a view of"
        batch["x"].fill_(1)
        batch["odd"] += 1
    assert described(expected) == described(list(DataLoader(Large(), None)))
    assert found[1]["x"].sum() == 100_000


@METHODS
def test_an_error_of_a_worker_comes_back_with_its_traceback(method: str) -> None:
    loader = iter(DataLoader(Numbers(10, error=5), 2, num_workers=2, worker_method=method))
    assert [next(loader).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    kind = "thread" if method == "thread" else "process"
    with pytest.raises(KeyError) as caught:
        next(loader)
    text = str(caught.value)
    assert text.startswith(f"Caught KeyError in DataLoader worker {kind} 0.\nOriginal Traceback")
    assert "no such example" in text
    assert "in __getitem__" in text
    assert next(loader).tolist() == [6, 7], "the iteration goes on, as PyTorch's does"
    with pytest.raises(RuntimeError, match="Caught UnicodeDecodeError in DataLoader worker"):
        list(DataLoader(Numbers(10, strange=5), num_workers=1, worker_method=method))


@METHODS
def test_an_error_of_the_function_that_begins_a_worker_comes_back(method: str) -> None:
    loader = DataLoader(Numbers(4), num_workers=1, worker_init_fn=len, worker_method=method)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Caught TypeError in DataLoader worker"):
        list(loader)


def test_what_cannot_be_pickled_is_an_error() -> None:
    loader = DataLoader(Numbers(3, unpicklable=1), None, num_workers=1)
    with pytest.raises(Exception, match=r"Can't (pickle|get local)"):
        list(loader)
    tracked = gpugrad.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor"):
        list(DataLoader([tracked], None, num_workers=1))  # type: ignore[arg-type]


def test_a_killed_worker_is_an_error_at_once() -> None:
    start = time.monotonic()
    loader = iter(DataLoader(Numbers(20, killed=5), num_workers=2))
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpecte"):
        list(loader)
    assert time.monotonic() - start < 10
    assert list(loader) == [], "it has ended"


@METHODS
def test_a_worker_that_is_late_is_an_error(method: str) -> None:
    loader = iter(DataLoader(Numbers(4, late=1), num_workers=1, timeout=0.3, worker_method=method))
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0.3 seconds"):
        list(loader)


@METHODS
def test_persistent_workers_begin_again_wherever_an_iteration_was_left(method: str) -> None:
    for data, expected in ((Numbers(5), [[0, 1], [2, 3], [4]]), (Parts(4), [[0, 2], [1, 3]])):
        loader: Any = DataLoader(
            data,
            2,
            num_workers=2,
            persistent_workers=True,
            worker_method=method,
        )
        for _ in loader:
            break
        workers = loader._iterator.workers
        assert numbers(loader) == expected
        assert numbers(loader) == expected
        assert loader._iterator.workers is workers


def test_batches_may_come_as_they_are_ready() -> None:
    def slow(batch: list[int]) -> list[int]:
        time.sleep(0.3 * (batch == [0]))
        return batch

    loader: Any = DataLoader(
        Numbers(6), num_workers=2, in_order=False, collate_fn=slow, worker_method="thread"
    )
    found = list(loader)
    assert sorted(found) == [[0], [1], [2], [3], [4], [5]]
    assert found[0] != [0]


class Told(Dataset[Any]):
    """What a worker tells of itself, and draws."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        info = get_worker_info()
        assert info is not None
        assert info.dataset is self
        if info.rng is None:
            drawn = random.random(), gpugrad.rand(1).item(), np.random.rand()  # noqa: NPY002
        else:
            draws = info.rng
            torch_drawn = gpugrad.rand(1, generator=draws.torch_generator).item()
            drawn = draws.random_generator.random(), torch_drawn, draws.numpy_generator.random()
        return info.id, info.num_workers, info.seed, drawn


@METHODS
def test_workers_are_seeded_by_the_loaders_generator(method: str) -> None:
    def told() -> Any:
        generator = gpugrad.Generator().manual_seed(9)
        loader: Any = DataLoader(
            Told(), None, num_workers=2, generator=generator, worker_method=method
        )
        return list(loader)

    found = told()
    assert found == told()
    assert [f[:2] for f in found] == [[0, 2], [1, 2], [0, 2], [1, 2]]
    assert found[1][2] == found[0][2] + 1
    assert len({drawn for f in found for drawn in f[3]}) == 12
    assert get_worker_info() is None


def test_workers_seed_as_pytorchs_do() -> None:
    generate = pytorch().utils.data._utils.worker._generate_state
    words = np.random.SeedSequence([3, 0x89ABCDEF, 0x1234567, 0]).generate_state(4)
    assert generate(0x123456789ABCDEF, 3) == words.tolist()


SPAWNED = """
import gpugrad
from gpugrad.utils.data import DataLoader
if __name__ == "__main__":
    loader = DataLoader(list(range(5)), 2, num_workers=1, multiprocessing_context="spawn")
    print([batch.tolist() for batch in loader])
"""
LEFT = """
import os, time, gpugrad
from gpugrad.utils.data import DataLoader
loader = iter(DataLoader(list(range(50)), num_workers=2))
next(loader)
print(*(worker.pid for worker in loader.workers.workers), flush=True)
{end}
"""


def test_processes_may_be_spawned(tmp_path: Path) -> None:
    file = tmp_path / "spawned.py"
    file.write_text(SPAWNED)
    ran = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["[[0, 1], [2, 3], [4]]"]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which processes there are")
def test_no_worker_outlives_its_loader() -> None:
    ends = ("", "os._exit(0)", "os.kill(os.getpid(), 9)", "del loader")
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", LEFT.format(end=end)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for end in ends
    ]  # fmt: skip
    written = [program.communicate(timeout=60) for program in programs]
    assert not any("Traceback" in said for _, said in written), written
    pids = [int(pid) for out, _ in written for pid in out.split()]
    assert len(pids) == 2 * len(ends)
    until = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(alive, pids))


# --------------------------------------------------------------------------- warnings and pins


def test_warnings_are_pytorchs() -> None:
    data = pytorch().utils.data
    count = 10_000

    def warned(make: Any) -> list[str]:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            make()
        return [str(w.message).replace("torch.", "gpugrad.") for w in found]

    for make in (
        lambda d: d.DataLoader(range(5), num_workers=count),
        lambda d: d.random_split(range(2), [0.5, 0.5, 0.0]),
        lambda d: list(d.DataLoader(range(1), pin_memory=True, pin_memory_device="cuda")),
    ):
        ours = warned(lambda make=make: make(gpugrad.utils.data))
        if not gpugrad.cuda.is_available() or "device" not in str(ours):
            assert ours == warned(lambda make=make: make(data))

    class Longer(IterableDataset[int]):
        def __iter__(self) -> Any:
            return iter(range(3))

        def __len__(self) -> int:
            return 2

    loader = DataLoader(Longer())
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2.*but 3 samples have been fetched"):
        list(loader)


@pytest.mark.cuda
@pytest.mark.parametrize(
    "options", [{}, {"num_workers": 1}, {"num_workers": 1, "worker_method": "thread"}]
)
def test_pinned_batches_are_pinned(options: dict[str, Any]) -> None:
    point = namedtuple("point", "x y")
    data: Any = [{"a": gpugrad.ones(3) * k, "b": (1, "text"), "c": [np.ones(2)]} for k in range(3)]
    for batch in DataLoader(data, 2, pin_memory=True, **options):
        assert batch["a"].is_pinned()
        assert batch["c"][0].is_pinned()
        assert batch["b"][1][0] == "text"
        assert batch["a"].cuda().cpu().tolist() == batch["a"].tolist()
    found = pinned((point(gpugrad.ones(1), 2), OrderedDict(a=gpugrad.ones(1))))
    assert type(found[0]) is point
    assert found[0].x.is_pinned()
    assert found[0].x.pin_memory() is found[0].x
    assert not gpugrad.ones(2).is_pinned()
    assert not gpugrad.ones(2, device="cuda").is_pinned()
    with pytest.raises(RuntimeError, match=r"cannot pin 'gpugrad.cuda.FloatTensor' only dense CPU"):
        gpugrad.ones(2, device="cuda").pin_memory()
    with pytest.raises(RuntimeError, match="detach"):
        gpugrad.ones(2, requires_grad=True).pin_memory()


def test_a_subset_of_a_class_asks_for_both_ways() -> None:
    class Doubled(Subset[Any]):
        def __getitem__(self, index: Any) -> Any:
            return 2 * super().__getitem__(index)

        def __getitems__(self, indices: list[int]) -> list[Any]:
            return [self[i] for i in indices]

    assert numbers(DataLoader(Doubled(range(5), [4, 3]), 2)) == [[8, 6]]  # type: ignore[arg-type]


def test_collate_makes_no_copy_of_what_it_does_not_know() -> None:
    texts = ["a", "b"]
    assert default_collate(texts) is texts
