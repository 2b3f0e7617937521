"""Write what pip has resolved as constraints: ``python .ci/lock.py REPORT > constraints.txt``.

REPORT is what ``pip install --dry-run --report`` leaves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text())
found = {each["metadata"]["name"]: each["metadata"]["version"] for each in report["install"]}
print("# What `make` installs for development; written by `make lock`. Users are not bound by it.")
for name in sorted(found, key=str.casefold):
    if name != "pa-telephony":
        print(f"{name}=={found[name]}")
