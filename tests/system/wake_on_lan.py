#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Magic packets of a running site, as a computer in another network namespace hears them; no virtual machine.

usage: wake_on_lan.py BUILD_DIR wake-on-lan
"""

import contextlib
import ctypes
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from monitoring_test import SEQUENCE
from security_test import PASSWORD, Cli, Site, expect, run_in_namespace, skip

CLONE_NEWNET = 0x40000000
MAC, DONE, FILES, DOCK = (f"52:54:00:a1:b2:{n:02x}" for n in (1, 2, 3, 4))


class Sleeper(threading.Thread):
    """The LAN: the other end of a cable, in a network namespace of its own; it hears UDP to one port."""

    def __init__(self, port: int):
        super().__init__(daemon=True)
        self.port, self.heard, self.ready = port, [], threading.Event()

    def run(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        self.namespace = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind(("", self.port))
            self.ready.set()
            while True:
                packet = wire.recv(2000)
                self.heard.append((time.monotonic(), packet))

    def plug_in(self):
        """192.0.2.1 is the site's end, 192.0.2.7 the LAN's."""
        self.start()
        expect(self.ready.wait(10), "nobody listens")
        pid = subprocess.Popen(["nsenter", f"--net=/proc/{os.getpid()}/fd/{self.namespace}", "sleep", "600"])
        try:
            for words in ("link add lan0 type veth peer name lan1", "addr add 192.0.2.1/24 brd + dev lan0", "link set lan0 up"):
                subprocess.run(["ip", *words.split()], check=True)
            inside = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self.namespace}", "ip"]
            subprocess.run(["ip", "link", "set", "lan1", "netns", str(pid.pid)], check=True)
            subprocess.run([*inside, "addr", "add", "192.0.2.7/24", "brd", "+", "dev", "lan1"], check=True)
            subprocess.run([*inside, "link", "set", "lan1", "up"], check=True)
        finally:
            pid.terminate()
            pid.wait()

    def macs(self) -> list:
        return [packet[6:12].hex(":") for _, packet in self.heard]

    def wait_for(self, n: int, what: str, seconds=20.0):
        end = time.monotonic() + seconds
        while len(self.heard) < n and time.monotonic() < end:
            time.sleep(0.05)
        expect(len(self.heard) >= n, f"{what}: heard {self.macs()}")


def lines(site: Site, device: str, action: str) -> list:
    found = site.must("GET", f"/devices/{device}/history?limit=1000")["items"]
    return [line["detail"] for line in found if line["action"] == action]


def wait_for_line(site: Site, device: str, action: str, text: str):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if any(text in line for line in lines(site, device, action)):
            return
        time.sleep(0.1)
    expect(False, f"{device}: no {action} with {text!r}: {lines(site, device, action)}")


def by_hand(site: Site, lan: Sleeper):
    """What is heard is byte for byte what another program sends."""
    site.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    cli = Cli(site, "ada")
    cli.run("login", cli.url, "--user", "administrator", "--password", "@-", given=PASSWORD + "\n")
    subprocess.run(["wakeonlan", "-i", "192.0.2.255", MAC], check=True, stdout=subprocess.DEVNULL)
    lan.wait_for(1, "the other program")
    answer = cli.json("device", "wake", "PC-1")
    expect((answer["macs"], answer["distribution_point_id"]) == ([MAC], "DP00001"), f"{answer}")
    lan.wait_for(2, "device wake")
    expect(lan.heard[0][1] == lan.heard[1][1], f"{lan.heard[1][1].hex()} and not {lan.heard[0][1].hex()}")
    wait_for_line(site, "PC-1", "device.wake-up", f"DP00001: magic packets were sent for {MAC} to 255.255.255.255 (by hand)")
    expect("SLW-0263" in cli.fails("device", "wake", "PC-1"), "twice at once")
    site.must("POST", "/duplicate-hardware-ids", {"id": DOCK})
    status, refused, _ = site.call("POST", "/devices/DOCKED/wake-up")
    expect((status, refused["error_id"]) == (409, "SLW-0264"), f"a dock: {status} {refused}")


def give_address(site: Site, device: str, mac: str, address: str):
    """As an agent that registered from there."""
    site.stop()
    with contextlib.closing(sqlite3.connect(site.work / "state" / "site" / "slipway.db")) as db, db:
        nics = [{"name": "eth0", "mac": mac, "addresses": [address]}]
        db.execute("UPDATE device SET inventory = ? WHERE name = ?", (json.dumps({"nics": nics}), device))
    site.start()


def at_the_deadline(site: Site, lan: Sleeper):
    sequence = site.must("POST", "/task-sequences", {"name": "Hello", "xml": SEQUENCE})["id"]
    collection = site.must("POST", "/collections", {"name": "Lab"})["id"]
    for name in ("PC-2", "FILES", "BLOCKED"):
        site.must("POST", f"/collections/{collection}/members", {"device": name})
    site.must("PATCH", "/devices/FILES", {"is_protected": True})
    site.must("PATCH", "/devices/BLOCKED", {"is_blocked": True})
    before = len(lan.heard)
    due = time.time() + 4
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due))
    made = site.must("POST", "/deployments", {
        "task_sequence_id": sequence, "collection": collection, "purpose": "required", "is_wake_on_lan": True, "confirm_devices": 3,
        "assignments": [{"start": at, "repeat": "minutes", "every": 1}]})
    expect(made["is_wake_on_lan"], f"{made}")
    lan.wait_for(before + 1, "the deadline")
    expect(time.time() >= int(due), "it was woken before the deadline")
    expect(lan.macs()[before] == DONE, f"heard {lan.macs()[before:]}")
    wait_for_line(site, "PC-2", "device.wake-up", f"DP00001: magic packets were sent for {DONE} to 192.0.2.255 (deployment {made['id']})")
    time.sleep(3)
    expect(len(lan.heard) == before + 1, f"one deadline woke more than once: {lan.macs()[before:]}")
    for name in ("FILES", "BLOCKED"):
        expect(not lines(site, name, "device.wake-up"), f"{name} was woken")
    status, refused, _ = site.call("PATCH", f"/deployments/{made['id']}", {"is_wake_on_lan": "yes"})
    expect((status, refused["error_id"]) == (400, "SLW-0102"), f"{status} {refused}")


def many_at_once(site: Site, lan: Sleeper):
    """No more than fifty in a second, whatever is asked for."""
    names = [f"R-{n}" for n in range(60)]
    table = ["name,mac"] + [f"{name},52:54:00:a2:00:{n:02x}" for n, name in enumerate(names)]
    site.must("POST", "/devices:import", {"csv": "\n".join(table)})
    before = len(lan.heard)
    for name in names:
        site.must("POST", f"/devices/{name}/wake-up")
    lan.wait_for(before + len(names), "sixty at once", 40)
    times = [at for at, _ in lan.heard[before:]]
    expect(sorted(set(lan.macs()[before:])) == [f"52:54:00:a2:00:{n:02x}" for n in range(60)], "not each once")
    most = max(sum(1 for other in times if at <= other < at + 1) for at in times)
    expect(most <= 52, f"{most} in a second")


def wake_on_lan(site: Site):
    lan = Sleeper(9)
    lan.plug_in()
    devices = [("PC-1", MAC), ("PC-2", DONE), ("FILES", FILES), ("DOCKED", DOCK), ("BLOCKED", "52:54:00:a1:b2:05")]
    for name, mac in devices:
        site.must("POST", "/devices", {"name": name, "mac": mac})
    by_hand(site, lan)
    give_address(site, "PC-2", DONE, "192.0.2.99/24")
    at_the_deadline(site, lan)
    many_at_once(site, lan)


def main() -> int:
    for tool in ("wakeonlan", "nsenter", "ip"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    return run_in_namespace(wake_on_lan)


if __name__ == "__main__":
    sys.exit(main())
