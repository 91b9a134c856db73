#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that hold for all of the administrators' API, against a running site: in a network namespace, no virtual machine.

usage: api_rules.py BUILD_DIR api-rules
"""

import sys
from urllib.parse import quote

from security_test import Site, expect, run_in_namespace

N_DEVICES = 25


def fill(site: Site):
    lines = ["name,mac"] + [f"PC-{n * 7 % N_DEVICES:02d},52:54:00:99:00:{n:02x}" for n in range(N_DEVICES)]
    site.must("POST", "/devices:import", {"csv": "\n".join(lines)})
    for n in range(5):
        site.must("POST", "/collections", {"name": f"Room {n}", "comment": "even" if n % 2 == 0 else "odd"})


def walk(site: Site, path: str, limit: int) -> list:
    """All items of a list, page by page; the header Link says the same as `next`."""
    found, address = [], f"{path}{'&' if '?' in path else '?'}limit={limit}"
    while address:
        status, page, answer = site.call("GET", address)
        expect(status == 200 and len(page["items"]) <= limit, f"{address}: {status} {page}")
        if not page["items"] and address.startswith("/audit-log"):
            return found  # a log always has a next page
        found += page["items"]
        link = answer.getheader("Link")
        expect(bool(link) == bool(page["next"]), f"{address}: Link {link}, next {page['next']}")
        expect(not link or link.endswith('; rel="next"') and page["next"] in link, f"{address}: {link}")
        address = link[len("</api/v1") : link.index(">")] if link else None
    return found


def refused(site: Site, path: str, error_id: str, parameter=None):
    status, answer, headers = site.call("GET", path)
    expect((status, answer["error_id"]) == (400, error_id), f"{path}: {status} {answer}")
    expect(answer["request_id"] == headers.getheader("X-Request-Id") == "test", f"{path}: {answer}")
    if parameter:
        expect(answer["errors"][0]["parameter"] == parameter, f"{path}: {answer}")


def lists_are_asked_in_one_way(site: Site):
    names = [item["name"] for item in walk(site, "/devices?order_by=name", 4)]
    computers = [name for name in names if name.startswith("PC-")]
    expect(computers == [f"PC-{n:02d}" for n in range(N_DEVICES)], f"by name: {names}")
    expect(names == sorted(names, key=str.lower), f"by name: {names}")
    back = [item["name"] for item in walk(site, "/devices?order_by=" + quote("name desc"), 7)]
    expect(back == names[::-1], f"from behind: {back}")
    some = walk(site, "/devices?order_by=name&fields=name&filter=" + quote("name ge 'pc-20' and name startswith 'pc'"), 3)
    expect([set(item) for item in some] == [{"id", "name"}] * 5, f"fields: {some}")
    odd = walk(site, "/collections?filter=" + quote("comment eq 'odd' and is_builtin eq false"), 1)
    expect([item["name"] for item in odd] == ["Room 1", "Room 3"], f"a filter: {odd}")
    plain, filtered = walk(site, "/audit-log", 3), walk(site, "/audit-log?filter=" + quote("action eq 'collection.create'"), 2)
    expect(filtered == [r for r in plain if r["action"] == "collection.create"] and len(filtered) == 5, f"{filtered}")
    latest = site.must("GET", "/audit-log?order_by=" + quote("number desc") + "&limit=1")["items"][0]
    expect(latest == plain[-1], f"the last record: {latest}")
    whole = site.must("GET", "/reports?order_by=title")["items"]
    expect(walk(site, "/reports?order_by=title", 2) == whole and len(whole) > 3, f"{whole}")


def wrong_questions_name_what_is_wrong(site: Site):
    cursor = site.must("GET", "/devices?limit=1")["next"]
    refused(site, "/devices?limt=1", "SLW-0102", "limt")
    refused(site, "/devices?limit=1&limit=2", "SLW-0102", "limit")
    refused(site, "/devices?limit=0", "SLW-0102", "limit")
    refused(site, "/devices?order_by=colour", "SLW-0102", "order_by")
    refused(site, "/devices?fields=name,colour", "SLW-0102", "fields")
    refused(site, "/collections?filter=" + quote("colour eq 'red'"), "SLW-0140")
    refused(site, "/devices/PC-01?x=1", "SLW-0102", "x")
    for other in (f"/collections?after={cursor}", f"/devices?order_by=name&after={cursor}", "/devices?after=SLP00001"):
        refused(site, other, "SLW-0121")
    status, answer, _ = site.call("POST", "/collections", {"nme": "x"})
    expect((status, answer["errors"][0]["pointer"]) == (400, "/nme"), f"a body: {status} {answer}")


def api_rules(site: Site):
    fill(site)
    lists_are_asked_in_one_way(site)
    wrong_questions_name_what_is_wrong(site)


def main() -> int:
    return run_in_namespace(api_rules)


if __name__ == "__main__":
    sys.exit(main())
