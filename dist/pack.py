"""Packs a function's binary for Lambda: one file called bootstrap, at a fixed time, so that equal binaries give equal zips.

    python3 dist/pack.py BINARY ZIP
"""

import sys
import zipfile
from pathlib import Path


def main() -> None:
    """Writes the archive."""
    binary, archive = Path(sys.argv[1]), Path(sys.argv[2])
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix: the mode below counts
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr(entry, binary.read_bytes(), compresslevel=9)


if __name__ == "__main__":
    main()
