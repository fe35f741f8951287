"""Run the conformance suite of the Python array API standard on gpugrad.array_api.

    python tests/array_api.py PATH [pytest's options]

``PATH`` is a checkout of github.com/data-apis/array-api-tests with its submodule; it may also be
in the variable ``ARRAY_API_TESTS``.  What is expected to fail is listed, with reasons, in
``array_api_xfails.txt``; of what is listed and passes the suite says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXPECTED = Path(__file__).resolve().with_name("array_api_xfails.txt")
LIBRARY = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Run the suite, and return pytest's status."""
    checkout = os.environ.get("ARRAY_API_TESTS")
    if arguments and not arguments[0].startswith("-"):
        checkout, *arguments = arguments
    if not checkout or not (Path(checkout) / "array_api_tests").is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    environment = {**os.environ, "ARRAY_API_TESTS_MODULE": "gpugrad.array_api"}
    if (LIBRARY / "gpugrad").is_dir():
        paths = [str(LIBRARY), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    command = [
        sys.executable, "-m", "pytest", "-c", "pytest.ini", "--rootdir", ".", "-q", "--xfails-file",
        str(EXPECTED), *arguments, "array_api_tests",
    ]  # fmt: skip
    return subprocess.run(command, cwd=checkout, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
