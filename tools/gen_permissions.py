#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the table of what each operation of the API needs and takes, out of its contract.

usage: gen_permissions.py OPENAPI_YAML OUT.c

tools/check_openapi.py has checked the contract; what is missing in it is missing here, and such an operation is refused.
"""

import re
import sys
from pathlib import Path

import yaml

METHODS = ("get", "put", "post", "delete", "head", "patch")
WITHOUT_OBJECT = ("public", "own", "internal", "client", "none")
OPEN = ("public", "internal", "client")
IDENTITIES = ("id", "number", "device_id", "name", "user", "version")
TYPES = {"integer": "FILTER_NUMBER", "number": "FILTER_NUMBER", "boolean": "FILTER_TRUTH"}


class Contract:
    """The contract with its references followed."""

    def __init__(self, root: dict):
        self.root = root

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            found = self.root
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            node = found
        return node or {}

    def members(self, schema) -> dict:
        schema = self.follow(schema)
        found = {}
        for part in schema.get("allOf", []):
            found.update(self.members(part))
        found.update(schema.get("properties", {}))
        return found

    def answer(self, operation: dict) -> dict:
        """The schema of what a GET answers as JSON; {} if it answers something else."""
        response = self.follow(operation["responses"].get("200", {}))
        return self.follow(response.get("content", {}).get("application/json", {}).get("schema", {}))

    def queries(self, item: dict, operation: dict) -> list:
        found = [self.follow(one) for one in item.get("parameters", []) + operation.get("parameters", [])]
        return [one["name"] for one in found if one["in"] == "query"]

    def kind_of_get(self, path: str) -> str:
        """What GET of a path answers: "object", "whole" or "pages" (of a list), "" (no JSON for administrators)."""
        operation = self.root["paths"].get(path, {}).get("get")
        if not operation or operation["x-slipway-permission"]["class"] in OPEN:
            return ""
        answer = self.answer(operation)
        if not answer or "items" not in self.members(answer):
            return "object" if answer else ""
        return "pages" if "next" in answer.get("required", []) else "whole"

    def shown_by(self, path: str, method: str) -> str:
        """The path whose GET shows what a change is based on: its own or the nearest above it."""
        if method != "get" and not self.has(self.root["paths"][path][method], "IfMatch"):
            return ""
        while path:
            kind = self.kind_of_get(path)
            if kind == "object" or (kind == "whole" and "{" in path):
                return path
            if kind == "pages" or method == "get":
                return ""
            path = path.rpartition("/")[0]
        return ""

    def has(self, operation: dict, name: str) -> bool:
        return any(one.get("$ref", "").endswith("/parameters/" + name) for one in operation.get("parameters", []))


def text(value) -> str:
    return f'"{value}"' if value else "NULL"


def flag(value) -> str:
    return "true" if value else "false"


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


def property_of(contract: Contract, name: str, schema) -> str:
    """A row for the filter; None if the member has no value that could be compared."""
    schema = contract.follow(schema)
    kinds = schema.get("type", "string")
    kinds = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    is_many = kinds == ["array"]
    if is_many:
        schema = contract.follow(schema.get("items", {}))
        kinds = [schema.get("type", "object")]
    if "object" in kinds or "array" in kinds:
        return None
    kind = TYPES.get(kinds[0], "FILTER_TEXT")
    if kind == "FILTER_TEXT" and (schema.get("format") == "date-time" or name.endswith("_at")):
        kind = "FILTER_TIME"
    return f"{{{text(name)}, {kind}, {flag(is_many)}, 0}}"


def tables_of(contract: Contract, item: dict, method: str) -> tuple:
    """Texts of the tables that an operation needs for itself, and the names that its row has for them."""
    operation = item[method]
    name = operation["operationId"]
    kind = operation["x-slipway-permission"]["class"]
    # what a provider adds to the way back to us is not ours to refuse
    if kind in OPEN and (kind != "public" or method == "get"):
        return "", "NULL", "NULL"
    rows = [text(one) for one in contract.queries(item, operation)]
    made = f"static const char *const queries_{name}[] = {{{', '.join(rows + ['NULL'])}}};\n"
    page = contract.answer(operation) if method == "get" else {}
    answer = contract.members(page)
    if "items" not in answer:
        return made, f"queries_{name}", "NULL"
    members = contract.members(contract.follow(answer["items"]).get("items", {}))
    members = {name: schema for name, schema in members.items() if name not in operation.get("x-slipway-list-without", [])}
    rows = [property_of(contract, one, schema) for one, schema in members.items()]
    made += f"static const struct filter_property items_{name}[] = {{{', '.join([one for one in rows if one] + ['{0}'])}}};\n"
    made += f"static const char *const names_{name}[] = {{{', '.join([text(one) for one in members] + ['NULL'])}}};\n"
    identity = next((one for one in IDENTITIES if one in members), None)
    made += (
        f"static const struct permission_list list_{name} = {{items_{name}, names_{name}, {text(identity)}, "
        f"{flag('next' not in page.get('required', []))}, {flag(contract.has(operation, 'Filter'))}, {flag(contract.has(operation, 'OrderBy'))}, "
        f"{flag(contract.has(operation, 'Fields'))}, {flag(operation.get('x-slipway-by-name'))}}};\n"
    )
    return made, f"queries_{name}", f"&list_{name}"


def etag_of(contract: Contract, path: str, method: str) -> str:
    """Where the ETag is of, and the members that do not count for it, between blanks."""
    shown_by = contract.shown_by(path, method)
    if not shown_by:
        return "NULL, NULL"
    without = contract.root["paths"][shown_by]["get"].get("x-slipway-etag-without", [])
    return f"{text('/api/v1' + shown_by)}, {text(' ' + ' '.join(without) + ' ')}"


def row_of(contract: Contract, path: str, method: str) -> tuple:
    item = contract.root["paths"][path]
    operation = item[method]
    permission = operation["x-slipway-permission"]
    of_class, name = object_of(path, permission)
    tables, queries, of_list = tables_of(contract, item, method)
    return tables, (
        f"    {{{text(method.upper())}, {text('/api/v1' + path)}, {text(operation['operationId'])}, "
        f"{text(permission['class'])}, {text(permission['verb'])}, {text(of_class)}, {text(name)}, "
        f"{flag(permission.get('unseen', False))}, {also_of(permission)}, {queries}, {flag(contract.has(operation, 'IdempotencyKey'))}, {of_list}, {etag_of(contract, path, method)}}},\n"
    )


def main() -> int:
    contract = Contract(yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8")))
    made = [
        row_of(contract, path, method)
        for path, item in contract.root["paths"].items()
        for method in METHODS
        if method in item
    ]
    Path(sys.argv[2]).write_text(
        "/* SPDX-License-Identifier: GPL-3.0-or-later */\n\n/* Made by tools/gen_permissions.py. */\n\n"
        '#include "site/permission.h"\n\n#include <stddef.h>\n\n'
        + "".join(tables for tables, _ in made)
        + "\nconst struct permission permissions[] = {\n"
        + "".join(row for _, row in made)
        + "    {.method = NULL},\n};\n",
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
