#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if a file includes a header that its layer may not see.

usage: check_layers.py SRC_DIR

The tables below are the architecture. A new arrow is a design decision: change them in a commit of
their own.
"""

import re
import sys
from pathlib import Path

MAY_SEE = {
    # pure: no I/O, no clock, no OS
    "base": set(),
    "proto": {"base"},
    "format": {"base"},
    "ts": {"base", "format"},
    # the OS, and what runs on it
    "plat": {"base"},
    "rt": {"base", "format", "plat"},
    "image": {"base", "format", "plat"},
    "store": {"base", "format", "plat"},
    "db": {"base", "plat"},
    # the product
    "site": {"base", "format", "ts", "plat", "db"},
    "server": {"base", "proto", "format", "ts", "plat", "rt", "image", "store", "db", "site"},
    "agent": {"base", "proto", "format", "ts", "plat", "rt", "image"},
    "cli": {"base", "ts", "plat", "rt"},
    "prog": {"base", "plat", "rt", "server", "agent", "cli", "db"},
}
# Folders of one layer that must not see each other either: a role is a process of its own. What all of them
# share lies in the layer's own folder (server/role.h).
ISOLATED = {"server"}
# All that a pure layer may take from the C library, and from elsewhere.
PURE = {"base", "proto", "format", "ts"}
PURE_HEADERS = {
    f"{name}.h"
    for name in "assert errno inttypes limits stdarg stdbool stddef stdint stdlib string".split()
}
PURE_MORE = {
    "base": {"stdio.h"},  # vsnprintf(), for struct buf
    "proto": set(),
    "format": set(),
    "ts": {"stdio.h"},  # vsnprintf(), for diagnostics
}
# task sequences are XML, in .zip files in memory, or YAML
PURE_LIBRARIES = {"ts": ("libxml/", "archive.h", "archive_entry.h", "yaml.h", "jansson.h")}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)')


def verdict(own: tuple, quote: str, name: str):
    other = name.split("/")
    if quote == "<":
        is_test = own[-1].startswith(("test_", "fuzz_"))
        is_allowed = (
            name in PURE_HEADERS
            or name in PURE_MORE.get(own[0], set())
            or name.startswith(PURE_LIBRARIES.get(own[0], ()) or ("\0",))
        )
        if own[0] in PURE and not is_test and not is_allowed:
            return f"{own[0]}/ is pure and must not see <{name}>"
    elif len(other) == 1:
        return f'name the layer, as in "{own[0]}/{name}"'
    elif other[0] == "tests" and own[-1].startswith("test_"):
        return None  # what tests of all layers share
    elif other[0] not in MAY_SEE.get(own[0], set()) | {own[0]}:
        return f"{own[0]}/ must not see {other[0]}/"
    elif other[0] == own[0] in ISOLATED and len(own) > 2 and len(other) > 2 and other[1] != own[1]:
        return f"{own[0]}/{own[1]}/ must not see {other[0]}/{other[1]}/"
    return None


def main() -> int:
    src = Path(sys.argv[1])
    bad = 0
    for file in sorted([*src.rglob("*.c"), *src.rglob("*.h")]):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            why = match and verdict(file.relative_to(src).parts, *match.groups())
            if why:
                print(f"{file}:{number}: {why}")
                bad += 1
    print(f"layers: {bad} violations" if bad else "layers: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
