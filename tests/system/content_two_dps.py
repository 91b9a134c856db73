#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content that travels between a site and a remote distribution point, each in a network namespace.

usage: content_two_dps.py SLIPWAYD

What travels is counted by the network card. Exit status 77: this machine lacks something, which is said; never where CI is
set.
"""

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from two_dps import MIB, REMOTE, REMOTE_ADDRESS, SITE_URL, Content, Pair, Server, ask_socket, expect, main, run, wait  # noqa: E402

SLOW_BYTES_PER_S = 6 * MIB
OTHER_ADDRESS = "10.79.0.3"


class Test(Pair):
    def __init__(self, *words):
        super().__init__(*words)
        self.package = ""
        self.content = None

    def test_join(self):
        token = self.begin()
        secret, pin = token.split(".")
        wrong = self.remote.join(SITE_URL, f"{secret}.{'0' * len(pin)}")
        expect(wrong.returncode == 22 and "SLW-0342" in wrong.stderr, f"a wrong pin: {wrong}")
        expect(not (self.remote.state / "keys/site-url").exists(), "a wrong pin left something behind")
        self.join(token)
        again = Server(self.folder, self.remote.slipwayd, "other", REMOTE, REMOTE_ADDRESS).join(SITE_URL, token)
        expect(again.returncode == 24 and "SLW-0344" in again.stderr, f"a used token: {again}")
        self.remote.end()
        twice = self.remote.join(SITE_URL, token)
        expect(twice.returncode == 21 and "SLW-0341" in twice.stderr, f"joining twice: {twice}")
        self.remote.start()
        mode = (self.remote.state / "keys/dp-key").stat().st_mode & 0o777
        expect(mode == 0o600, f"the key's mode is {mode:o}")
        expect(not (self.remote.state / "site/slipway.db").exists(), "a remote distribution point has a database")

    def test_distribute(self):
        self.content = Content(self.folder / "source", MIB, 1)
        self.package = self.api.make_package("Two", self.content.folder)
        before = self.network.received()
        self.api.call("POST", f"/content/{self.package}/distribution", {"distribution_points": [self.dp]})
        self.api.wait_state(self.package, self.dp, lambda row: row.get("state") == "success", "the copy")
        travelled = self.network.received() - before
        expect(travelled < 1.1 * self.content.size(), f"{travelled} bytes travelled for {self.content.size()}")
        expect(travelled > 0.9 * self.content.size(), f"only {travelled} bytes travelled: the counter counts nothing")
        self.compare()

    def test_update(self):
        self.content.write(7)
        before = self.network.received()
        self.api.call("POST", f"/content/{self.package}/versions", {})
        self.api.wait_version(self.package, 2)
        self.api.wait_state(
            self.package, self.dp, lambda row: row.get("state") == "success" and row.get("version") == 2, "version 2")
        travelled = self.network.received() - before
        expect(travelled < 2 * MIB, f"{travelled} bytes travelled for one changed file of {MIB}")
        expect(travelled > MIB, f"only {travelled} bytes travelled for a new file of {MIB}")
        self.compare()

    def test_kill(self):
        content = Content(self.folder / "more", 2 * MIB, 2)
        limits = [{"from_hour": 0, "to_hour": 0, "bytes_per_s": SLOW_BYTES_PER_S}]
        self.api.call("PATCH", f"/distribution-points/{self.dp}", {"rate_limits": limits})
        package = self.api.make_package("Killed", content.folder)
        before = self.network.received()
        self.api.call("POST", f"/content/{package}/distribution", {"distribution_points": [self.dp]})
        row = self.api.wait_state(package, self.dp, lambda row: row.get("percent", 0) >= 50, "half of the copy")
        rate = row["rate_bytes_per_s"]
        expect(0 < rate < 2 * SLOW_BYTES_PER_S, f"{rate} bytes per second are told: {row}")
        self.remote.end(signal.SIGKILL)
        at_kill = self.network.received() - before
        expect(at_kill < 0.95 * content.size(), "the limit of the rate was not kept to")
        self.api.call("PATCH", f"/distribution-points/{self.dp}", {"rate_limits": []})
        self.remote.start()
        self.api.wait_state(
            package, self.dp, lambda row: row.get("state") == "success", "the copy to be gone on with", 180)
        travelled = self.network.received() - before
        expect(travelled < 1.3 * content.size(), f"{travelled} bytes travelled for {content.size()}: it began anew")
        self.compare()

    def test_heal(self):
        """A byte that has changed on one disk is found, and the pack comes from the other: both ways."""
        before = self.network.received()
        damaged = self.heal(self.remote, self.dp)
        travelled = self.network.received() - before
        expect(travelled < 1.1 * damaged + MIB, f"{travelled} bytes were fetched for a pack of {damaged}")
        self.heal(self.site, "DP00001")
        self.compare()

    def heal(self, server: Server, dp: str) -> int:
        """Return: the length of the pack that was damaged."""
        victim = max(server.packs().values(), key=lambda path: (path.stat().st_size, path.name))
        good = hashlib.sha256(victim.read_bytes()).digest()
        with open(victim, "r+b") as file:
            file.seek(1000)
            byte = file.read(1)[0]
            file.seek(1000)
            file.write(bytes([byte ^ 0x40]))
        for row in self.api.call("GET", "/packages")["items"]:
            self.api.call("POST", f"/content/{row['id']}/distribution/{dp}/validation")

        def is_healed():
            return victim.exists() and hashlib.sha256(victim.read_bytes()).digest() == good
        wait(is_healed, f"the damaged pack {victim.name} of {dp} to be healed")
        return victim.stat().st_size

    def test_boot(self):
        """What the role pxe asks reaches the site, which knows who asks."""
        question = {"mac": "52:54:00:79:00:01", "uuid": None, "arch": 7, "client": "pxe", "ipxe": False,
                    "interface": "eth0", "server_address": REMOTE_ADDRESS, "relay": None, "stage": "discover"}
        path = "/api/v1/internal/boot-decisions"
        answer = ask_socket(self.remote.state, path, question)
        expect(answer.get("reason") == "unknown-computers-off", f"the boot decision is {answer}")
        words = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--unix-socket",
                 str(self.remote.state / "run/roles.sock"), "http://site/api/v1/devices"]
        status = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
        expect(status == b"404", f"the way to the site is open for more than roles ask: {status}")

    def test_address(self):
        """It has moved: the site sends clients to where it is now, and it has not joined anew."""
        run("ip", "-n", REMOTE, "address", "add", f"{OTHER_ADDRESS}/24", "dev", "eth0")
        self.remote.end()
        self.remote.set_address(OTHER_ADDRESS)
        self.remote.start()

        def url() -> str:
            return self.api.call("GET", f"/distribution-points/{self.dp}")["url"]
        wait(lambda: url() == f"http://{OTHER_ADDRESS}", f"the site to know the new address; it says {url()}")

    def test_site_away(self):
        self.site.end()
        name = min(self.remote.packs())
        time.sleep(3)
        expect(len(self.get(f"/content/packs/{name[:2]}/{name}")) > 0, "nothing is served while the site is away")
        expect(self.remote.process.poll() is None, "the distribution point ended because the site is away")
        self.site.start()
        log = self.remote.log
        wait(lambda: b"the site answers again" in log.read_bytes(), "the distribution point to find the site again")


if __name__ == "__main__":
    sys.exit(main(Test, ("join", "distribute", "update", "kill", "heal", "boot", "address", "site_away"), "two-dps"))
