#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the table of what each operation of the API needs, out of its contract.

usage: gen_permissions.py OPENAPI_YAML OUT.c

tools/check_openapi.py has checked the contract; what is missing in it is missing here, and such an operation is refused.
"""

import re
import sys
from pathlib import Path

import yaml

METHODS = ("get", "put", "post", "delete", "head", "patch")
WITHOUT_OBJECT = ("public", "own", "internal", "client", "none")


def text(value) -> str:
    return f'"{value}"' if value else "NULL"


def object_of(path: str, permission: dict) -> tuple:
    """Class and path parameter of the thing that the operation is about; (None, None) if there is none."""
    name = permission.get("param", "id")
    of_class = permission.get("object", permission["class"])
    if of_class in WITHOUT_OBJECT or not re.search(rf"\{{{name}\}}", path):
        return None, None
    return of_class, name


def also_of(permission: dict) -> str:
    rows = [
        f"{{{text(one['class'])}, {text(one['verb'])}, {text(one.get('member'))}, {text(one.get('param'))}}}"
        for one in permission.get("also", [])
    ]
    return "{" + ", ".join(rows or ["{0}"]) + "}"


def rows_of(root: dict):
    for path, item in root["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            permission = item[method]["x-slipway-permission"]
            of_class, name = object_of(path, permission)
            yield (
                f"    {{{text(method.upper())}, {text('/api/v1' + path)}, {text(item[method]['operationId'])}, "
                f"{text(permission['class'])}, {text(permission['verb'])}, {text(of_class)}, {text(name)}, "
                f"{also_of(permission)}}},\n"
            )


def main() -> int:
    root = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(
        "/* SPDX-License-Identifier: GPL-3.0-or-later */\n\n/* Made by tools/gen_permissions.py. */\n\n"
        '#include "site/permission.h"\n\n#include <stddef.h>\n\n'
        "const struct permission permissions[] = {\n" + "".join(rows_of(root)) + "    {.method = NULL},\n};\n",
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
