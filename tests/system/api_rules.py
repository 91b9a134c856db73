#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that hold for all of the administrators' API, against a running site: in a network namespace, no virtual machine.

usage: api_rules.py BUILD_DIR api-rules
"""

import csv
import hashlib
import io
import json
import re
import sys
import time
from urllib.parse import quote

from security_test import Cli, Site, expect, run_in_namespace

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
    expect(filtered == [r for r in plain if r["action"] == "collection.create"] and len(filtered) >= 5, f"{filtered}")
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


def what_time_changes_is_no_change(site: Site, collection: str):
    """The ETag of a list is made of its items without what changes by itself."""
    schedule = {"start": "2026-01-01T00:00", "repeat": "minutes", "every": 2, "duration_min": 1}
    site.must("POST", f"/collections/{collection}/windows", {"name": "often", "schedule": schedule})
    status, answer, headers = site.call("GET", f"/collections/{collection}/windows")
    expect(status == 200 and answer["items"][0]["next_at"], f"windows: {status} {answer}")
    kept = [{name: one[name] for name in one if name not in ("is_open", "open_until", "next_at")} for one in answer["items"]]
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expect(headers.getheader("ETag") == f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"', f"ETag of {text}: {headers.getheader('ETag')}")


def changes_are_based_on_what_was_seen(site: Site):
    room = site.must("POST", "/collections", {"name": "Lab", "comment": "old"})["id"]
    etag = site.call("GET", f"/collections/{room}")[2].getheader("ETag")
    expect(re.fullmatch('"[0-9a-f]{32}"', etag), f"ETag {etag}")
    site.must("POST", f"/collections/{room}/members", {"device": "PC-01"})
    expect(site.call("GET", f"/collections/{room}")[2].getheader("ETag") == etag, "a member is another ETag")
    site.must("PATCH", f"/collections/{room}", {"comment": "mine"}, headers={"If-Match": f'"x", {etag}'})
    status, answer, headers = site.call("PATCH", f"/collections/{room}", {"comment": "yours"}, headers={"If-Match": etag})
    expect((status, answer["error_id"]) == (412, "SLW-0122"), f"a stale change: {status} {answer}")
    now = headers.getheader("ETag")
    expect(now not in (None, etag) and site.must("GET", f"/collections/{room}")["comment"] == "mine", f"{now}")
    expect(site.call("DELETE", f"/collections/{room}", headers={"If-Match": "W/" + now})[0] == 412, "a weak ETag is good")
    rules = site.call("GET", f"/collections/{room}/rules")[2].getheader("ETag")
    rule = {"type": "query", "name": "all", "filter": "name startswith 'PC'"}
    site.must("POST", f"/collections/{room}/rules", rule, headers={"If-Match": rules})
    expect(site.call("POST", f"/collections/{room}/rules", rule, headers={"If-Match": rules})[0] == 412, "a stale list")
    what_time_changes_is_no_change(site, room)
    # sent again, it is not compared with what it has itself made of it
    again = {"If-Match": site.call("GET", f"/collections/{room}/rules")[2].getheader("ETag"), "Idempotency-Key": "the-same-rule-again-0001"}
    rule = {**rule, "name": "again"}
    made = site.must("POST", f"/collections/{room}/rules", rule, headers=again)
    status, answer, headers = site.call("POST", f"/collections/{room}/rules", rule, headers=again)
    expect((status, answer, headers.getheader("Idempotency-Replayed")) == (201, made, "true"), f"sent again: {status} {answer}")
    stale = {**again, "Idempotency-Key": "the-same-rule-again-0002"}
    expect(site.call("POST", f"/collections/{room}/rules", {**rule, "name": "stale"}, headers=stale)[0] == 412, "a stale list with a name")
    status, answer, _ = site.call("POST", "/collections", {"name": "x"}, headers={"If-Match": etag})
    expect((status, answer["errors"][0]["header"]) == (400, "If-Match"), f"nothing to compare: {status} {answer}")
    site.must("DELETE", f"/collections/{room}", headers={"If-Match": "*"})
    expect(site.call("DELETE", f"/collections/{room}", headers={"If-Match": "*"})[0] == 404, "it was deleted")


def a_request_with_a_name_is_done_once(site: Site):
    body, key = {"name": "Once"}, {"Idempotency-Key": "0123456789abcdef-1"}
    first = site.must("POST", "/collections", body, headers=key)
    status, again, headers = site.call("POST", "/collections", body, headers=key)
    expect((status, again, headers.getheader("Idempotency-Replayed")) == (201, first, "true"), f"again: {status} {again}")
    status, answer, _ = site.call("POST", "/collections", {"name": "Other"}, headers=key)
    expect((status, answer["error_id"]) == (422, "SLW-0123"), f"another body: {status} {answer}")
    status, answer, _ = site.call("POST", "/collections", body, headers={"Idempotency-Key": "short"})
    expect((status, answer["errors"][0]["header"]) == (400, "Idempotency-Key"), f"a short one: {status} {answer}")
    secret = site.must("POST", "/tokens", {"name": "kept"}, headers={"Idempotency-Key": "0123456789abcdef-2"})["token"]
    other = site.new_administrator("dora", ("Full Administrator", {"scope": "All"}))
    expect(site.call("POST", "/collections", body, token=other, headers=key)[0] == 409, "a key is another's")
    site.stop()
    data = b"".join(path.read_bytes() for path in (site.work / "state" / "site").iterdir() if path.is_file())
    expect(secret.encode() not in data and key["Idempotency-Key"].encode() not in data, "a secret is in the database")
    site.start()
    again = site.must("POST", "/tokens", {"name": "kept"}, headers={"Idempotency-Key": "0123456789abcdef-2"})
    expect(again["token"] == secret, f"after a restart: {again}")
    for text in ("<a/>", "<b/>"):  # a question has no answer that would have to be kept
        status, answer, headers = site.call("POST", "/task-sequences:validate", {"xml": text}, headers={"Idempotency-Key": "0123456789abcdef-4"})
        expect(status != 422 or answer["error_id"] != "SLW-0123", f"a validation was kept: {status} {answer}")
        expect(not headers.getheader("Idempotency-Replayed"), f"a validation was answered from memory: {answer}")
    refused_first = {"Idempotency-Key": "0123456789abcdef-3"}
    expect(site.call("POST", "/collections", body, headers=refused_first)[0] == 409, "there are two of one name")
    site.must("DELETE", f"/collections/{first['id']}")
    site.must("POST", "/collections", body, headers=refused_first)


def what_is_only_tried_changes_nothing(site: Site):
    before = (site.must("GET", "/collections"), walk(site, "/audit-log", 100))
    tried = site.must("POST", "/collections?validate_only=true", {"name": "Tried"})
    expect(tried["name"] == "Tried", f"{tried}")
    site.must("PATCH", f"/collections/{before[0]['items'][-1]['id']}?validate_only=true", {"comment": "tried"})
    site.must("DELETE", f"/collections/{before[0]['items'][-1]['id']}?validate_only=true")
    expect(site.call("POST", "/collections?validate_only=true", {"name": "Room 1"})[0] == 409, "a try is not judged")
    refused_answer = site.call("POST", "/collections?validate_only=maybe", {"name": "Tried"})
    expect(refused_answer[0] == 400 and refused_answer[1]["errors"][0]["parameter"] == "validate_only", f"{refused_answer[1]}")
    expect((site.must("GET", "/collections"), walk(site, "/audit-log", 100)) == before, "a try has changed something")
    made = site.must("POST", "/collections", {"name": "Tried"})
    expect(made["name"] == "Tried", f"{made}")


def a_list_is_one_csv(site: Site):
    lines = list(csv.reader(io.StringIO(site.must("GET", "/devices?format=csv&fields=name,macs").decode())))
    expect(lines[0] == ["name", "macs"] and len(lines) == 1 + len(walk(site, "/devices", 100)), f"{lines}")
    text = site.must("GET", "/devices?format=csv&fields=name&filter=" + quote("name eq 'PC-03'")).decode()
    expect(text == 'name\r\n"PC-03"\r\n', f"{text}")
    refused(site, "/devices?format=csv&limit=3", "SLW-0102", "format")
    refused(site, "/devices?format=xml", "SLW-0102", "format")


def who_asks_too_often_waits(site: Site):
    token = site.new_administrator("eager", ("Full Administrator", {"scope": "All"}))
    statuses = [site.call("GET", "/reports", token=token)[0] for _ in range(80)]
    expect(set(statuses) == {200, 429}, f"{statuses}")
    status, answer, headers = site.call("GET", "/reports", token=token)
    if status == 429:
        expect(answer["error_id"] == "SLW-0124" and headers.getheader("Retry-After") == "1", f"{answer}")
    cli = Cli(site, "eager")
    cli.env.update({"SLIPWAY_URL": cli.url, "SLIPWAY_TOKEN": token})
    for _ in range(12):  # more than it may at once: it waits as long as it is told
        cli.run("report")
    time.sleep(1.2)
    site.must("GET", "/reports", token=token)


def limited(site: Site):
    site.stop()
    conf = site.work / "conf"
    conf.write_text(conf.read_text(encoding="utf-8") + "[site]\nrequests-per-second = 5\n", encoding="utf-8")
    site.start()
    who_asks_too_often_waits(site)


def api_rules(site: Site):
    fill(site)
    changes_are_based_on_what_was_seen(site)
    a_request_with_a_name_is_done_once(site)
    what_is_only_tried_changes_nothing(site)
    a_list_is_one_csv(site)
    lists_are_asked_in_one_way(site)
    wrong_questions_name_what_is_wrong(site)
    limited(site)


def main() -> int:
    return run_in_namespace(api_rules)


if __name__ == "__main__":
    sys.exit(main())
