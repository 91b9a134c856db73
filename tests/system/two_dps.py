#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site and a remote distribution point, each in a network namespace, for tests of content that travels between them."""

import ctypes
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

SITE, REMOTE = f"slw2{os.getpid()}-site", f"slw2{os.getpid()}-dp"
NO_BOOT_IMAGES = "[boot-image]\nkernel-root = /nonexistent\nx86-root = /nonexistent\n"
SITE_ADDRESS, REMOTE_ADDRESS = "10.79.0.1", "10.79.0.2"
SITE_URL = f"https://{SITE_ADDRESS}"
MIB = 1024 * 1024
N_FILES = 40
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

    def __init__(self, folder: Path, slipwayd: str, name: str, namespace: str, address: str, more_config=NO_BOOT_IMAGES):
        self.state = folder / name
        self.more_config = more_config
        self.slipwayd = slipwayd
        self.namespace = namespace
        self.config = folder / f"{name}.conf"
        self.out = folder / f"{name}.out"
        self.log = folder / f"{name}.log"
        self.process = None
        self.set_address(address)

    def set_address(self, address: str):
        self.config.write_text(f"[site]\naddress = {address}\n{self.more_config}", encoding="utf-8")

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


def ask_socket(state: Path, path: str, body: dict) -> dict:
    """POST to a distribution point's socket of the roles, as one of them; {} unless the answer is 200."""
    token = (state / "run/token/dp-token").read_text(encoding="ascii")
    words = ["curl", "--silent", "--fail", "--unix-socket", str(state / "run/roles.sock"), "--json", json.dumps(body),
             "--header", f"Authorization: Bearer {token}", f"http://site{path}"]
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


class Pair:
    """A site, and the distribution point Branch that has joined it."""

    def __init__(self, folder: Path, slipwayd: str, network: Network):
        self.folder = folder
        self.network = network
        self.site = Server(folder, slipwayd, "site", SITE, SITE_ADDRESS)
        self.remote = Server(folder, slipwayd, "remote", REMOTE, REMOTE_ADDRESS)
        self.api = None
        self.dp = ""

    def end(self):
        for server in (self.remote, self.site):
            server.end(signal.SIGKILL)

    def show_logs(self):
        for server in (self.site, self.remote):
            if server.log.exists():
                lines = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
                print(f"--- {server.log.name}", *lines[-40:], sep="\n", file=sys.stderr)

    def begin(self) -> str:
        """Start the site. Return: a token with which a host becomes the distribution point Branch."""
        self.site.start()
        self.api = Api(self.site)
        return self.api.call("POST", "/distribution-point-tokens", {"name": "Branch"})["token"]

    def join(self, token: str):
        joined = self.remote.join(SITE_URL, token)
        expect(joined.returncode == 0, f"joining: {joined}")
        self.remote.start()

        def is_online():
            for row in self.api.call("GET", "/distribution-points")["items"]:
                if row["name"] == "Branch" and row.get("is_online"):
                    return row["id"]
            return ""
        self.dp = wait(is_online, "the distribution point to be online")

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

    def export(self, packages: list) -> Path:
        """The file of prestaged content, on the site."""
        operation = self.api.call("POST", "/prestaged-contents", {"contents": packages})["operation_id"]

        def made():
            shown = self.api.call("GET", f"/operations/{operation}")
            expect(shown["state"] != "failed", f"prestaging: {shown}")
            return shown["result"]["export_id"] if shown["state"] == "succeeded" else ""
        return self.site.state / "dp/exports" / wait(made, "the file of prestaged content")


def main(kind, steps: tuple, name: str) -> int:
    """Run a Pair's methods test_STEP, one after the other."""
    if os.geteuid() != 0:
        skip("only root can make network namespaces")
    for tool in ("ip", "nginx", "curl"):
        if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
            skip(f"{tool} is not installed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers and namespaces go in any case
    slipwayd = str(Path(sys.argv[1]).resolve())
    folder = Path(tempfile.mkdtemp(prefix=f"slipway-{name}-", dir="/var/tmp"))
    folder.chmod(0o755)
    step = ""
    with Network() as network:
        test = kind(folder, slipwayd, network)
        try:
            for step in steps:
                getattr(test, f"test_{step}")()
                say(f"ok: {step}")
        except (Failed, OSError, subprocess.SubprocessError) as why:
            print(f"FAILED: {step}: {why}", file=sys.stderr)
            test.show_logs()
            return 1
        finally:
            test.end()
            shutil.rmtree(folder, ignore_errors=True)
    return 0
