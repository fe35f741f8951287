"""Several processes: what each does stands in ranks.py, and how they end is seen from here."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import gpugrad
import gpugrad.distributed as dist
from comparison import agree_on
from gpugrad.distributed import rendezvous

HERE = Path(__file__).parent
MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")

CASES = (
    "group", "reductions", "halves_are_summed_in_float32", "copies", "messages", "works",
    "objects", "groups", "gradients_are_those_of_one_process",
    "buckets_are_on_their_way_before_the_backward_ends", "some_processes_use_what_others_do_not",
    "gradients_add_up_without_sync", "what_is_unused_is_told", "modules_must_be_the_same",
    "buffers_are_those_of_the_first", "samplers_give_each_its_part",
    "norms_are_over_all_processes", "gradients_go_another_way", "some_have_more_batches",
)  # fmt: skip
OF_FOUR = (  # what two processes cannot tell from something else
    "reductions", "halves_are_summed_in_float32", "copies", "messages", "groups",
    "gradients_are_those_of_one_process", "some_processes_use_what_others_do_not",
    "norms_are_over_all_processes", "some_have_more_batches",
)  # fmt: skip


def ran(count: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ranks.py in so many processes."""
    assert MPIEXEC is not None
    paths = [str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [MPIEXEC, "-n", str(count), sys.executable, str(HERE / "ranks.py"), *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@functools.cache
def ended_well(count: int, backend: str, device: str) -> tuple[list[str], str]:
    """Return the cases that ended well, and all that was written: they run one after the other."""
    result = ran(count, backend, device, *(OF_FOUR if count == 4 else CASES))
    lines = result.stdout.splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("ended well")], (
        result.stdout + result.stderr
    )


needs_mpi = [
    pytest.mark.needs("mpi4py"),
    pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec"),
]


def check_case(case: str, count: int, backend: str, device: str) -> None:
    found, written = ended_well(count, backend, device)
    assert case in found, written


class TestWithMpi:
    """MPI carries what is on the host, and on GPUs by way of it."""

    pytestmark = needs_mpi

    @pytest.mark.parametrize("case", CASES)
    def test_case_of_two(self, case: str, device: str) -> None:
        check_case(case, 2, "mpi", device)

    @pytest.mark.parametrize("case", OF_FOUR)
    def test_case_of_four(self, case: str) -> None:
        check_case(case, 4, "mpi", "cpu")

    @pytest.mark.emulated
    @pytest.mark.parametrize("case", CASES)
    def test_case_as_nccl_would(self, case: str) -> None:
        check_case(case, 2, "nccl", "cuda")

    @pytest.mark.parametrize("how", ["error", "exit", "killed"])
    def test_a_process_that_ends_ends_the_others(self, how: str) -> None:
        start = time.monotonic()
        result = ran(2, "mpi", "cpu", f"ends:{how}")
        assert time.monotonic() - start < 30, "with all else that this machine does"
        assert result.returncode != 0
        assert "did not notice" not in result.stdout
        if how == "error":
            assert "this process fails" in result.stderr
        if how == "exit":
            assert "rank 1 has ended, and rank 0 waits for it" in result.stderr

    def test_calls_that_are_not_alike_are_told_to_each(self) -> None:
        written = ran(2, "mpi", "cpu", "unlike").stdout
        for call in (
            "all_reduce", "types", "ways", "calls", "broadcast", "reduce", "reduce_scatter",
            "all_gather", "gather", "scatter", "all_to_all",
        ):  # fmt: skip
            for rank in range(2):
                assert f"rank {rank}: {call}: Detected mismatch between collectives" in written
        assert "rank 0: told twice" in written
        assert "rank 1: told twice" in written

    @pytest.mark.sources
    @pytest.mark.needs("safetensors")
    def test_the_program_of_the_document_trains(self, tmp_path: Path) -> None:
        text = (HERE.parent / "docs" / "distributed.md").read_text(encoding="utf-8")
        program = text.partition("```python\n")[2].partition("```")[0]
        (tmp_path / "train.py").write_text(program, encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        command = [str(MPIEXEC), "-n", "2", sys.executable, "train.py"]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=300)
        weight = gpugrad.load(tmp_path / "net.safetensors")["weight"]
        assert (weight - 1).abs().max() < 0.2, "it is on its way to the sum"

    def test_one_process_is_a_group_too(self) -> None:
        program = (
            "import gpugrad, gpugrad.distributed as dist\ndist.init_process_group()\n"
            "x = gpugrad.ones(2); dist.all_reduce(x); print(x.tolist(), dist.get_world_size())"
        )
        command = [sys.executable, "-c", program]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "[1.0, 1.0] 1"


SNIPPETS = (
    "d.is_available(), d.is_initialized()", "d.get_rank()", "d.get_world_size()",
    "d.get_backend()", "d.all_reduce(torch.ones(2))", "d.barrier()", "d.all_reduce(3)",
    "d.all_gather(3, torch.ones(2))", "d.all_gather([3], torch.ones(2))",
    "d.broadcast(torch.ones(2), 0)", "d.new_group([0])",
    "torch.utils.data.DistributedSampler(range(3))", "d.init_process_group('mpi', timeout=3)",
    "d.get_node_local_rank()", "d.get_node_local_rank(2)", "d.group.WORLD",
    "d.P2POp(3, torch.ones(2))",
    "torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 2))",
)  # fmt: skip


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_without_a_group_it_ends_as_in_pytorch(snippet: str) -> None:
    agree_on(f"d = torch.distributed\n{snippet}", "cpu")


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"Unknown backend 'gloo'\. Use 'mpi'"):
        dist.init_process_group("gloo")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(RuntimeError, match=r"pip install 'gpugrad\[mpi\]'"):
        dist.init_process_group("mpi")
    if not dist.is_nccl_available():
        with pytest.raises(RuntimeError, match="needs a GPU and NCCL"):
            dist.init_process_group("nccl")


# --------------------------------------------------------------------------- without MPI

MEETING = """
import os, sys, time
from gpugrad.distributed.rendezvous import Meeting
rank = int(sys.argv[1])
meeting = Meeting("127.0.0.1", int(sys.argv[2]), int(sys.argv[4]), rank, 20)
print(meeting.shared(b"identity" if rank == 0 else b"").decode(), flush=True)
end = sys.argv[3]
if rank == 1 and end == "error":
    raise ValueError
if rank == 1 and end == "killed":
    os.kill(os.getpid(), 9)
time.sleep(0.1 if end == "well" or rank == 1 else 60)
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("end", ["well", "error", "killed"])
def test_processes_meet_at_an_address_and_notice_each_others_end(end: str, port: int) -> None:
    start = time.monotonic()
    size = 3 if end == "killed" else 2
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MEETING, str(rank), str(port), end, str(size)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in reversed(range(size))
    ]  # fmt: skip
    written = [process.communicate(timeout=60) for process in processes]
    assert [out.strip() for out, _ in written] == ["identity"] * size
    codes = [process.returncode for process in processes]
    if end == "well":
        assert codes == [0, 0]
    else:
        assert codes == ([1, 1] if end == "error" else [1, -9, 1])
        assert time.monotonic() - start < 30
        assert all("another process has ended" in said for _, said in (*written[:-2], written[-1]))


def test_who_comes_alone_is_told(port: int) -> None:
    with pytest.raises(dist.DistBackendError, match="did not find each other in time"):
        rendezvous.Meeting("127.0.0.1", port, 2, 0, 0.2)
    with pytest.raises(dist.DistBackendError, match="did not find each other in time"):
        rendezvous.Meeting("127.0.0.1", port, 2, 1, 0.2)


@pytest.mark.parametrize(
    ("method", "match"),
    [("file:///tmp/x", "tcp://ADDRESS:PORT"), ("tcp://host", "tcp://ADDRESS:PORT")],
)
def test_a_place_to_meet_must_be_one(method: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        rendezvous._place(method)


def test_the_environment_tells_where_processes_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_ADDR", "host")
    monkeypatch.delenv("MASTER_PORT", raising=False)
    with pytest.raises(ValueError, match="environment variable MASTER_PORT expected, but not set"):
        rendezvous._place(None)
    monkeypatch.setenv("MASTER_PORT", "123")
    assert rendezvous._place("env://") == ("host", 123)
    assert rendezvous._place("tcp://10.1.1.1:99") == ("10.1.1.1", 99)
