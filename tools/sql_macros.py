# SPDX-License-Identifier: GPL-3.0-or-later
"""Macros in SQL statements, and in whose name a statement runs.

macros.sql holds macros, `-- macro: may(class, id)`: text, ended by an empty line, that stands for `@may('package', p.id)` in
statements and other macros; `$class` in it is what was given. `:principal` is the administrator in whose name the statement
runs: it becomes a parameter behind the statement's own ones, which the database layer binds by itself.
"""

import re
import sys
from pathlib import Path

MACRO = re.compile(r"^-- macro: ([a-z_]+)\(([a-z_, ]*)\)$")
CALL = re.compile(r"@([a-z_]+)\(")
DEPTH_MAX = 6
FILE = "macros.sql"
PRINCIPAL = ":principal"


def read_macros(path: Path) -> dict:
    """{name: (parameters, text)}"""
    found = {}
    name = None
    for line in path.read_text(encoding="utf-8").splitlines():
        match = MACRO.match(line)
        if match:
            name = match.group(1)
            found[name] = ([p.strip() for p in match.group(2).split(",")], [])
        elif not line.strip():
            name = None
        elif name:
            found[name][1].append(line)
    return {key: (parameters, " ".join(l.strip() for l in lines)) for key, (parameters, lines) in found.items()}


def read_call(text: str, start: int) -> tuple:
    """The arguments from behind the opening bracket, and where the closing one ends."""
    depth, arguments = 1, [""]
    for at in range(start, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return [a.strip() for a in arguments], at + 1
        if text[at] == "," and depth == 1:
            arguments.append("")
        else:
            arguments[-1] += text[at]
    sys.exit(f"no end of a macro's arguments: {text}")


def expand(text: str, macros: dict, depth: int = 0) -> str:
    match = CALL.search(text)
    while match:
        arguments, end = read_call(text, match.end())
        parameters, body = macros.get(match.group(1), ([], ""))
        if len(parameters) != len(arguments) or depth > DEPTH_MAX:
            sys.exit(f"no such macro with so many arguments: {match.group(0)}")
        for parameter, argument in zip(parameters, arguments):
            body = re.sub(rf"\${parameter}\b", lambda _, a=argument: a, body)
        text = text[: match.start()] + expand(body, macros, depth + 1) + text[end:]
        match = CALL.search(text)
    return text


def number_principal(text: str) -> str:
    """Its text with the administrator as the last parameter."""
    last = max((int(n) for n in re.findall(r"\?(\d+)", text)), default=0)
    return text.replace(PRINCIPAL, f"?{last + 1}")
