"""Does de-identification make a valid file invalid? dciodvfy (dicom3tools) says, before and after.

Run: `python -m benchmarks.dicom_conformance [FILE OR FOLDER …]`; without arguments pydicom's own files and a phantom.
Prints every error that was not there before, and ends with status 1 if there is one (requirement DCM-06).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pydicom

from imaging.dicom import phantom
from imaging.dicom.deidentify import Identity, deidentify
from imaging.dicom.intake import Verdict, examine, list_files

IDENTITY = Identity(
    key=b"0" * 32,
    subject="TDX-001-001",
    sponsor="Sponsor",
    protocol_id="THERMODOX",
    protocol_name="Trial",
    site_id="NO-01",
    site_name="Site",
    time_point_id="M1",
)
_VALUE = re.compile(r"<[0-9][0-9.]+>")


def originals(paths: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Files to check, by name."""
    if paths:
        yield from ((shown, path.read_bytes()) for shown, path in list_files(paths))
        return
    bundled = Path(pydicom.__file__).parent / "data" / "test_files"
    yield from ((shown, path.read_bytes()) for shown, path in list_files([bundled]))
    yield from phantom.series(phantom.Phantom(size=64, slices=3))


def errors_of(program: str, data: bytes) -> set[str]:
    """What dciodvfy calls an error, identifiers left out since these change."""
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(data)
        file.flush()
        said = subprocess.run([program, file.name], capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    return {_VALUE.sub("<…>", " ".join(line.split())) for line in lines if line.startswith("Error")}


def main() -> int:
    """Check every file that would be accepted."""
    program = shutil.which("dciodvfy")
    if program is None:
        print("dciodvfy is not here; it comes with the Debian package dicom3tools.")
        return 2
    checked = worse = 0
    for name, data in originals([Path(each) for each in sys.argv[1:]]):
        examined = examine(data, name)
        if examined.verdict is not Verdict.ACCEPTED or examined.file is None:
            continue
        checked += 1
        new = errors_of(program, deidentify(examined.file, IDENTITY).data) - errors_of(program, data)
        worse += bool(new)
        for line in sorted(new):
            print(f"{name}: {line}")
    print(f"{checked} files checked, {worse} with new errors")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
