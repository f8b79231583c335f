"""Takes out of a bill of materials what differs from run to run and from folder to folder.

    python3 dist/bill.py FROM TO
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path


def main() -> None:
    """Rewrites the bill."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    bill = json.loads(source.read_text().replace(Path.cwd().as_uri(), "file:///scopegate"))
    bill.pop("serialNumber", None)
    when = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    bill["metadata"]["timestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    target.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
