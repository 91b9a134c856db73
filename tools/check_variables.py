#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if the table of the engine's variables in the documentation is not the one of the program.

usage: check_variables.py src/ts/engine_vars.c docs/protocol/sequencer.md [--write]

With --write the table in the documentation is replaced by the program's.
"""

import re
import sys
from pathlib import Path

KINDS = {"SET": "set", "OBEYED": "obeyed", "NO_EFFECT": "no effect"}
HEAD = "| variable of the engine | here | |\n|---|---|---|\n"


def rows_of_program(text: str) -> list[str]:
    pattern = r'\{\s*"(\w+)",\s*(SET|OBEYED|NO_EFFECT),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\}'
    rows = []
    for name, kind, words in re.findall(pattern, text):
        joined = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', words)).replace('\\"', '"')
        rows.append(f"| `{name}` | {KINDS[kind]} | {joined} |")
    return rows


def main() -> int:
    program = Path(sys.argv[1]).read_text(encoding="utf-8")
    path = Path(sys.argv[2])
    document = path.read_text(encoding="utf-8")
    wanted = rows_of_program(program)
    if not wanted or HEAD not in document:
        print(f"{sys.argv[1]} or {path} has no such table", file=sys.stderr)
        return 1
    before, behind = document.split(HEAD, 1)
    found = re.match(r"(?:\|.*\n)*", behind).group(0)
    if "--write" in sys.argv:
        table = "".join(row + "\n" for row in wanted)
        path.write_text(before + HEAD + table + behind[len(found):], encoding="utf-8")
        return 0
    lines = found.splitlines()
    for row in wanted:
        if row not in lines:
            print(f"{path} lacks: {row}", file=sys.stderr)
    for line in lines:
        if line not in wanted:
            print(f"{path} has, and the program has not: {line}", file=sys.stderr)
    return 0 if lines == wanted else 1


if __name__ == "__main__":
    sys.exit(main())
