# SPDX-License-Identifier: GPL-3.0-or-later
"""What all files of system tests have in common: one test of a table is run, in a folder of its own.

usage of each: FILE BUILD_DIR TEST [--keep]
Exit status: 0 passed, 1 failed, 2 no such test, 77 this machine lacks something, which is said; where CI is set that is a failure.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from lab import LabError, open_folder


def remove(path: Path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000


def own_mounts():
    """What is mounted from now on nobody else sees: a test that runs beside this one, and makes a namespace just then, would keep the
    disk of a computer mounted that is long switched on again."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and (libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0):
        raise LabError(f"mounts of our own: {os.strerror(ctypes.get_errno())}")


def run(tests: dict, usage: str, lacks: list, play, litter: tuple) -> int:
    """@play: is called with the test, the build folder and the test's name; @litter: patterns of what is large in the
    test's folder, and goes when it has passed."""
    if len(sys.argv) < 3 or sys.argv[2] not in tests:
        print(usage.strip() + "\n\nTests: " + ", ".join(tests), file=sys.stderr)
        return 2
    if lacks:
        print("\n".join(lacks))
        return 1 if os.environ.get("CI") else 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    build, name = Path(sys.argv[1]).resolve(), sys.argv[2]
    folder = open_folder(build / "system") / name
    try:
        own_mounts()
        play(tests[name], build, name)
    except (LabError, subprocess.SubprocessError) as error:
        print(getattr(error, "screen", ""), f"{name} FAILED: {error}", sep="\n", flush=True)
        print(f"logs: {folder}/", flush=True)
        return 1
    if "--keep" not in sys.argv:
        for pattern in litter:
            for path in list(folder.glob(pattern)):
                remove(path)
    print(f"{name}: ok", flush=True)
    return 0
