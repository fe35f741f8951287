"""What an out-of-memory error tells: which saved tensors the memory is full of."""

from __future__ import annotations

TOP = 10  # how many it lists


def tell(error: MemoryError) -> None:
    """Add to an out-of-memory error what recorded graphs keep, unless it says so already."""
    if any("recorded call" in note for note in getattr(error, "__notes__", ())):
        return
    try:
        from gpugrad.op.inventory import memory_report

        report = memory_report()
        if report.saved:
            error.add_note(
                f"{report.text(TOP)}\n(gpugrad.memory_report() lists all of them. backward() frees "
                "them, as does dropping the graph; under gpugrad.no_grad() nothing is saved.)"
            )
    except MemoryError:  # there is not even room for the list
        return
