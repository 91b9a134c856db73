# SPDX-License-Identifier: GPL-3.0-or-later
"""A site of its own in a network of its own, its processes' cost, and slipway-sim beside it."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

from boot import add_boot_files, add_boot_image
from data import CONFIG, SEQUENCE, SETTINGS, Site, expect

CLIENTS = f"slwbs-clients-{os.getpid()}"
SERVER_ADDRESS, CLIENTS_ADDRESS, MACHINES = "10.78.0.1", "10.78.0.2", "10.79.0.0"
PXE_USER, ROLES_GROUP = 61703, 61705  # stand-ins for slipway-pxe and slipway-roles
TICKS = os.sysconf("SC_CLK_TCK")


def enter_namespace():
    if os.environ.get("SITE_BENCH_INSIDE") != "yes":
        os.environ["SITE_BENCH_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    call("ip", "link", "set", "lo", "up")


def call(*argv, **options):
    return subprocess.run(argv, check=True, **options)


@contextlib.contextmanager
def clients_network():
    """Another namespace, in which any address of MACHINES is its own."""
    call("ip", "netns", "add", CLIENTS)
    try:
        call("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", CLIENTS)
        call("ip", "addr", "add", f"{SERVER_ADDRESS}/24", "dev", "eth0")
        call("ip", "link", "set", "eth0", "up")
        for line in ("link set lo up", f"addr add {CLIENTS_ADDRESS}/24 dev eth0", "link set eth0 up", f"route add local {MACHINES}/16 dev lo"):
            call("ip", "-n", CLIENTS, *line.split())
        call("ip", "route", "add", f"{MACHINES}/16", "via", CLIENTS_ADDRESS)
        yield
    finally:
        call("ip", "netns", "del", CLIENTS)


class Bench(Site):
    """A site that is measured; address: what its clients call it."""

    def __init__(self, build: Path, address="127.0.0.1"):
        super().__init__(build)
        self.build = build
        self.address = address
        # agents are played as a user who may not enter a home folder with the build in it
        shutil.copy2(build / "tests/bench/slipway-sim", self.work)
        (self.work / "conf").write_text(SETTINGS.replace("127.0.0.1", address) + CONFIG, encoding="utf-8")

    def __enter__(self):
        self.start()
        self.first_login()
        return self

    @property
    def state(self) -> Path:
        return self.work / "state"

    def add_boot_image(self) -> Path:
        with contextlib.closing(sqlite3.connect(self.state / "site/slipway.db")) as db, db:
            add_boot_image(db)
        return add_boot_files(self.state)

    def deploy(self, collection="All Systems"):
        sequence = self.must("POST", "/task-sequences", {"name": "Played", "xml": SEQUENCE})["id"]
        self.must("POST", "/deployments", {"task_sequence_id": sequence, "collection": collection, "purpose": "required"})

    def processes(self) -> dict:
        """pid → what it is."""
        found, left = {}, [self.process.pid]
        while left:
            pid = left.pop()
            for thread in Path(f"/proc/{pid}/task").iterdir():
                left += map(int, (thread / "children").read_text().split())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
            found[pid] = next((role for role in ("site", "dp", "pxe") if f"--role={role} " in words), "nginx" if "nginx" in words else "parent")
        return found

    def cpu_s(self) -> dict:
        """Processor time so far, by what it is."""
        found = {}
        for pid, what in self.processes().items():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[what] = found.get(what, 0) + (int(fields[11]) + int(fields[12])) / TICKS
        return found

    def memory(self) -> dict:
        """Bytes by what it is; what processes share is divided among them (PSS)."""
        found = {}
        for pid, what in self.processes().items():
            lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
            found[what] = found.get(what, 0) + int(lines["Pss"].split()[0]) * 1024
        return found

    def pin(self) -> str:
        return (self.state / "keys/pin").read_text().strip()

    def sim(self, *words) -> list:
        return [str(self.work / "slipway-sim"), *map(str, words)]

    def agents(self, *words) -> dict:
        command = self.sim("agents", "--site", f"{self.address}:443", "--pin", self.pin(), "--roles", self.state / "run/roles.sock", *words)
        return measured(self, command, user=PXE_USER, group=PXE_USER, extra_groups=[ROLES_GROUP])

    def storm(self, *words, register=True) -> dict:
        site = ["--site", f"{self.address}:443", "--pin", self.pin()] if register else []
        return measured(self, in_clients(self.sim("storm", *site, *storm_words(), *words)))


def storm_words() -> list:
    return ["--interface", "eth0", "--network", MACHINES]


def in_clients(command: list) -> list:
    return ["nsenter", f"--net=/run/netns/{CLIENTS}", *command]


def run_sim(command: list, **options) -> dict:
    """What it found, and its own processor time; what is lost is told, and counted by who asks."""
    before = os.times()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, **options)
    after = os.times()
    expect(done.returncode in (0, 1) and done.stdout, f"slipway-sim ended with {done.returncode}")
    found = json.loads(done.stdout)
    found["sim_cpu_s"] = after.children_user + after.children_system - before.children_user - before.children_system
    return found


def measured(site: Bench, command: list, **options) -> dict:
    """The same, with the processor time of each of the site's processes."""
    before = site.cpu_s()
    found = run_sim(command, **options)
    found["cpu_s"] = {what: spent - before.get(what, 0) for what, spent in site.cpu_s().items()}
    return found
