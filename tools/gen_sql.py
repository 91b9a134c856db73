#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the table of named statements and migrations out of .sql files, for both engines.

usage: gen_sql.py OUT.h OUT.c FILE.sql...

A file in a folder `migrations` is a migration, NNNN_name.sql; the numbers must be 1, 2, 3 ... The file `postgresql.sql` is what
PostgreSQL lacks and our statements use. Any other file holds statements, each behind a line `-- name: device_find_by_mac`, which
becomes SQL_DEVICE_FIND_BY_MAC.

Texts are written for SQLite and translated by sql_dialect.py. Where there is no common spelling, a statement has a second text
behind `-- name: device_find_by_mac (postgresql)`, and a migration has parts behind lines `-- only sqlite`, `-- only postgresql`,
`-- both`. What is for PostgreSQL alone is in its own language. Macros: sql_macros.py.
"""

import hashlib
import re
import sys
from pathlib import Path

import sql_dialect
import sql_macros

NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)( \(postgresql\))?$")
PART = re.compile(r"^-- (only sqlite|only postgresql|both)$")
MIGRATION = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


def c_array(name: str, text: str) -> str:
    """A text as an array of characters: ISO C promises only 4095 bytes for a literal."""
    data = [*text.encode("utf-8"), 0]
    lines = [", ".join(str(b) for b in data[i : i + 20]) for i in range(0, len(data), 20)]
    return f"static const char {name}[] = {{\n    " + ",\n    ".join(lines) + ",\n};\n"


def strip_comments(text: str) -> str:
    return "\n".join(l for l in text.splitlines() if l.strip() and not l.strip().startswith("--"))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_texts(path: Path) -> dict:
    """By (name, whether it is for PostgreSQL alone)."""
    found = {}
    key = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = NAME.match(line)
        if match:
            key = (match.group(1), match.group(2) is not None)
            if key in found:
                sys.exit(f"{path}:{number}: {key[0]} is there twice")
            found[key] = []
        elif line.startswith("-- name:"):
            sys.exit(f"{path}:{number}: want '-- name: words_like_this', or that and ' (postgresql)'")
        elif key:
            found[key].append(line)
        elif line.strip() and not line.startswith("--"):
            sys.exit(f"{path}:{number}: text before the first name")
    return {key: strip_comments("\n".join(lines)).rstrip() for key, lines in found.items()}


def read_statements(path: Path, macros: dict) -> dict:
    """name: (text for SQLite, text for PostgreSQL, whether it runs in somebody's name)."""
    out = {}
    texts = {key: sql_macros.expand(text, macros) for key, text in read_texts(path).items()}
    in_name_of = {name for (name, _), text in texts.items() if sql_macros.PRINCIPAL in text}
    texts = {key: sql_macros.number_principal(text) for key, text in texts.items()}
    for (name, is_postgresql), text in texts.items():
        if text.count(";") != 1 or not text.endswith(";"):
            sys.exit(f"{path}: {name}: wants exactly one statement, ended by ';'")
        if is_postgresql and (name, False) not in texts:
            sys.exit(f"{path}: {name} (postgresql): there is none for SQLite")
    for name, text in ((name, text[:-1]) for (name, other), text in texts.items() if not other):
        try:
            own = texts.get((name, True))
            if own and sql_dialect.params_of(own) != sql_dialect.params_of(text):
                raise sql_dialect.Refused("its two texts have different parameters")
            out[name] = (text, sql_dialect.own_postgresql(own[:-1]) if own else sql_dialect.to_postgresql(text), name in in_name_of)
        except sql_dialect.Refused as why:
            sys.exit(f"{path}: {name}: {why}")
    return out


def read_migration(path: Path) -> list:
    """[(source, text) for SQLite, the same for PostgreSQL]."""
    parts = [("both", [])]
    for line in path.read_text(encoding="utf-8").splitlines():
        match = PART.match(line)
        if match:
            parts.append((match.group(1), []))
        else:
            parts[-1][1].append(line)
    parts = [(kind, strip_comments("\n".join(lines))) for kind, lines in parts]
    parts = [(kind, text) for kind, text in parts if text]
    sqlite = "\n".join(text for kind, text in parts if kind != "only postgresql")
    source = "\n".join(text for kind, text in parts if kind != "only sqlite")
    out = []
    for kind, text in parts:
        if kind == "only postgresql":
            out.append(text)
        if kind != "both":
            continue
        try:
            out += [sql_dialect.to_postgresql(statement) + ";" for statement in sql_dialect.split(text)]
        except sql_dialect.Refused as why:
            sys.exit(f"{path}: {why}")
    return [(sqlite, sqlite), (source, "\n".join(out))]


def c_tables(statements: dict, migrations: dict, prelude: str) -> str:
    names = sorted(statements)
    out = ["/* SPDX-License-Identifier: GPL-3.0-or-later */\n\n/* Made by tools/gen_sql.py. */\n\n"]
    out.append('#include "db/tables.h"\n\n#include <stddef.h>\n\n')
    for engine in (0, 1):
        out += [c_array(f"sql_{n}_{engine}", statements[n][engine]) for n in names]
        out += [c_array(f"migration_{n}_{engine}", m[1][engine][1]) for n, m in sorted(migrations.items())]
    out.append(c_array("prelude", prelude))
    out.append("const struct db_statement db_statements[SQL_COUNT] = {\n")
    for n in names:
        is_read = "true" if sql_dialect.is_read(statements[n][0]) else "false"
        has_principal = "true" if statements[n][2] else "false"
        out.append(f'    [SQL_{n.upper()}] = {{"{n}", {{sql_{n}_0, sql_{n}_1}}, {is_read}, {has_principal}}},\n')
    out.append("};\n\nconst struct db_migration db_migrations[] = {\n")
    for number, (name, texts) in sorted(migrations.items()):
        sums = ",\n      ".join(f'"{digest(source)}"' for source, _ in texts)
        out.append(
            f'    {{{number}, "{name}",\n     {{{sums}}},\n     {{migration_{number}_0, migration_{number}_1}}}},\n'
        )
    out.append("    {0, NULL, {NULL}, {NULL}},\n};\n\n")
    out.append(
        'const struct db_migration db_postgresql_prelude = {\n    0, "postgresql",\n'
        f'    {{NULL, "{digest(prelude)}"}},\n    {{NULL, prelude}},\n}};\n'
    )
    return "".join(out)


def main() -> int:
    header, source, *files = [Path(a) for a in sys.argv[1:]]
    statements = {}
    migrations = {}
    prelude = ""
    macros = {}
    for path in (path for path in files if path.name == sql_macros.FILE):
        macros = sql_macros.read_macros(path)
    for path in files:
        if path.name == sql_macros.FILE:
            continue
        if path.name == "postgresql.sql":
            prelude = strip_comments(path.read_text(encoding="utf-8"))
            continue
        if path.parent.name == "migrations":
            match = MIGRATION.match(path.name)
            if not match:
                sys.exit(f"{path}: the name must be NNNN_words.sql")
            migrations[int(match.group(1))] = (path.stem, read_migration(path))
            continue
        for key, text in read_statements(path, macros).items():
            if key in statements:
                sys.exit(f"{path}: {key} is also in another file")
            statements[key] = text
    if sorted(migrations) != list(range(1, len(migrations) + 1)):
        sys.exit("migrations: the numbers must be 0001, 0002, ...")

    header.write_text(
        "/* SPDX-License-Identifier: GPL-3.0-or-later */\n\n/* Made by tools/gen_sql.py. */\n\n"
        + "#pragma once\n\nenum db_sql {\n"
        + "".join(f"    SQL_{n.upper()},\n" for n in sorted(statements))
        + "    SQL_COUNT,\n};\n",
        encoding="utf-8",
    )
    source.write_text(c_tables(statements, migrations, prelude), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
