# SPDX-License-Identifier: GPL-3.0-or-later
"""A boot image that is there without a kernel and minutes to build it."""

import os
import sqlite3
import time
from pathlib import Path

from data import insert

IMAGE = "SLP00F01"
FILES = ("shimx64.efi", "ramdisk.img")  # what PXE and what UEFI HTTP Boot fetches
FILE_BYTES = 1 << 20


def add_boot_image(db: sqlite3.Connection):
    """Behind the site's back, but before it is asked: prepared, as docs/performance.md says."""
    now = int(time.time() * 1e6)
    insert(db, "package", id=IMAGE, kind="boot-image", name="Bench", arch="x64", state="ready", priority="high", created_us=now,
           current_version=1)
    insert(db, "content_version", package_id=IMAGE, number=1, state="ready", created_us=now, ready_us=now)
    insert(db, "distribution_version", dp_id="DP00001", package_id=IMAGE, version=1, present_us=now)


def add_boot_files(state: Path) -> Path:
    """The same bytes under each name. Return: one of the files."""
    folder = state / "dp" / "boot" / IMAGE / "x64"
    folder.mkdir(parents=True)
    content = os.urandom(FILE_BYTES)
    for name in FILES:
        (folder / name).write_bytes(content)
    for path in (folder.parent, folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder / FILES[0]
