# SPDX-License-Identifier: GPL-3.0-or-later
"""A site with many devices, collections and deployments, made through its API as an administrator's script would."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "system"))

from monitoring_test import SEQUENCE  # noqa: E402
from security_test import CONFIG, Failed, Site, UnixConnection, expect, insert  # noqa: E402, F401

CSV_LINES = 1000
SETTINGS = """[site]
address = 127.0.0.1
requests-per-second = 0
address-requests-per-second = 0
deployment-usual-size = 0
deployment-max-size = 0
unknown-computers = yes
"""


@dataclass
class Size:
    devices: int
    collections: int  # in all
    queries: int  # of them with a query rule; as many include one of those, the rest have direct members
    deployments: int


def mac_of(number: int) -> str:
    return "52:54:" + ":".join(f"{number >> shift & 255:02x}" for shift in (24, 16, 8, 0))


def name_of(number: int) -> str:
    return f"PC-{number:06}"


def add_devices(site: Site, first: int, n: int):
    for begin in range(first, first + n, CSV_LINES):
        lines = [f"{name_of(i)},{mac_of(i)}" for i in range(begin, min(begin + CSV_LINES, first + n))]
        answer = site.must("POST", "/devices:import", {"csv": "name,mac\n" + "\n".join(lines) + "\n"})
        expect(answer["is_imported"], f"the import of {len(lines)} devices: {answer}")


def rule_of(number: int, size: Size) -> dict:
    """The query rules find a thousandth of the devices each."""
    if number < size.queries:
        return {"type": "query", "name": "q", "filter": f"name endswith '{number % 1000:03}' and is_blocked eq false"}
    if number < 2 * size.queries:
        return {"type": "include", "collection": collection_of(number - size.queries)}
    return {"type": "direct", "device": name_of(number * 97 % size.devices)}


def collection_of(number: int) -> str:
    return f"C{number:04}"


def add_collections(site: Site, size: Size):
    for i in range(size.collections):
        site.must("POST", "/collections", {"name": collection_of(i)})
        site.must("POST", f"/collections/{collection_of(i)}/rules", rule_of(i, size))


def add_deployments(site: Site, size: Size):
    sequence = site.must("POST", "/task-sequences", {"name": "Played", "xml": SEQUENCE})["id"]
    for i in range(size.deployments):
        target = collection_of(i * 4 % size.collections)
        body = {"task_sequence_id": sequence, "collection": target, "purpose": "available" if i % 2 else "required"}
        site.must("POST", "/deployments", body)


def wait_evaluated(site: Site, collection: str, n: int, limit_s=300):
    """Until a collection has so many members: the evaluation in full of all that was added is over."""
    deadline = time.monotonic() + limit_s
    while True:
        found = site.must("GET", f"/collections/{collection}")["n_members"]
        if found >= n:
            return
        expect(time.monotonic() < deadline, f"{collection} has {found} of {n} members")
        time.sleep(0.2)


def fill(site: Site, size: Size, say):
    for what, how in (("devices", lambda: add_devices(site, 0, size.devices)), ("collections", lambda: add_collections(site, size)),
                      ("deployments", lambda: add_deployments(site, size))):
        begin = time.monotonic()
        how()
        say(f"{getattr(size, what)} {what} in {time.monotonic() - begin:.1f} s")
    if size.queries:
        wait_evaluated(site, collection_of(size.queries - 1), size.devices // 1000)
