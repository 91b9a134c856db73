#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site and a remote distribution point, each in a network namespace, and content that travels between them.

usage: content_two_dps.py SLIPWAYD

What travels is counted by the network card. Exit status 77: this machine lacks something, which is said; never where CI is
set.
"""

import ctypes
import hashlib
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

SITE, REMOTE = "slwtwo-site", "slwtwo-dp"
SITE_ADDRESS, REMOTE_ADDRESS = "10.79.0.1", "10.79.0.2"
MIB = 1024 * 1024
N_FILES = 40
SLOW_BYTES_PER_S = 6 * MIB
PATIENCE_SECONDS = 120


class Failed(Exception):
    pass


def skip(why: str):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") else 77)


def expect(is_so: bool, what: str):
    if not is_so:
        raise Failed(what)


def say(text: str):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def run(*words: str):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


class Network:
    """Two namespaces and a cable; this process is in that of the site."""

    def __enter__(self):
        self.remove()
        for name in (SITE, REMOTE):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", SITE, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", REMOTE)
        for name, address in ((SITE, SITE_ADDRESS), (REMOTE, REMOTE_ADDRESS)):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
        with open(f"/run/netns/{SITE}", "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) != 0:
                raise Failed(f"cannot enter the namespace: {os.strerror(ctypes.get_errno())}")
        return self

    def __exit__(self, *why):
        self.remove()

    @staticmethod
    def remove():
        for name in (SITE, REMOTE):
            if Path(f"/run/netns/{name}").exists():
                run("ip", "netns", "delete", name)

    @staticmethod
    def received() -> int:
        """Bytes that the remote distribution point has got over the cable."""
        words = ["ip", "-n", REMOTE, "-s", "-j", "link", "show", "dev", "eth0"]
        shown = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        return shown[0]["stats64"]["rx"]["bytes"]


class Server:
    """A slipwayd."""

    def __init__(self, folder: Path, slipwayd: str, name: str, namespace: str, address: str):
        self.state = folder / name
        self.slipwayd = slipwayd
        self.namespace = namespace
        self.config = folder / f"{name}.conf"
        self.out = folder / f"{name}.out"
        self.log = folder / f"{name}.log"
        self.process = None
        self.config.write_text(f"[site]\naddress = {address}\n", encoding="utf-8")

    def command(self, *words: str) -> list:
        return ["ip", "netns", "exec", self.namespace, self.slipwayd, *words]

    def start(self):
        words = self.command("--state", str(self.state), "--config", str(self.config))
        with open(self.out, "ab") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        wait(lambda: b" ready" in self.log.read_bytes().rsplit(b"started-marker", 1)[-1], "the server to be ready")

    def end(self, how: int = signal.SIGTERM):
        if not self.process:
            return
        self.process.send_signal(how)
        self.process.wait(10)
        self.process = None
        with open(self.log, "ab") as log:
            log.write(b"started-marker\n")
        time.sleep(0.5)  # its processes die with it

    def join(self, url: str, token: str) -> subprocess.CompletedProcess:
        words = self.command("join", "--state", str(self.state), "--config", str(self.config), url, token)
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def extract(self, file: Path) -> subprocess.CompletedProcess:
        words = self.command("extract", "--state", str(self.state), str(file))
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def packs(self) -> dict:
        folder = self.state / "dp/content/packs"
        return {path.name: path for path in folder.rglob("*") if path.is_file()}


def wait(is_so, what: str, seconds: float = PATIENCE_SECONDS):
    end = time.monotonic() + seconds
    while True:
        value = is_so()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


class Api:
    """The administrator's API of the site."""

    def __init__(self, site: Server):
        self.token = ""
        # the server's key is new and this is its own host
        self.tls = ssl._create_unverified_context()
        line = wait(lambda: self.find_token(site), "the administrator's token")
        self.token = self.call("POST", "/logins", {"token": line})["token"]

    @staticmethod
    def find_token(site: Server) -> str:
        for line in site.out.read_text(encoding="utf-8").splitlines():
            if line.startswith("Administrator token"):
                return line.split(": ")[1]
        return ""

    def call(self, method: str, path: str, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"https://{SITE_ADDRESS}/api/v1{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Failed(f"{method} {path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else None

    def wait_version(self, package: str, version: int):
        def is_ready():
            for row in self.call("GET", f"/content/{package}/versions")["items"]:
                expect(row["state"] != "failed" or row["version"] != version, f"{package}: {row}")
                if row["version"] == version and row["state"] == "ready":
                    return True
            return False
        wait(is_ready, f"version {version} of {package}")

    def row(self, package: str, dp: str) -> dict:
        rows = self.call("GET", f"/content/{package}/distribution")["items"]
        return next((row for row in rows if dp in row.values()), {})

    def wait_state(self, package: str, dp: str, is_it, what: str, seconds: float = PATIENCE_SECONDS) -> dict:
        last = {}

        def look():
            last.clear()
            last.update(self.row(package, dp))
            return is_it(last)
        try:
            wait(look, what, seconds)
        except Failed as why:
            raise Failed(f"{why}; it is {last}") from why
        return dict(last)

    def make_package(self, name: str, folder: Path) -> str:
        made = self.call("POST", "/packages", {"name": name, "source_path": str(folder)})
        package = made.get("id") or made.get("package_id")
        self.wait_version(package, 1)
        return package


def ask_socket(socket: Path, path: str, body: dict) -> dict:
    """POST to a Unix socket; {} unless the answer is 200."""
    words = ["curl", "--silent", "--fail", "--unix-socket", str(socket), "--json", json.dumps(body), f"http://site{path}"]
    answer = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return json.loads(answer.stdout) if answer.returncode == 0 else {}


class Content:
    """A folder of random files, so that nothing compresses and every byte must travel."""

    def __init__(self, folder: Path, bytes_each: int, seed: int):
        self.folder = folder
        self.random = random.Random(seed)
        self.bytes_each = bytes_each
        folder.mkdir()
        for number in range(N_FILES):
            self.write(number)

    def write(self, number: int):
        path = self.folder / f"file{number:02}.bin"
        path.write_bytes(self.random.randbytes(self.bytes_each))

    def size(self) -> int:
        return N_FILES * self.bytes_each


class Test:
    def __init__(self, folder: Path, slipwayd: str, network: Network):
        self.folder = folder
        self.network = network
        self.site = Server(folder, slipwayd, "site", SITE, SITE_ADDRESS)
        self.remote = Server(folder, slipwayd, "remote", REMOTE, REMOTE_ADDRESS)
        self.api = None
        self.dp = ""
        self.package = ""
        self.content = None

    def end(self):
        for server in (self.remote, self.site):
            server.end(signal.SIGKILL)

    def show_logs(self):
        for server in (self.site, self.remote):
            if server.log.exists():
                lines = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
                print(f"--- {server.log.name}", *lines[-40:], sep="\n", file=sys.stderr)

    def test_join(self):
        self.site.start()
        self.api = Api(self.site)
        url = f"https://{SITE_ADDRESS}"
        token = self.api.call("POST", "/distribution-point-tokens", {"name": "Branch"})["token"]
        secret, pin = token.split(".")
        wrong = self.remote.join(url, f"{secret}.{'0' * len(pin)}")
        expect(wrong.returncode == 22 and "SLW-0342" in wrong.stderr, f"a wrong pin: {wrong}")
        expect(not (self.remote.state / "keys/site-url").exists(), "a wrong pin left something behind")
        joined = self.remote.join(url, token)
        expect(joined.returncode == 0, f"joining: {joined}")
        again = self.remote.join(url, token)
        expect(again.returncode == 21 and "SLW-0341" in again.stderr, f"joining twice: {again}")
        other = Server(self.folder, self.remote.slipwayd, "other", REMOTE, REMOTE_ADDRESS)
        used = other.join(url, token)
        expect(used.returncode == 24 and "SLW-0344" in used.stderr, f"a used token: {used}")
        mode = (self.remote.state / "keys/dp-token").stat().st_mode & 0o777
        expect(mode == 0o400, f"the token's mode is {mode:o}")
        self.remote.start()
        expect(not (self.remote.state / "site/slipway.db").exists(), "a remote distribution point has a database")

        def is_online():
            for row in self.api.call("GET", "/distribution-points")["items"]:
                if row["name"] == "Branch" and row.get("is_online"):
                    return row["id"]
            return ""
        self.dp = wait(is_online, "the distribution point to be online")

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

    def compare(self):
        """Every pack at the site is at the distribution point, the same, and served."""
        theirs = self.remote.packs()
        for name, path in self.site.packs().items():
            expect(name in theirs, f"the pack {name} is missing")
            expect(theirs[name].read_bytes() == path.read_bytes(), f"the pack {name} differs")
        name = min(theirs)
        expect(len(self.get(f"/content/packs/{name[:2]}/{name}")) > 0, "a pack is served empty")

    @staticmethod
    def get(path: str) -> bytes:
        with urllib.request.urlopen(f"http://{REMOTE_ADDRESS}{path}", timeout=10) as answer:
            return answer.read()

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
        self.api.wait_state(package, self.dp, lambda row: row.get("percent", 0) >= 50, "half of the copy")
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
        self.heal(self.remote, self.dp)
        expect(self.network.received() - before < 4 * MIB, "more than the damaged pack was fetched")
        self.heal(self.site, "DP00001")
        self.compare()

    def heal(self, server: Server, dp: str):
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

    def test_prestage(self):
        """Content that was carried there does not travel; a damaged file is used as far as it is good."""
        content = Content(self.folder / "carried", MIB, 3)
        package = self.api.make_package("Carried", content.folder)
        operation = self.api.call("POST", "/prestaged-contents", {"contents": [package]})["operation_id"]

        def made():
            shown = self.api.call("GET", f"/operations/{operation}")
            expect(shown["state"] != "failed", f"prestaging: {shown}")
            return shown["result"]["export_id"] if shown["state"] == "succeeded" else ""
        export = self.site.state / "dp/exports" / wait(made, "the file of prestaged content")
        bad = self.folder / "bad.tar"
        bytes_of_it = bytearray(export.read_bytes())
        bytes_of_it[len(bytes_of_it) // 2] ^= 1
        bad.write_bytes(bytes_of_it)
        done = self.remote.extract(bad)
        expect(done.returncode == 25 and "SLW-0353" in done.stderr, f"a damaged file: {done}")
        before = self.network.received()
        done = self.remote.extract(export)
        expect(done.returncode == 0 and " 1 packs extracted" in done.stdout, f"after a damaged one: {done}")
        self.api.call("POST", f"/content/{package}/distribution", {"distribution_points": [self.dp]})
        self.api.wait_state(package, self.dp, lambda row: row.get("state") == "success", "the copy")
        travelled = self.network.received() - before
        expect(travelled < MIB, f"{travelled} bytes travelled for what had been carried")
        self.compare()

    def test_boot(self):
        """What the role pxe asks reaches the site, which knows who asks."""
        question = {"mac": "52:54:00:79:00:01", "uuid": None, "arch": 7, "client": "pxe", "ipxe": False,
                    "interface": "eth0", "server_address": REMOTE_ADDRESS, "relay": None, "stage": "discover"}
        path = "/api/v1/internal/boot-decisions"
        answer = ask_socket(self.remote.state / "run/roles.sock", path, question)
        expect(answer.get("reason") == "unknown-computers-off", f"the boot decision is {answer}")
        words = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--unix-socket",
                 str(self.remote.state / "run/roles.sock"), "http://site/api/v1/devices"]
        status = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
        expect(status == b"404", f"the way to the site is open for more than roles ask: {status}")

    def test_site_away(self):
        self.site.end()
        name = min(self.remote.packs())
        time.sleep(3)
        expect(len(self.get(f"/content/packs/{name[:2]}/{name}")) > 0, "nothing is served while the site is away")
        expect(self.remote.process.poll() is None, "the distribution point ended because the site is away")
        self.site.start()
        log = self.remote.log
        wait(lambda: b"the site answers again" in log.read_bytes(), "the distribution point to find the site again")


def main() -> int:
    if os.geteuid() != 0:
        skip("only root can make network namespaces")
    for tool in ("ip", "nginx", "curl"):
        if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
            skip(f"{tool} is not installed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers and namespaces go in any case
    slipwayd = str(Path(sys.argv[1]).resolve())
    folder = Path(tempfile.mkdtemp(prefix="slipway-two-dps-", dir="/var/tmp"))
    folder.chmod(0o755)
    name = ""
    with Network() as network:
        test = Test(folder, slipwayd, network)
        try:
            for name in ("join", "distribute", "update", "kill", "heal", "prestage", "boot", "site_away"):
                getattr(test, f"test_{name}")()
                say(f"ok: {name}")
        except (Failed, OSError, subprocess.SubprocessError) as why:
            print(f"FAILED: {name}: {why}", file=sys.stderr)
            test.show_logs()
            return 1
        finally:
            test.end()
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
