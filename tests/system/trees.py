# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the tree of a deployed disk the tree of the image, but for what the steps and the first start changed?"""

import contextlib
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

from lab import LabError, run

# What the steps of the example task sequence write into the OS, and what a first start of Debian makes or
# changes by itself. A path ends in "/": everything below it too.
CHANGED = (
    "boot/efi/",  # mount point of the EFI system partition
    "boot/grub/",
    "boot/slipway/",  # Setup: the menu of the disk
    "etc/.pwd.lock",
    "etc/.updated",
    "etc/default/keyboard",  # Apply Windows Settings
    "etc/fstab",  # Setup
    "etc/hostname",  # Apply Windows Settings
    "etc/hosts",
    "etc/localtime",
    "etc/machine-id",
    "etc/resolv.conf",  # Apply Network Settings
    "etc/shadow",
    "etc/shadow-",
    "etc/systemd/network/",
    "etc/systemd/system/",
    "etc/timezone",
    "lost+found/",
    "root/.bash_history",
    "tmp/",
    "usr/lib/slipway/",  # the agent
    "etc/vconsole.conf",
    "var/.updated",
    "var/cache/",
    "var/lib/dbus/",
    "var/lib/slipway/",
    "var/lib/systemd/",
    "var/log/",
    "var/tmp/",
)


def is_changed(name: str) -> bool:
    return any(name == path.rstrip("/") or (path.endswith("/") and name.startswith(path)) for path in CHANGED)


def describe(root: Path, path: Path, links: dict) -> tuple:
    """All that an image keeps of a file, in a form that can be compared."""
    info = path.lstat()
    kind = stat.S_IFMT(info.st_mode)
    what = [oct(info.st_mode), info.st_uid, info.st_gid]
    if stat.S_ISREG(kind):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        what += [info.st_size, digest, int(info.st_mtime)]
    elif stat.S_ISLNK(kind):
        what.append(os.readlink(path))
    elif stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        what.append(info.st_rdev)
    if not stat.S_ISDIR(kind) and info.st_nlink > 1:
        first = links.setdefault(info.st_ino, str(path.relative_to(root)))
        what.append(f"the same file as {first}")
    what.append({name: os.getxattr(path, name, follow_symlinks=False).hex() for name in os.listxattr(path, follow_symlinks=False)})
    return tuple(map(str, what))


def tree_of(root: Path) -> dict:
    out = {}
    links = {}
    for base, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = Path(base) / name
            relative = str(path.relative_to(root))
            if not is_changed(relative):
                out[relative] = describe(root, path, links)
    return out


def root_partition(disk: Path) -> tuple:
    """Offset and size in bytes of the largest partition."""
    table = json.loads(run("sfdisk", "--json", disk).stdout)["partitiontable"]
    sector = int(table.get("sectorsize", 512))
    biggest = max(table["partitions"], key=lambda part: part["size"])
    return biggest["start"] * sector, biggest["size"] * sector


@contextlib.contextmanager
def mounted(disk: Path, folder: Path):
    """The root file system of a deployed disk, its journal replayed as the next start would."""
    mount = folder / "mnt"
    mount.mkdir(exist_ok=True)
    offset, size = root_partition(disk)
    run("mount", "-o", f"loop,offset={offset},sizelimit={size}", disk, mount)
    try:
        yield mount
    finally:
        run("umount", mount)


def has_state(disk: Path, folder: Path) -> bool:
    """Whether the task sequence's own folder is still there."""
    with mounted(disk, folder) as root:
        return (root / "_SMSTaskSequence").exists()


def read(disk: Path, folder: Path, name: str) -> str:
    """A file of the installed system."""
    with mounted(disk, folder) as root:
        return (root / name).read_text(encoding="utf-8", errors="replace")


def names(disk: Path, folder: Path, name: str) -> list:
    """What is in a folder of the installed system."""
    with mounted(disk, folder) as root:
        return sorted(os.listdir(root / name))


def differences(wanted: dict, found: dict) -> list:
    out = [f"missing: {name}" for name in wanted if name not in found]
    out += [f"not of the image: {name}" for name in found if name not in wanted]
    for name in wanted:
        if name in found and wanted[name] != found[name]:
            out.append(f"differs: {name}: {wanted[name]} became {found[name]}")
    return sorted(out)


def compare(wim: Path, disk: Path, folder: Path):
    """Apply the WIM with wimlib's own program beside, and compare; LabError names what differs."""
    reference = folder / "reference"
    reference.mkdir()
    try:
        run("wimlib-imagex", "apply", wim, "1", reference, "--unix-data", timeout=300)
        with mounted(disk, folder) as root:
            wanted, found = tree_of(reference), tree_of(root)
            if (root / "_SMSTaskSequence").exists():
                raise LabError("_SMSTaskSequence is still on the disk after success")
    finally:
        shutil.rmtree(reference, ignore_errors=True)
    wrong = differences(wanted, found)
    if len(wanted) < 1000:
        raise LabError(f"the image has only {len(wanted)} files: nothing was compared")
    if wrong:
        raise LabError(f"{len(wrong)} differences between image and deployed disk:\n" + "\n".join(wrong[:40]))
    print(f"the deployed disk equals the image: {len(wanted)} files")
