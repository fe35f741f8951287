"""The table of PyTorch's functions in the documentation."""

from __future__ import annotations

import table

from comparison import pytorch


def test_the_table_of_functions_is_current() -> None:
    pytorch()
    assert table.PATH.read_text() == table.text(), "run: python tests/table.py"
