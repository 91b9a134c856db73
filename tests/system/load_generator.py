#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""slipway-sim, with few clients: what it plays is what the site takes, and what it says is what the site has. No virtual machine.

usage: load_generator.py BUILD_DIR load-generator
"""

import contextlib
import shutil
import sqlite3
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bench/site"), str(HERE.parent / "bench/content")]

from data import add_devices  # noqa: E402
from place import SERVER_ADDRESS, Bench, clients_network, enter_namespace  # noqa: E402
from security_test import Failed, expect, skip  # noqa: E402

N_AGENTS, N_MACHINES, TFTP_EACH = 30, 20, 4
RATE_PER_S, SECONDS = 60, 3


def count(site: Bench, text: str, *values) -> int:
    with contextlib.closing(sqlite3.connect(site.state / "site/slipway.db")) as db:
        return db.execute(text, values).fetchone()[0]


def check_agents(site: Bench):
    found = site.agents("--count", N_AGENTS, "--rate", RATE_PER_S, "--seconds", SECONDS)
    expect(found["n_failed"] == 0 and found["registration"]["n"] == N_AGENTS, f"agents: {found}")
    expect(min(found[what]["n"] for what in ("order", "wish", "report")) > 0, f"something was never asked: {found}")
    kept = count(site, "SELECT count(*) FROM status_message")
    expect(kept >= N_AGENTS + found["report"]["n"], f"{found['report']['n']} reports were acknowledged, {kept} are kept")
    orders = count(site, "SELECT count(*) FROM orders WHERE state = 'in-progress'")
    expect(orders == N_AGENTS, f"{orders} orders are in progress")


def end_tokens(site: Bench):
    """Those in use, in the middle of the traffic."""
    time.sleep(SECONDS / 2)
    with contextlib.closing(sqlite3.connect(site.state / "site/slipway.db", timeout=30)) as db, db:
        db.execute("DELETE FROM device_token")


def check_tokens(site: Bench):
    """Agents get other tokens: when the time has come, and when the site takes theirs no more."""
    words = ["--count", N_AGENTS, "--rate", RATE_PER_S, "--seconds", SECONDS]
    found = site.agents(*words, "--renew", 1)
    expect(found["n_failed"] == 0 and found["token"]["n"] >= N_AGENTS, f"agents whose time has come: {found}")
    ending = threading.Thread(target=end_tokens, args=(site,))
    ending.start()
    found = site.agents(*words)
    ending.join()
    expect(found["n_failed"] == 0 and found["token"]["n"] > 0, f"agents whose tokens have ended: {found}")


def check_storm(site: Bench, boot_file: Path):
    words = ["--first", N_AGENTS, "--count", N_MACHINES, "--spread", 1, "--tftp-each", TFTP_EACH, "--limit", 60]
    found = site.storm("--boot-file", boot_file, *words)
    expect((found["n_done"], found["n_lost"]) == (N_MACHINES, 0), f"machines: {found}")
    expect(found["n_bytes"] >= N_MACHINES * boot_file.stat().st_size, f"too few bytes: {found}")
    expect(count(site, "SELECT count(*) FROM orders") == N_AGENTS + N_MACHINES, "not each machine has an order")
    http = count(site, "SELECT count(DISTINCT mac) FROM boot_event WHERE client = 'http'")
    expect(http == N_MACHINES - N_MACHINES // TFTP_EACH, f"{http} machines have started by HTTP")


def check_wrong_file(site: Bench, boot_file: Path):
    """Who gets other bytes than it should is lost, and that is said."""
    other = site.work / "other"
    other.write_bytes(boot_file.read_bytes()[:-1] + b"?")
    words = ["--first", N_AGENTS, "--count", 2, "--spread", 0, "--tftp-each", 2, "--limit", 60]
    found = site.storm("--boot-file", other, *words)
    expect((found["n_done"], found["n_lost"]) == (0, 2), f"machines with a wrong file: {found}")


def main() -> int:
    lacks = [name for name in ("ip", "nsenter") if not shutil.which(name)]
    if lacks:
        skip(f"these programs are missing: {' '.join(lacks)}")
    enter_namespace()
    with clients_network(), Bench(Path(sys.argv[1]).resolve(), SERVER_ADDRESS) as site:
        try:
            boot_file = site.add_boot_image()
            add_devices(site, 0, N_AGENTS + N_MACHINES)
            site.deploy()
            check_agents(site)
            check_tokens(site)
            check_storm(site, boot_file)
            check_wrong_file(site, boot_file)
        except Failed as why:
            print(f"FAILED: {why}\n{(site.work / 'err').read_text(encoding='utf-8')[-2000:]}", file=sys.stderr)
            return 1
    print(f"ok: {sys.argv[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
