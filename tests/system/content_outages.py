#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running site whose disk fills up, whose workers and which itself are killed: nothing that was acknowledged is lost.

The administrator is told, and repeats what failed. Each single system call is the matter of content_faults.py.

usage: content_outages.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import suite  # noqa: E402
from content_test import World, check, say  # noqa: E402
from lab import LabError, missing_for_lab, run  # noqa: E402

SMALL_BYTES = 3_000_000
LARGE_BYTES = 120_000_000
WORKER_SECONDS = 30


def make_folder(folder: Path, size: int, seed: int) -> Path:
    """Files of all sizes, half of them noise, half of them text."""
    noise = random.Random(seed)
    folder.mkdir()
    made = 0
    while made < size:
        length = noise.choice((0, 100, 5000, 70_000, 900_000))
        path = folder / f"d{noise.randrange(9)}" / f"f{made}"
        path.parent.mkdir(exist_ok=True)
        text = b"%d is a number, and this is line %d\n" % (noise.randrange(10**9), made)
        path.write_bytes(noise.randbytes(length) if noise.random() < 0.5 else text * (length // len(text)))
        made += length + 1
    return folder


class Library:
    """The files of a content store, read by what docs/protocol/content.md says and nothing else."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._packs = {}

    def _pack(self, name: str, plain_bytes: int, stored_bytes: int) -> bytes:
        path = self.folder / "packs" / name[:2] / name
        check(path.stat().st_size == stored_bytes, f"the pack {name} is not as long as a manifest says")
        key = (name, path.stat().st_mtime_ns)
        if key not in self._packs:
            plain = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
            check(hashlib.sha256(plain).hexdigest() == name, f"the pack {name} is not what its name says")
            self._packs[key] = plain
        check(len(self._packs[key]) == plain_bytes, f"the pack {name} unpacks to another length")
        return self._packs[key]

    def manifests(self) -> list:
        return sorted(path for path in (self.folder / "manifests").iterdir() if re.fullmatch("[0-9a-f]{64}", path.name))

    def read(self, path: Path) -> tuple:
        """The content of a manifest, and the lines of its entries."""
        text = path.read_bytes()
        check(hashlib.sha256(text).hexdigest() == path.name, f"the manifest {path.name} is not what its name says")
        lines = iter(text.decode().splitlines())
        check(next(lines) == "slipway-manifest 3", f"{path.name} is no manifest")
        next(lines)
        size = int(next(lines).split()[1])
        packs = [next(lines).split() for _ in range(int(next(lines).split()[1]))]
        plain = [self._pack(name, int(length), int(stored)) for name, length, stored, _ in packs]
        runs = [tuple(map(int, next(lines).split())) for _ in range(int(next(lines).split()[1]))]
        content = b"".join(plain[pack][offset:offset + length] for pack, offset, length in runs)
        check(len(content) == size, f"the content of {path.name} has {len(content)} bytes, not {size}")
        return content, list(lines)[1:]

    def check_all(self) -> int:
        """Every manifest that is there is whole. Return: how many there are."""
        for path in self.manifests():
            self.read(path)
        return len(self.manifests())

    def has(self, folder: Path) -> bool:
        """Whether one of the manifests is that folder."""
        wanted = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
        return any(self._files(path) == wanted for path in self.manifests())

    def _files(self, path: Path) -> dict:
        content, entries = self.read(path)
        found, at = {}, 0
        for kind, _, length, _, name in (line.split(" ") for line in entries if line[0] == "f"):
            found[name] = content[at:at + int(length)]
            at += int(length)
            check(kind == "f", f"an odd entry in {path.name}")
        return found


@contextmanager
def small_disk(folder: Path, size: str):
    """A file system of that size in place of an empty folder, owned by whom the folder is."""
    owner = folder.stat()
    shutil.rmtree(folder)
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size},mode=755,uid={owner.st_uid},gid={owner.st_gid}", "content", folder)
    try:
        yield
    finally:
        run("umount", "-l", folder)


def site_full_disk(world: World):
    """The disk fills up in the middle of an import: it says so, keeps what is there, and goes on when there is room."""
    store = world.folder / "state/dp/content"
    small = make_folder(world.files / "small", SMALL_BYTES, 1)
    large = make_folder(world.files / "large", LARGE_BYTES, 2)
    world.site.stop()
    with small_disk(store, "40m"):
        world.site.start()
        world.add("package", "create", "Small", "--source", small)
        world.refuse("SLW-0303", "a full disk", "package", "create", "Large", "--source", large)
        library = Library(store)
        check(library.check_all() == 1 and library.has(small), "what was there is not there any more")
        say("the disk is full: what was there is there, and nothing half")
        kept = sum(path.stat().st_size for path in (store / "packs").rglob("*") if path.is_file())
        run("mount", "-o", "remount,size=400m", store)
        shown = world.add("package", "create", "Large again", "--source", large)
        check(library.check_all() == 2 and library.has(large), "the import that succeeded is not there")
        check(
            world.new_bytes(shown["id"]) < shown["size_bytes"] - 5_000_000,
            f"what was stored before the disk was full ({kept} bytes) was not used again",
        )
        check(not list((store / "tmp").iterdir()), "something is left in tmp")
        say("there is room again: the import succeeds and uses what was stored before")
        world.site.stop()


def descendants(pid: int) -> list:
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, open_ends = [], [pid]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found += below
        open_ends += below
    return found


def find_worker(world: World) -> int:
    """The process of the job that runs, and no other: found below the site's own parent."""
    end = time.monotonic() + WORKER_SECONDS
    while time.monotonic() < end:
        for pid in descendants(world.site.process.popen.pid):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if b"--role=worker" in command:
                return pid
        time.sleep(0.01)
    raise LabError("no worker was started")


def start_import(world: World, name: str, folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        world.site.command("package", "create", name, "--source", folder),
        env=world.site.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )


def check_kept(library: Library, small: Path, what: str):
    library.check_all()
    check(library.has(small), f"{what}: what was there is not there any more")
    say(f"{what}: everything that was acknowledged is there")


def site_killed(world: World):
    """Workers and the whole server are killed in the middle of imports."""
    library = Library(world.folder / "state/dp/content")
    small = make_folder(world.files / "small", SMALL_BYTES, 1)
    large = make_folder(world.files / "large", LARGE_BYTES, 2)
    world.add("package", "create", "Small", "--source", small)
    n_killed = 0
    for i, seconds in enumerate((0.0, 0.1, 0.3, 0.6, 1.0)):
        command = start_import(world, f"Worker {i}", large)
        pid = find_worker(world)
        time.sleep(seconds)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was faster: then the import has succeeded
        said = command.communicate(timeout=300)[0].decode()
        n_killed += command.returncode != 0
        check(command.returncode == 0 or "SLW-" in said, f"a killed worker is told without a number: {said}")
        check_kept(library, small, f"worker killed after {seconds} s")
    check(n_killed > 0, "no import was met by its kill: the test proves nothing")
    for i, seconds in enumerate((0.1, 0.5)):
        command = start_import(world, f"Server {i}", large)
        find_worker(world)
        time.sleep(seconds)
        world.site.kill_9()
        command.kill()
        command.communicate(timeout=60)
        world.site.start()
        check_kept(library, small, f"server killed after {seconds} s")
    world.add("package", "create", "Large", "--source", large)
    check(library.has(large), "the import that succeeded is not there")
    say("an import after all that succeeds")


TESTS = {
    "content-site-full-disk": site_full_disk,
    "content-site-killed": site_killed,
}


def play(test, build: Path, name: str):
    with World(build, name, lab_name="slwf") as world:
        test(world)


def lacking() -> list:
    return missing_for_lab() + ([] if shutil.which("zstd") else ["the program zstd is missing: install the package zstd"])


if __name__ == "__main__":
    sys.exit(suite.run(TESTS, __doc__, lacking(), play, ("files", "state")))
