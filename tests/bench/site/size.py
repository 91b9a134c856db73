# SPDX-License-Identifier: GPL-3.0-or-later
"""What a large site takes: memory, time to start, time to list, search and open, time until a change is in the collections."""

import time
import urllib.parse

from data import Size, collection_of, expect, fill, name_of
from measure import Row
from place import Bench

MIB = 1 << 20
ASKED = 100  # times each
LIMIT_MS = 100
SETTLE_S = 3
CHANGES = 50


def part(values: list, permille: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * permille // 1000)]


def ask(site: Bench, path: str):
    """A page of a list as a person wants it: with a filter its pages are asked for until something is found, or all was looked at."""
    answer = site.must("GET", path)
    while "filter=" in path and not answer["items"] and answer["next"]:
        answer = site.must("GET", f"{path}&after={answer['next']}")
    expect("filter=" not in path or answer["items"], f"nothing was found by {path}")


def timed_ms(site: Bench, *paths: str) -> list:
    """Milliseconds of each of some questions, taken in turns from the paths; the first of each is not counted."""
    found = []
    for path in paths:
        ask(site, path)
    for i in range(ASKED_LONG if any(word in paths[0] for word in LONG) else ASKED):
        begin = time.monotonic()
        ask(site, paths[i % len(paths)])
        found.append((time.monotonic() - begin) * 1000)
    return found


def filtered(text: str) -> str:
    return "/devices?limit=100&filter=" + urllib.parse.quote(text)


ASKED_LONG = 10  # of what looks at each device
LONG = ("order_by=", "contains")


def questions(size: Size) -> dict:
    last = name_of(size.devices - 1)
    return {
        "list devices": ["/devices?limit=100"],
        "list collections and deployments": ["/collections?limit=100", "/deployments?limit=100"],
        "search devices by name": [filtered(f"name eq '{last}'"), filtered(f"name startswith '{last[:-2]}'")],
        "search devices by a part of the name": [filtered(f"name contains '{last[-4:]}'")],
        "list devices in the order of their names": ["/devices?limit=100&order_by=name"],
        "open a device": [f"/devices/{name_of(i * 97 % size.devices)}" for i in range(20)],
    }


def measure_questions(site: Bench, size: Size):
    for what, paths in questions(size).items():
        took = timed_ms(site, *paths)
        each = {path: part(timed_ms(site, path), 500) for path in paths} if 1 < len(paths) <= 3 else {}
        why = ", ".join(f"{urllib.parse.unquote(path)} {ms:.1f} ms" for path, ms in each.items())
        yield Row(f"size: {what}", f"99 % within {part(took, 990):.1f} ms, half within {part(took, 500):.1f} ms", f"{LIMIT_MS} ms",
                  part(took, 990) / LIMIT_MS, 1.0, True, why=why)


def measure_membership(site: Bench, size: Size):
    """A device is renamed; then the collection with the query that its new name fits has it, and the one that includes it."""
    took = []
    for i in range(CHANGES):
        number = i * 13 % 1000 % size.queries
        query = collection_of(number)
        device = name_of(size.devices - 1 - i * 1001 % size.devices)
        before = site.must("GET", f"/collections/{query}")["n_members"]
        begin = time.monotonic()
        site.must("PATCH", f"/devices/{device}", {"name": f"NEW-{i:02}-{number:03}"})
        while site.must("GET", f"/collections/{query}")["n_members"] != before + 1:
            expect(time.monotonic() < begin + 10, f"{device} is not in {query}")
            time.sleep(0.002)
        took.append(time.monotonic() - begin)
    yield Row("size: a change is in its collections", f"{max(took) * 1000:.0f} ms at most, half within {part(took, 500) * 1000:.0f} ms", "1 s",
              max(took), 1.0, True)


def memory_row(site: Bench, what: str, limit_mib: int):
    time.sleep(SETTLE_S)
    found = site.memory()
    total = sum(found.values())
    return Row(f"size: memory, {what}", f"{total / MIB:.1f} MiB", f"{limit_mib} MiB", total / MIB / limit_mib, 1.0, True,
               why=", ".join(f"{role} {used / MIB:.1f} MiB" for role, used in found.items()))


def measure_size(bench):
    size = bench.sizes.site
    with Bench(bench.build) as site:
        yield memory_row(site, "empty site", 64)
        fill(site, size, bench.say)
        yield from measure_questions(site, size)
        yield from measure_membership(site, size)
        yield memory_row(site, f"{size.devices} devices", 512)
        site.stop()
        begin = time.monotonic()
        site.start()
        took = time.monotonic() - begin
        site.must("GET", "/devices?limit=1")
        yield Row("size: start", f"{took:.2f} s", "3 s", took / 3, 1.0, True)
