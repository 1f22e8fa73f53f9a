"""The tests of `make test`: on a database cluster of their own, in random order, two at a time.

Further arguments go to pytest (`make test ARGS="tests/visits -x"`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadscope"]


def main() -> int:
    """Run them and print one closing line.

    Returns
    -------
    int
        pytest's exit status.
    """
    environment = {**os.environ, "HILUM_DATA": str(ROOT / ".cache" / "test-data"), "PYTHONHASHSEED": "random"}
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    began = time.monotonic()
    status = subprocess.run([*PYTEST, *sys.argv[1:]], cwd=ROOT, env=environment, check=False).returncode
    word = "everything passed" if status == 0 else f"something failed (pytest ended with {status})"
    sys.stdout.write(f"make test: {word}, {time.monotonic() - began:.0f} s of tests\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
