# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine whose disk has a write cache that is lost with the power.

QEMU's driver blklogwrites keeps every write and flush in order, in the format of Linux's dm-log-writes. What the machine
writes goes to an overlay that is thrown away when the power is cut; the disk then gets what was flushed, and of
the writes after the last flush some, some in part, and the others not.
"""

import os
import random
import re
import signal
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from lab import LabError, Vm, run

SECTOR = 512
ATOMIC = 8  # sectors that a disk writes whole or not at all (docs/quirks.md, A torn superblock)
HEADER = struct.Struct("<QQQQ")  # sector, number of sectors, flags, length of the data
SUPER = struct.Struct("<QQQI")  # magic, version, number of entries, size of a sector
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
STATE = re.compile(rb'"step": (\d+),\s+"is_running": (true|false)')
STATE_BYTES = 256  # as long as what STATE matches can be
STOPPED_SECONDS = 10


@dataclass
class Entry:
    sector: int
    n_sectors: int
    flags: int
    at: int  # of the data, in the log


class WriteLog:
    """The log of one start, read while it grows."""

    def __init__(self, path: Path):
        self.path = path
        self.entries = []
        self._end = SECTOR

    def read_new(self) -> list:
        found = []
        with open(self.path, "rb") as log:
            while True:
                entry = self._read_entry(log)
                if not entry:
                    break
                found.append(entry)
        self.entries += found
        return found

    def _read_entry(self, log):
        log.seek(self._end)
        raw = log.read(HEADER.size)
        if len(raw) < HEADER.size or not any(raw):
            return None
        sector, n_sectors, flags, _ = HEADER.unpack(raw)
        entry = Entry(sector, n_sectors, flags, self._end + SECTOR)
        self._end += SECTOR + (0 if flags & DISCARD else n_sectors * SECTOR)
        return entry

    def n_promised(self) -> int:
        """How many entries were there at the last flush."""
        with open(self.path, "rb") as log:
            raw = log.read(SUPER.size)
        magic, _, n_entries, _ = SUPER.unpack(raw) if len(raw) == SUPER.size else (0, 0, 0, 0)
        return n_entries if magic == MAGIC else 0


@dataclass
class Moment:
    """When the power goes: once the machine's screen has said @line and a state with @step and @is_running has been written
    (None: neither is waited for), so many flushes later and then so many writes."""

    name: str
    state: tuple = None
    n_flushes: int = 0
    n_writes: int = 0
    line: str = ""
    expected: tuple = None  # the state's step and is_running that the disk then holds; None: it holds no state


def write_out(log, disk, entry: Entry, n_sectors: int):
    if n_sectors and not entry.flags & DISCARD:
        log.seek(entry.at)
        disk.seek(entry.sector * SECTOR)
        disk.write(log.read(n_sectors * SECTOR))


def n_safe(entries: list) -> int:
    """How many entries no power cut after the last of them can take."""
    return max((i + 1 for i, entry in enumerate(entries) if entry.flags & FLUSH), default=0)


def torn(entry: Entry, chance: random.Random) -> int:
    """How many of its sectors were written when the power went: up to a border between two that are written as one."""
    end = entry.sector + chance.randint(0, entry.n_sectors)
    return max(0, end // ATOMIC * ATOMIC - entry.sector)


def replay(log_file: Path, entries: list, disk_file: Path, chance: random.Random, first=0) -> tuple:
    """The disk as a power cut leaves it after @entries, of which it has the @first already.
    Return: how many entries were safe, how many were not, and how many of those were kept, in part or whole."""
    n_sure, n_kept = n_safe(entries), 0
    with open(log_file, "rb") as log, open(disk_file, "r+b") as disk:
        for i, entry in enumerate(entries):
            n_sectors = entry.n_sectors if i >= first else 0
            if i >= n_sure and not entry.flags & FUA:
                n_sectors = min(n_sectors, chance.choice((0, n_sectors, torn(entry, chance))))
                n_kept += n_sectors > 0
            write_out(log, disk, entry, n_sectors)
    return n_sure, len(entries) - n_sure, n_kept


class Search:
    """Looks for a moment in a log that grows."""

    def __init__(self, moment: Moment):
        self.moment = moment
        self.states = []  # all that were written: after how many entries, and which
        self.cut_at = None  # so many entries count
        self.has_begun = False
        self._tail = b""
        self._n_seen = self._n_flushes = self._n_writes = 0

    def begin(self):
        self.has_begun = True
        self._look()

    def add(self, entry: Entry, data: bytes):
        self._n_seen += 1
        if self.has_begun and entry.flags & FLUSH:
            self._n_flushes += 1
        elif self.has_begun and self._n_flushes >= self.moment.n_flushes:
            self._n_writes += 1
        for found in STATE.finditer(self._tail + data):
            state = (int(found.group(1)), found.group(2) == b"true")
            self.states.append((self._n_seen, state))
            self.has_begun = self.has_begun or state == self.moment.state
        self._tail = data[-STATE_BYTES:] if data else self._tail
        self._look()

    def _look(self):
        is_it = self._n_flushes >= self.moment.n_flushes and self._n_writes >= self.moment.n_writes
        if self.has_begun and is_it and self.cut_at is None:
            self.cut_at = self._n_seen


class CachedVm(Vm):
    """A machine whose disk forgets what was not flushed."""

    def __init__(self, *args, seed=0, **more):
        super().__init__(*args, **more)
        self.chance = random.Random(seed)
        self.live = self.disk.with_suffix(".live")
        self.log_file = self.disk.with_suffix(".writes")
        self.log = None

    def _disk_arguments(self) -> list:
        self.live.unlink(missing_ok=True)
        self.log_file.write_bytes(b"")
        self.log = WriteLog(self.log_file)
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.disk, self.live)
        # Nothing of the host's has to outlive the host: it need not sync.
        overlay = f"file.driver=qcow2,file.file.driver=file,file.file.filename={self.live},file.file.cache.no-flush=on"
        log = f"log.driver=file,log.filename={self.log_file},log.cache.no-flush=on"
        return ["-blockdev", f"driver=blklogwrites,node-name=d,{overlay},{log}"]

    def _stop_still(self):
        """Every write that has begun ends, and none begins."""
        pid = self.process.popen.pid
        os.kill(pid, signal.SIGSTOP)
        deadline = time.monotonic() + STOPPED_SECONDS
        while any(state_of(task) != "T" for task in Path(f"/proc/{pid}/task").iterdir()):
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} does not stop")
            time.sleep(0.002)

    def power_cut(self, n_entries=None) -> tuple:
        """@n_entries: what the machine wrote after these, until it stood still, counts as never done.
        Return: how many entries were safe, how many were not, and how many of those were kept, in part or whole."""
        if self.process.is_running():
            self._stop_still()
        self.process.kill()
        self.log.read_new()
        entries = self.log.entries
        if n_entries is None and len(entries) < self.log.n_promised():
            raise LabError(f"{self.log_file} has a gap after {len(entries)} entries")
        return replay(self.log_file, entries[:n_entries], self.disk, self.chance)

    def wait_for(self, moment: Moment, timeout: float) -> Search:
        """Until the moment has come; the machine runs on."""
        search = Search(moment)
        deadline = time.monotonic() + timeout
        with open(self.log_file, "rb") as log:
            while search.cut_at is None:
                if not search.has_begun and not moment.state and self._has_said(moment.line):
                    search.begin()
                for entry in self.log.read_new():
                    log.seek(entry.at)
                    has_data = entry.n_sectors and not entry.flags & DISCARD
                    search.add(entry, log.read(entry.n_sectors * SECTOR) if has_data else b"")
                if time.monotonic() > deadline or not self.process.is_running():
                    raise LabError(f"{self.name}: {moment.name} did not come; states {search.states}", self.process.screen())
                time.sleep(0.002)
        return search

    def _has_said(self, line: str) -> bool:
        return any(line in text for _, text in list(self.process.lines))


def state_of(task: Path) -> str:
    try:
        return (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "T"
