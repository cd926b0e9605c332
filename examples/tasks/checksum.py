#!/usr/bin/env python3
"""Hashes a file, in Python:

    jobq enqueue checksum '{"path": "README.md"}' --wait

The result may also be written to file descriptor 3, which leaves stdout to whatever the program likes to print.
"""

import hashlib
import json
import os
import sys

payload = json.load(sys.stdin)
path = payload["path"]

if not os.path.exists(path):
    print(f"there is no file {path}", file=sys.stderr)
    sys.exit(65)  # failed for good: no retry. Any code but 0, 65 and 75 is a failure that may be retried.

digest = hashlib.new(payload.get("algorithm", "sha256"))
size, read = os.path.getsize(path), 0
with open(path, "rb") as file:
    while chunk := file.read(1 << 20):
        digest.update(chunk)
        read += len(chunk)
        print(f"JOBQ_PROGRESS {read / size:.2f} hashing", flush=True)

with os.fdopen(3, "w") as result:
    json.dump({"path": path, "digest": digest.hexdigest()}, result)
