#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content store under bad luck: workers killed at system calls, a disk that is full.

usage: content_faults.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import collections
import functools
import hashlib
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import suite  # noqa: E402
import wim_files  # noqa: E402
from content_test import check, say  # noqa: E402
from lab import open_folder, run  # noqa: E402

MIB = 1024 * 1024
POINTS_PER_CALL = 6  # kills are spread over all calls of a kind
CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat2", "unlink", "ftruncate", "flock", "link")


class Workers:
    """Jobs of the distribution point in a state folder of their own, without the server around them."""

    def __init__(self, build: Path, folder: Path):
        self.slipwayd = build / "src/prog/slipwayd"
        self.state = folder / "state"
        self.content = self.state / "dp/content"
        for name in ("content", "staging", "exports"):
            (self.state / "dp" / name).mkdir(parents=True)
        self.trace = folder / "trace"

    def run(self, kind: str, args: dict, *before) -> dict:
        """The last line; None if it was killed."""
        job = json.dumps({"id": "1", "kind": kind, "args": {"package_id": "SLP00001", "version": 1, **args}})
        command = [*before, self.slipwayd, "--role=worker", f"--state={self.state}"]
        done = subprocess.run(list(map(str, command)), input=job.encode() + b"\n", capture_output=True, check=False, timeout=120)
        lines = done.stdout.splitlines()
        last = json.loads(lines[-1]) if lines else {}
        return last if "result" in last or "error_id" in last else None

    def succeed(self, kind: str, args: dict) -> dict:
        last = self.run(kind, args)
        check(last is not None and "result" in last, f"{kind}: {last}")
        return last["result"]

    def count_calls(self, kind: str, args: dict) -> collections.Counter:
        """How often a job that succeeds does each call, in its busiest thread."""
        names = ",".join(f"?{name}" for name in CALLS)
        last = self.run(kind, args, "strace", "-f", "-qq", "-o", self.trace, "-e", f"trace={names}")
        check(last is not None and "result" in last, f"{kind} under strace: {last}")
        calls = collections.Counter(
            tuple(line.split("(")[0].split()[:2]) for line in self.trace.read_text(errors="replace").splitlines() if "(" in line
        )
        most = collections.Counter()
        for (_, name), n in calls.items():
            most[name] = max(most[name], n)
        return most

    def kill_at(self, kind: str, args: dict, call: str, number: int) -> bool:
        """Whether it was killed."""
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        return self.run(kind, args, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject) is None

    def check_whole(self):
        """Every manifest is what its name says, and so is every pack it names."""
        for path in (self.content / "manifests").glob("*"):
            text = path.read_bytes()
            check(hashlib.sha256(text).hexdigest() == path.name, f"the manifest {path.name} is another")
            for line in text.decode().splitlines():
                words = line.split(" ")
                if len(words) == 4 and len(words[0]) == 64:
                    self.check_pack(words[0], int(words[1]), int(words[2]))

    def check_pack(self, name: str, plain_bytes: int, stored_bytes: int):
        path = self.content / "packs" / name[:2] / name
        check(path.exists() and path.stat().st_size == stored_bytes, f"the pack {name} is missing or cut off")
        plain = subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout
        check(len(plain) == plain_bytes and hashlib.sha256(plain).hexdigest() == name, f"the pack {name} is another")

    def n_left_over(self) -> int:
        return len(list((self.content / "tmp").glob("*"))) if (self.content / "tmp").exists() else 0


def points(calls: collections.Counter) -> list:
    """(call, number): the first, the last, and some between."""
    out = []
    for name, n in sorted(calls.items()):
        step = max(1, n // POINTS_PER_CALL)
        out += [(name, number) for number in sorted({1, n, *range(1, n + 1, step)})]
    return out


def make_images(folder: Path) -> tuple:
    """Two versions of an image."""
    tree = folder / "tree"
    tree.mkdir()
    wim_files.make_tree(tree, n_files=60)
    old, new = folder / "old.wim", folder / "new.wim"
    wim_files.wimlib("capture", tree, old, "Tree", "--unix-data")
    (tree / "added").write_bytes(random.Random(3).randbytes(3 * MIB))
    wim_files.wimlib("capture", tree, new, "Tree", "--unix-data")
    return old, new


def content_kill(build: Path, folder: Path):
    """A worker is killed at a system call; what is there is whole, and the job succeeds when it is repeated."""
    old, new = make_images(folder)
    reference = Workers(build, folder / "reference")
    args = {"source_path": str(new)}
    kept = reference.succeed("import-os-image", {"source_path": str(old)})["indexes"][0]["manifest"]
    calls = reference.count_calls("import-os-image", args)
    wanted = reference.succeed("import-os-image", args)["indexes"][0]["manifest"]
    check(wanted != kept and calls["fsync"] + calls["fdatasync"] > 2 and calls["rename"] + calls["renameat2"] > 1, f"an import does: {calls}")
    kill_import(build, folder, old, args, wanted, points(calls))
    kill_replication(build, folder, reference, kept, wanted)
    kill_removal(build, folder, old, new)


def kill_import(build: Path, folder: Path, old: Path, args: dict, wanted: str, where: list):
    n_killed = 0
    for number, (call, when) in enumerate(where):
        workers = Workers(build, folder / f"import-{number}")
        workers.succeed("import-os-image", {"source_path": str(old)})
        n_killed += workers.kill_at("import-os-image", args, call, when)
        workers.check_whole()
        again = workers.succeed("import-os-image", args)["indexes"][0]
        check(again["manifest"] == wanted, f"killed at {call} {when}: the image became another when it was repeated")
        workers.check_whole()
        shutil.rmtree(workers.state)
    check(n_killed > len(where) // 2, f"only {n_killed} of {len(where)} imports were killed")
    say(f"import: {n_killed} kills, each repeated with success")


@contextmanager
def served(folder: Path):
    """A folder as a distribution point's web server has it. Yield: its URL."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


def kill_replication(build: Path, folder: Path, source: Workers, kept: str, wanted: str):
    """A distribution point that has the old image copies the new one."""
    with served(source.state / "dp") as url:
        template = Workers(build, folder / "replica")
        args = {"sources": [url], "is_again": False, "reserve_bytes": 0, "rate_limit_bytes_per_s": 0, "boot": None}
        template.succeed("replicate", {**args, "manifests": [kept]})
        args["manifests"] = [wanted]
        spare = folder / "spare"
        shutil.copytree(template.state, spare)
        calls = template.count_calls("replicate", args)
        check(calls["rename"] + calls["renameat2"] > 1, f"a replication does: {calls}")
        n_killed = 0
        for call, when in points(calls):
            shutil.rmtree(template.state)
            shutil.copytree(spare, template.state)
            n_killed += template.kill_at("replicate", args, call, when)
            template.check_whole()
            check((template.content / "manifests" / kept).exists(), f"killed at {call} {when}: the old image is gone")
            again = template.succeed("replicate", args)
            template.check_whole()
            check((template.content / "manifests" / wanted).exists(), f"killed at {call} {when}: the new image is missing")
            check(again["present_bytes"] > 0, f"killed at {call} {when}: what was there is copied again: {again}")
        check(n_killed > len(calls), f"only {n_killed} replications were killed")
        say(f"replicate: {n_killed} kills, each repeated with success")
        shutil.rmtree(spare)


def kill_removal(build: Path, folder: Path, old: Path, new: Path):
    """Removing an image and collecting its packs never touches the other one."""
    workers = Workers(build, folder / "removal")
    gone = workers.succeed("import-os-image", {"source_path": str(old)})["indexes"][0]["manifest"]
    stays = workers.succeed("import-os-image", {"source_path": str(new)})["indexes"][0]
    jobs = (("remove", {"manifests": [gone]}), ("collect", {"grace_s": 0}))
    spare = folder / "spare"
    for kind, args in jobs:
        shutil.copytree(workers.state, spare)
        calls = workers.count_calls(kind, args)
        n_killed = 0
        for call, when in points(calls):
            shutil.rmtree(workers.state)
            shutil.copytree(spare, workers.state)
            n_killed += workers.kill_at(kind, args, call, when)
            workers.check_whole()
            check((workers.content / "manifests" / stays["manifest"]).exists(), f"{kind} killed at {call} {when}: the other image is gone")
            workers.succeed(kind, args)
            workers.check_whole()
        check(n_killed > 0, f"{kind}: nothing was killed")
        say(f"{kind}: {n_killed} kills, each repeated with success")
        shutil.rmtree(spare)
    check(not (workers.content / "manifests" / gone).exists(), "the image that was removed is still there")
    indexes = [{"manifest": stays["manifest"], "size_bytes": stays["size_bytes"]}]
    made = workers.succeed("export-os-image", {"indexes": indexes, "compress": "lzx", "is_solid": False})
    check(wim_files.listing(workers.state / "dp/exports" / made["export_id"]) == wim_files.listing(new), "the image that stays is another")


def content_full_disk(build: Path, folder: Path):
    """An import onto a full disk says so and adds nothing; with more room it goes on with what is there."""
    old, _ = make_images(folder)
    package = folder / "package"
    package.mkdir()
    for number in range(90):
        (package / f"{number}.bin").write_bytes(random.Random(number).randbytes(2 * MIB))
    workers = Workers(build, folder / "small")
    run("mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", workers.content)
    try:
        fill_disk(workers, old, package)
    finally:
        run("umount", workers.content)


def fill_disk(workers: Workers, wim: Path, package: Path):
    image = workers.succeed("import-os-image", {"source_path": str(wim)})["indexes"][0]
    before = sorted(path.name for path in (workers.content / "manifests").glob("*"))
    for _ in range(2):
        last = workers.run("import-tree", {"source_path": str(package)})
        check(last is not None and last.get("error_id") == "SLW-0303", f"a full disk: {last}")
        check(sorted(path.name for path in (workers.content / "manifests").glob("*")) == before, "a part of the package is there")
        check(workers.n_left_over() == 0, "what was not finished still takes room")
        workers.check_whole()
    run("mount", "-o", "remount,size=400m", workers.content)
    made = workers.succeed("import-tree", {"source_path": str(package)})
    check(made["size_bytes"] == 180 * MIB and made["new_bytes"] < 150 * MIB, f"what was stored before was not used: {made}")
    workers.check_whole()
    indexes = [{"manifest": image["manifest"], "size_bytes": image["size_bytes"]}]
    exported = workers.succeed("export-os-image", {"indexes": indexes, "compress": "xpress", "is_solid": False})
    check(wim_files.listing(workers.state / "dp/exports" / exported["export_id"]) == wim_files.listing(wim), "the image is another")
    say(f"a full disk: refused twice; then {made['new_bytes']} of {made['size_bytes']} bytes were new")


TESTS = {"content-kill": content_kill, "content-full-disk": content_full_disk}


def lacking() -> list:
    wanted = (("strace", "strace"), ("zstd", "zstd"), ("wimlib-imagex", "wimtools"))
    lacks = [f"the program {name} is missing: install the package {package}" for name, package in wanted if not shutil.which(name)]
    if os.geteuid() != 0:
        lacks.append("it must run as root: it mounts a small file system")
    return lacks


def play(test, build: Path, name: str):
    folder = open_folder(build / "system") / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    test(build, folder)


if __name__ == "__main__":
    sys.exit(suite.run(TESTS, __doc__, lacking(), play, ("*",)))
