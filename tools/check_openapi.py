#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if the API's contract breaks its own rules.

usage: check_openapi.py OPENAPI_YAML
"""

import re
import sys

import yaml

OPEN_CLASSES = {"public", "internal"}
METHODS = {"get", "put", "post", "delete", "head", "patch"}
SEGMENT = re.compile(r"^([a-z][a-z0-9]*(-[a-z0-9]+)*(:[a-z-]+)?|\{[a-z_]+\})$")
WORD = re.compile(r"^[a-z]+(-[a-z]+)*$")
MEMBER = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")


class StrictLoader(yaml.SafeLoader):
    """YAML itself lets the last of two equal keys win."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: given twice: {', '.join(twice)}")
        return super().construct_mapping(node, deep)


def resolve(root, ref):
    if not ref.startswith("#/"):
        return None
    for name in ref[2:].split("/"):
        if not isinstance(root, dict) or name not in root:
            return None
        root = root[name]
    return root


def walk(node, where=""):
    yield where, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f"{where}/{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from walk(value, f"{where}/{number}")


def check_schemas(root):
    for where, node in walk(root):
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("$ref"), str) and resolve(root, node["$ref"]) is None:
            yield f"{where}: {node['$ref']} leads nowhere"
        properties = node.get("properties")
        if isinstance(properties, dict) and not where.endswith("/properties"):
            yield from (f"{where}: {name} is not snake_case" for name in properties if not MEMBER.match(name))
            missing = set(node.get("required", [])) - set(properties)
            yield from (f"{where}: requires {name}, which it does not have" for name in sorted(missing))


def is_problem(root, response):
    if "$ref" in response:
        response = resolve(root, response["$ref"]) or {}
    return "application/problem+json" in response.get("content", {})


def check_parameters(root, path, item, operation):
    found = item.get("parameters", []) + operation.get("parameters", [])
    found = [resolve(root, one["$ref"]) if "$ref" in one else one for one in found]
    given = {one["name"] for one in found if one and one["in"] == "path"}
    wanted = set(re.findall(r"\{(\w+)\}", path))
    if given != wanted:
        yield f"path has {sorted(wanted)}, parameters {sorted(given)}"


def check_also(root, path, operation, one):
    # without both: by whatever role; the rule knows of which thing
    if set(one) not in ({"class", "verb", "member"}, {"class", "verb", "param"}, {"class", "verb"}):
        yield f"has a further permission that is not a class and a verb, of a member, of a parameter or in general: {one}"
    if "param" in one and "{" + one["param"] + "}" not in path:
        yield f"has a permission for the parameter {one['param']}, which it has not"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    body = resolve(root, body["$ref"]) if "$ref" in body else body
    if "member" in one and one["member"] not in body.get("properties", {}):
        yield f"has a permission for the member {one['member']}, which it has not"


def check_permission(root, path, operation):
    """`{class, verb}` of every operation: the guard of the site is made of them, and knows nothing else."""
    permission = operation.get("x-slipway-permission")
    if not isinstance(permission, dict) or not {"class", "verb"} <= set(permission):
        yield "has no x-slipway-permission with class and verb"
        return
    unknown = set(permission) - {"class", "verb", "object", "param", "unseen", "also"}
    if unknown:
        yield f"has a permission with unknown members {sorted(unknown)}"
    yield from (f"has a permission that is no word: {w}" for w in (permission["class"], permission["verb"]) if not WORD.match(w))
    if "param" in permission and "{" + permission["param"] + "}" not in path:
        yield f"has a permission for the parameter {permission['param']}, which it has not"
    if (permission["class"] in OPEN_CLASSES) != (operation.get("security") == []):
        yield "permission and security do not agree"
    for one in permission.get("also", []):
        yield from check_also(root, path, operation, one)


def check_list(root, operation):
    """What the items of a list lack is what their schema has."""
    without = operation.get("x-slipway-list-without")
    if without is None:
        return
    page = operation["responses"]["200"]["content"]["application/json"]["schema"]
    members, left = set(), [page]
    while left:
        one = left.pop()
        one = resolve(root, one["$ref"]) if "$ref" in one else one
        one = one["properties"]["items"]["items"] if "items" in one.get("properties", {}) and not members else one
        one = resolve(root, one["$ref"]) if "$ref" in one else one
        members |= set(one.get("properties", {}))
        left += one.get("allOf", [])
    if unknown := set(without) - members:
        yield f"has lists without what their items do not have: {sorted(unknown)}"


def check_operation(root, path, item, operation):
    for name in ("operationId", "summary", "tags"):
        if not operation.get(name):
            yield f"has no {name}"
    responses = operation.get("responses", {})
    if not any(str(status).startswith("2") for status in responses):
        yield "has no 2xx response"
    if not any(is_problem(root, response) for response in responses.values()):
        yield "has no problem response"
    if not all(isinstance(status, str) for status in responses):
        yield "has a status that is not text"
    unknown = set(operation.get("tags", [])) - {tag["name"] for tag in root["tags"]}
    if unknown:
        yield f"has unknown tags {sorted(unknown)}"
    yield from check_permission(root, path, operation)
    yield from check_list(root, operation)
    yield from check_parameters(root, path, item, operation)


def check(root):
    if not str(root.get("openapi", "")).startswith("3.1."):
        yield "not OpenAPI 3.1"
    yield from check_schemas(root)
    seen = set()
    for path, item in root["paths"].items():
        if not all(SEGMENT.match(segment) for segment in path.lstrip("/").split("/")):
            yield f"{path}: not kebab-case"
        for method in METHODS & set(item):
            operation = item[method]
            yield from (f"{method.upper()} {path}: {what}" for what in check_operation(root, path, item, operation))
            if operation.get("operationId") in seen:
                yield f"{method.upper()} {path}: operationId is used twice"
            seen.add(operation.get("operationId"))


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        root = yaml.load(file, Loader=StrictLoader)
    bad = list(check(root))
    for line in bad:
        print(f"openapi: {line}")
    print(f"openapi: {len(bad)} errors" if bad else f"openapi: ok, {len(root['paths'])} paths")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
