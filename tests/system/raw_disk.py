# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on a disk, without a program being started for each look at it."""

import contextlib
import ctypes
import errno
import os
import time
import uuid
from pathlib import Path

from lab import LabError

SECTOR = 512
BOOT_CODE_BYTES = 440  # then there are numbers that are drawn for each disk, and the partition table
TABLE_END = {"dos": SECTOR, "gpt": 34 * SECTOR}
ESP_TYPES = ("ef", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
MS_NOATIME = 1024
BUSY_SECONDS = 60
LIBC = ctypes.CDLL(None, use_errno=True)


def partitions(disk: Path) -> list:
    """Number, offset, size and type of each; none if there is no partition table."""
    with open(disk, "rb") as file:
        head = file.read(TABLE_END["gpt"])
    if head[510:512] != b"\x55\xaa":
        return []
    out = []
    if head[SECTOR:SECTOR + 8] == b"EFI PART":
        for number in range(128):
            entry = head[1024 + number * 128:][:128]
            first, last = (int.from_bytes(entry[at:at + 8], "little") for at in (32, 40))
            if first:
                out.append((number + 1, first * SECTOR, (last - first + 1) * SECTOR, str(uuid.UUID(bytes_le=entry[:16]))))
        return out
    for number in range(4):
        entry = head[446 + number * 16:][:16]
        first, size = (int.from_bytes(entry[at:at + 4], "little") for at in (8, 12))
        if size:
            out.append((number + 1, first * SECTOR, size * SECTOR, f"{entry[4]:02x}"))
    return out


def root_of(parts: list) -> tuple:
    """The largest."""
    return max(parts, key=lambda part: part[2])


def unmount(mount: Path):
    """A program that the other thread starts holds our open files between its fork and its exec: for that long it is busy."""
    deadline = time.monotonic() + BUSY_SECONDS
    while LIBC.umount2(str(mount).encode(), 0) != 0:
        if ctypes.get_errno() != errno.EBUSY or time.monotonic() > deadline:
            raise LabError(f"{mount} cannot be unmounted: {os.strerror(ctypes.get_errno())}")
        time.sleep(0.01)


@contextlib.contextmanager
def mounted(device: str, kind: str, folder: Path):
    """The file system of a partition, its journal replayed; None if there is none."""
    mount = folder / "mnt"
    mount.mkdir(exist_ok=True)
    if LIBC.mount(device.encode(), str(mount).encode(), kind.encode(), MS_NOATIME, None) != 0:
        yield None
        return
    try:
        yield mount
    finally:
        unmount(mount)


def boot_code(disk: Path) -> bytes:
    """What is before the file system, but for the partition table."""
    offset = root_of(partitions(disk))[1]
    with open(disk, "rb") as file:
        head = file.read(offset)
    style = "gpt" if head[SECTOR:SECTOR + 8] == b"EFI PART" else "dos"
    return head[:BOOT_CODE_BYTES] + head[TABLE_END[style]:]
