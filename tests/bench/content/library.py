# SPDX-License-Identifier: GPL-3.0-or-later
"""The product, as far as it is measured: slipwayd in a namespace, its worker run by hand, clients in other namespaces."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

from measure import Cost, timed

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools/lab"))
from lab import SERVER_ADDRESS, Lab, LabError, Site, run, staged  # noqa: E402

SOURCE = f"http://{SERVER_ADDRESS}"
CLIENT_ADDRESS = "10.77.1.1"
IDLE_S = 5
WORKER_LIMIT_S = 1800


def inside(namespace: str) -> tuple:
    """What runs a program in a namespace; cheaper than "ip netns exec", which mounts."""
    return ("nsenter", f"--net=/run/netns/{namespace}")


class Library:
    """A state folder and the worker that puts content into it."""

    def __init__(self, programs: Path, state: Path):
        self.slipwayd = programs / "src/prog/slipwayd"
        self.state = state
        self.n_jobs = 0

    @classmethod
    def scratch(cls, programs: Path, state: Path):
        """One that nobody serves."""
        shutil.rmtree(state, ignore_errors=True)
        (state / "dp").mkdir(parents=True)
        return cls(programs, state)

    def work(self, kind: str, **args) -> tuple:
        """A job, as the role dp starts it: (what it cost, its result)."""
        self.n_jobs += 1
        config = self.state.parent / "worker.conf"
        config.write_text("", encoding="utf-8")
        owner = (self.state / "dp").stat()
        as_role = ("setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups") if owner.st_uid else ()
        job = {"id": self.n_jobs, "kind": kind, "args": args, "kernel_roots": ""}
        cost = timed(self.slipwayd, "--role=worker", f"--state={self.state}", f"--config={config}",
                     stdin=json.dumps(job) + "\n", timeout=WORKER_LIMIT_S, inside=as_role)
        lines = [line for line in cost.out.splitlines() if line.startswith("{")]
        last = json.loads(lines[-1]) if lines else {}
        if "result" not in last:
            raise RuntimeError(f"the worker did not succeed: {cost.out[-2000:]}")
        return cost, last["result"]

    def import_wim(self, wim: Path, version: int = 1) -> tuple:
        """(cost, the first index: its manifest and size)."""
        cost, result = self.work("import-os-image", package_id="SLP00001", version=version, source_path=str(wim))
        return cost, result["indexes"][0]

    def content(self) -> Path:
        return self.state / "dp/content"

    def stored(self) -> dict:
        """Bytes and number of the packs, bytes of the manifests."""
        packs = [path.stat().st_size for path in (self.content() / "packs").rglob("*") if path.is_file()]
        manifests = [path.stat().st_size for path in (self.content() / "manifests").iterdir()]
        return {"packs": len(packs), "pack_bytes": sum(packs), "manifest_bytes": sum(manifests)}

    def packs_of(self, manifest: str) -> list:
        """(path below packs/, stored bytes) of each pack that a manifest names, in its order."""
        found = []
        with open(self.content() / "manifests" / manifest, encoding="utf-8") as lines:
            for line in lines:
                word, _, count = line.rstrip("\n").partition(" ")
                if word == "packs":
                    for _ in range(int(count)):
                        name, _, stored, _ = next(lines).split()
                        found.append((f"{name[:2]}/{name}", int(stored)))
                    return found
        raise LabError(f"{manifest}: no packs in it")


class Server:
    """slipwayd with all its roles on a network of its own. Use as a context manager."""

    def __init__(self, build: Path, folder: Path, name="slwbc"):
        self.lab = Lab(folder / "lab", name=name)
        self.folder = folder
        self.programs = staged(build, folder / "build")
        self.client = f"{self.lab.name}-c"

    def __enter__(self):
        self.lab.__enter__()
        try:
            self.lab.add_host(self.client, "eth0", f"{CLIENT_ADDRESS}/16")
            self.site = Site(self.lab, self.programs, self.folder / "state")
            self.site.start()
            self.library = Library(self.programs, self.folder / "state")
        except BaseException:
            self.lab.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *why):
        self.lab.__exit__(*why)

    def shape(self, rate: str):
        """What the server sends is held to a rate; "" for none."""
        words = ("ip", "netns", "exec", self.lab.server, "tc", "qdisc")
        run(*words, "del", "dev", "srv0", "root", check=False)
        if rate:
            run(*words, "add", "dev", "srv0", "root", "tbf", "rate", rate, "burst", "128k", "latency", "50ms")

    def on_client(self, *command, timeout=600) -> Cost:
        return timed(*command, timeout=timeout, inside=inside(self.client))

    def one_file(self, bytes_wanted: int, source: Path) -> str:
        """A plain file of that many bytes of @source, served by the same nginx; its URL."""
        target = self.folder / "state/dp/boot/bench/one-file"
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(source, "rb") as src, open(target, "wb") as dst:
            left = bytes_wanted
            while left > 0:
                piece = src.read(min(left, 1 << 20))
                if not piece:
                    src.seek(0)
                    continue
                dst.write(piece)
                left -= len(piece)
        os.chmod(target.parent, 0o755)
        os.chmod(target, 0o644)
        return f"{SOURCE}/boot/bench/one-file"

    def nginx_cpu_s(self) -> float:
        """Processor time that nginx, all its processes, has used so far."""
        total, masters = 0, set()
        config = str(self.folder / "state/http/nginx.conf").encode()
        stats = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if config in (folder / "cmdline").read_bytes():
                    masters.add(folder.name)
            except OSError:
                continue
            stats.append((folder.name, fields))
        for pid, fields in stats:
            if pid in masters or fields[1] in masters:
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def idle_memory(self) -> dict:
        """Resident bytes of the roles site and dp, after some seconds of rest."""
        time.sleep(IDLE_S)
        found = {}
        for role in ("site", "dp"):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    status = (folder / "status").read_text(encoding="utf-8")
                except OSError:
                    continue
                if f"--role={role}".encode() in words and str(self.folder / "state").encode() in b"\0".join(words):
                    found[role] = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
        if set(found) != {"site", "dp"}:
            raise LabError(f"only these roles of slipwayd are running: {sorted(found)}")
        return found
