#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if the table of the engine's variables in the documentation is not the one of the program, or if the agent names a variable
that neither this table nor one of the step types has.

usage: check_variables.py src docs/protocol/sequencer.md [--write]

With --write the table in the documentation is replaced by the program's.
"""

import re
import sys
from pathlib import Path

KINDS = {"SET": "set", "OBEYED": "obeyed", "NO_EFFECT": "no effect"}
# Variables are called so; of those that begin with TS, two are components of the log.
NAME = re.compile(r'"(_?(?:SLW[A-Z]|OSD|Osd|SMSTS|TS_?(?!Manager"|Cache")[A-Z])[\w%#]*)"')
# printf's, for the number or the letter in a name
FORMAT = re.compile(r"%(?:zu|u|d|c|s)")
HEAD = "| variable of the engine | here | |\n|---|---|---|\n"


def rows_of_program(text: str) -> list[str]:
    pattern = r'\{\s*"(\w+)",\s*(SET|OBEYED|NO_EFFECT),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\}'
    rows = []
    for name, kind, words in re.findall(pattern, text):
        joined = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', words)).replace('\\"', '"')
        rows.append(f"| `{name}` | {KINDS[kind]} | {joined} |")
    return rows


def names_of_steps(folder: Path) -> set[str]:
    """Names and variables of all properties; '#' stands for a number."""
    names = set()
    for path in sorted(folder.glob("step_types_*.c")):
        for pair in re.findall(r'[A-Z_]+\(\s*"([^"]*)",\s*"([^"]*)"', path.read_text(encoding="utf-8")):
            names.update(pair)
    return names


def is_known(name: str, known: set[str]) -> bool:
    pattern = re.compile(FORMAT.sub(".+", name), re.IGNORECASE)
    return any(pattern.fullmatch(one) or re.fullmatch(re.escape(one).replace(r"\#", r"\d+"), name, re.IGNORECASE) for one in known)


def unknown_names(folder: Path, known: set[str]) -> list[str]:
    """ "file: name" of what the sources of the agent have as a literal, and no table has."""
    found = []
    for path in sorted(folder.rglob("*.[ch]")):
        if path.name.startswith(("test_", "fuzz_")) or "fixture" in path.name:
            continue
        names = NAME.findall(path.read_text(encoding="utf-8"))
        found += [f"{path}: {name}" for name in sorted(set(names)) if not is_known(name, known)]
    return found


def main() -> int:
    source = Path(sys.argv[1])
    program = (source / "ts/engine_vars.c").read_text(encoding="utf-8")
    path = Path(sys.argv[2])
    document = path.read_text(encoding="utf-8")
    wanted = rows_of_program(program)
    if not wanted or HEAD not in document:
        print(f"{source}/ts/engine_vars.c or {path} has no such table", file=sys.stderr)
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
    known = names_of_steps(source / "ts") | {row.split("`")[1] for row in wanted}
    unknown = unknown_names(source / "agent", known)
    for one in unknown:
        print(f"{one} is in no table: enter it in {source}/ts/engine_vars.c", file=sys.stderr)
    return 0 if lines == wanted and not unknown else 1


if __name__ == "__main__":
    sys.exit(main())
