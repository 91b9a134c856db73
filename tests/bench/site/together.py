# SPDX-License-Identifier: GPL-3.0-or-later
"""The same agents at two site servers on one PostgreSQL behind haproxy, which are killed one after the other."""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from boot import IMAGE
from data import SEQUENCE, add_devices, expect
from database_test import ask, make_database
from measure import Row
from place import PXE_USER, ROLES_GROUP
from two_sites import KEPT_OF_ORDER, Server, balancer

ROOT = Path(__file__).resolve().parents[3]
UNDISTURBED_S, REST_S = 10, 8
WORK_S = 300  # at most; it is ended when both have been killed
KILLS_S = 4 * REST_S
RATE_PER_S = 400


def postgresql():
    """The class of tools/with_postgresql, which is a program."""
    loader = importlib.machinery.SourceFileLoader("with_postgresql", str(ROOT / "tools/with_postgresql"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("with_postgresql", loader))
    loader.exec_module(module)
    programs = module.find_programs()
    expect(programs is not None, "PostgreSQL is not installed")
    return module.Server(programs)


def insert(address: str, table: str, **values):
    """A row; what must be there and is not given is empty."""
    wanted = ask(address, "SELECT column_name, data_type FROM information_schema.columns WHERE is_nullable = 'NO' AND column_default IS NULL "
                          f"AND is_identity = 'NO' AND table_name = '{table}'")
    for line in wanted.splitlines():
        name, kind = line.split("|")
        values.setdefault(name, "" if kind == "text" else 0)
    texts = ", ".join(f"'{value}'" for value in values.values())
    ask(address, f"INSERT INTO {table} ({', '.join(values)}) VALUES ({texts})")


def prepare(site: Server, address: str, n: int):
    add_devices(site, 0, n)
    sequence = site.must("POST", "/task-sequences", {"name": "Played", "xml": SEQUENCE})["id"]
    site.must("POST", "/deployments", {"task_sequence_id": sequence, "collection": "All Systems", "purpose": "required"})
    now = int(time.time() * 1e6)
    insert(address, "package", id=IMAGE, kind="boot-image", name="Bench", arch="x64", state="ready", priority="high", created_us=now,
           current_version=1)
    insert(address, "content_version", package_id=IMAGE, number=1, state="ready", created_us=now, ready_us=now)
    insert(address, "distribution_version", dp_id="DP00001", package_id=IMAGE, version=1, present_us=now)


def begin_agents(bench, site: Server, acknowledged: Path, seconds: int) -> subprocess.Popen:
    command = [bench.build / "tests/bench/slipway-sim", "agents", "--site", "127.0.0.1:443", "--pin", site.pin().decode().strip(),
               "--roles", site.work / "state/run/roles.sock", "--count", bench.sizes.agents, "--rate", RATE_PER_S, "--seconds", seconds,
               "--acknowledged", acknowledged]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True, user=PXE_USER, group=PXE_USER,
                            extra_groups=[ROLES_GROUP])


def end_agents(process: subprocess.Popen) -> dict:
    out, _ = process.communicate(timeout=WORK_S)
    expect(out, f"slipway-sim ended with {process.returncode}")
    return json.loads(out)


def lost(address: str, acknowledged: Path) -> int:
    """Reports that were acknowledged and are not there; of one order the site keeps so many."""
    rows = {tuple(line.split("|")) for line in ask(address, "SELECT order_id, seq FROM status_message").splitlines()}
    n = 0
    for line in acknowledged.read_text(encoding="ascii").splitlines():
        order, last = line.split()
        n += sum((order, str(seq)) not in rows for seq in range(max(1, int(last) - KEPT_OF_ORDER), int(last) + 1))
    return n


def work(bench, servers: list, address: str, folder: Path):
    acknowledged = folder / "acknowledged"
    acknowledged.touch()
    os.chown(acknowledged, PXE_USER, PXE_USER)
    prepare(servers[0], address, bench.sizes.agents)
    quiet = end_agents(begin_agents(bench, servers[0], acknowledged, UNDISTURBED_S))
    yield Row("two sites: undisturbed", f"{quiet['requests_per_s']:.0f} requests/s, 99 % within {quiet['all']['p99_us'] / 1000:.1f} ms",
              f"{RATE_PER_S} requests/s", quiet["requests_per_s"] / RATE_PER_S, None)
    process = begin_agents(bench, servers[0], acknowledged, KILLS_S)
    time.sleep(REST_S)
    for server in servers:
        server.kill()
        time.sleep(REST_S / 2)
        server.start()
        time.sleep(REST_S / 2)
    found = end_agents(process)
    yield Row("two sites: each killed once", f"{found['requests_per_s']:.0f} requests/s, {found['report']['n']} reports acknowledged, "
              f"{found['n_again']} requests sent again, the longest took {found['all']['max_us'] / 1e6:.1f} s", f"{RATE_PER_S} requests/s",
              found["requests_per_s"] / RATE_PER_S, None)
    expect(found["n_again"] > 0, "nobody noticed that a server was killed")
    n_lost = lost(address, acknowledged) + found["n_failed"]
    yield Row("two sites: acknowledged and lost", str(n_lost), "0", float(n_lost), 0.0, True)


def measure_two_sites(bench):
    database = postgresql()
    try:
        database.start()
        os.environ["SLIPWAY_TEST_POSTGRESQL"] = f"postgresql:///?host={database.folder}&user=slipway"
        address = make_database("bench")
        with Server(bench.build, 1, address) as first, Server(bench.build, 2, address) as second, balancer(first.work), \
                tempfile.TemporaryDirectory(dir="/dev/shm") as name:
            Path(name).chmod(0o755)
            first.start()
            first.first_login()
            second.token = first.token
            (second.work / "state").mkdir(mode=0o755)
            subprocess.run(["cp", "-a", f"{first.work}/state/keys", f"{second.work}/state/"], check=True)
            second.start()
            yield from work(bench, [first, second], address, Path(name))
    finally:
        database.stop()
