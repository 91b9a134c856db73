#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the table of named statements and migrations out of .sql files.

usage: gen_sql.py OUT.h OUT.c FILE.sql...

A file in a folder `migrations` is a migration, NNNN_name.sql; the numbers must be 1, 2, 3 ... Any other file
holds statements, each behind a line `-- name: device_find_by_mac`, which becomes SQL_DEVICE_FIND_BY_MAC.
"""

import hashlib
import re
import sys
from pathlib import Path

NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$")
MIGRATION = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


def c_array(name: str, text: str) -> str:
    """A text as an array of characters: ISO C promises only 4095 bytes for a literal."""
    data = [*text.encode("utf-8"), 0]
    lines = [", ".join(str(b) for b in data[i : i + 20]) for i in range(0, len(data), 20)]
    return f"static const char {name}[] = {{\n    " + ",\n    ".join(lines) + ",\n};\n"


def strip_comments(text: str) -> str:
    return "\n".join(l for l in text.splitlines() if l.strip() and not l.strip().startswith("--"))


def read_statements(path: Path) -> dict:
    found = {}
    name = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = NAME.match(line)
        if match:
            name = match.group(1)
            if name in found:
                sys.exit(f"{path}:{number}: {name} is there twice")
            found[name] = []
        elif name:
            found[name].append(line)
        elif line.strip() and not line.startswith("--"):
            sys.exit(f"{path}:{number}: text before the first name")
    out = {}
    for key, lines in found.items():
        text = strip_comments("\n".join(lines)).rstrip()
        if text.count(";") != 1 or not text.endswith(";"):
            sys.exit(f"{path}: {key}: wants exactly one statement, ended by ';'")
        out[key] = text[:-1]
    return out


def main() -> int:
    header, source, *files = [Path(a) for a in sys.argv[1:]]
    statements = {}
    migrations = {}
    for path in files:
        if path.parent.name == "migrations":
            match = MIGRATION.match(path.name)
            if not match:
                sys.exit(f"{path}: the name must be NNNN_words.sql")
            migrations[int(match.group(1))] = path
            continue
        for key, text in read_statements(path).items():
            if key in statements:
                sys.exit(f"{path}: {key} is also in another file")
            statements[key] = text
    if sorted(migrations) != list(range(1, len(migrations) + 1)):
        sys.exit("migrations: the numbers must be 0001, 0002, ...")

    names = sorted(statements)
    spdx = "/* SPDX-License-Identifier: GPL-3.0-or-later */\n\n/* Made by tools/gen_sql.py. */\n\n"
    header.write_text(
        spdx
        + "#pragma once\n\nenum db_sql {\n"
        + "".join(f"    SQL_{n.upper()},\n" for n in names)
        + "    SQL_COUNT,\n};\n",
        encoding="utf-8",
    )
    out = [spdx, '#include "db/tables.h"\n\n#include <stddef.h>\n\n']
    texts = {number: strip_comments(path.read_text(encoding="utf-8")) for number, path in migrations.items()}
    out += [c_array(f"sql_{n}", statements[n]) for n in names]
    out += [c_array(f"migration_{number}", texts[number]) for number in sorted(texts)]
    out.append("const struct db_statement db_statements[SQL_COUNT] = {\n")
    out += [f'    [SQL_{n.upper()}] = {{"{n}", sql_{n}}},\n' for n in names]
    out.append("};\n\nconst struct db_migration db_migrations[] = {\n")
    for number in sorted(texts):
        sha256 = hashlib.sha256(texts[number].encode("utf-8")).hexdigest()
        out.append(f'    {{{number}, "{migrations[number].stem}",\n     "{sha256}", migration_{number}}},\n')
    out.append("    {0, NULL, NULL, NULL},\n};\n")
    source.write_text("".join(out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
