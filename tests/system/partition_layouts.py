#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format and Partition Disk on disks with sectors of 512 and 4096 bytes, compared with what sfdisk and blkid read.

usage: partition_layouts.py FORMAT_DISK

FORMAT_DISK is the program of tests/format_disk.c. The disks are loop devices. Exit status 77: this machine lacks
something, which is said; never where CI is set.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

MIB = 1024 * 1024
REST = ""
PROGRAMS = ("losetup", "sfdisk", "blkid", "unshare", "mkfs.ext4", "mkfs.vfat", "mkfs.xfs", "mkfs.btrfs", "mkntfs", "mkswap", "umount")
GUIDS = {
    "EFI": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "GRUB": "21686148-6449-6E6F-744E-656564454649",
    "MSR": "E3C9E316-0B5C-4DB8-817D-F92DF00215AE",
    "Recovery": "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC",
    "Windows": "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
    "Linux": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
    "swap": "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F",
}
BLKID = {"NTFS": "ntfs", "FAT32": "vfat", "ext4": "ext4", "xfs": "xfs", "btrfs": "btrfs", "swap": "swap", "": None}


class TestError(Exception):
    """What was not as it should be."""


def run(*command, **more) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise TestError(f"{' '.join(map(str, command))}: {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def expect(is_so, text: str):
    if not is_so:
        raise TestError(text)


@dataclass
class Part:
    """A partition of a step, and how it must be read afterwards."""

    type: str
    size: str = REST  # "100", "2 GB", "50 Percent"
    fs: str = ""
    settings: dict = field(default_factory=dict)
    code: str = ""  # as sfdisk says; "": by type and file system
    becomes: str = ""  # another file system than was asked for
    is_ours: bool = False  # not in the step: added for the firmware


def step(parts=(), style="", name="f", **variables) -> str:
    values = dict(variables)
    if style:
        values["OSDPartitionStyle"] = style
    for i, part in enumerate(p for p in parts if not p.is_ours):
        size, _, unit = part.size.partition(" ")
        own = {"Type": part.type, "FileSystem": part.fs, "Size": size, "SizeUnits": unit, **part.settings}
        values |= {f"OSDPartitions{i}{key}": value for key, value in own.items() if value}
    text = "".join(f'<variable name="{key}" property="{key[3:]}">{escape(value)}</variable>' for key, value in values.items())
    return f'<step type="SMS_TaskSequence_PartitionDiskAction" name="{name}"><defaultVarList>{text}</defaultVarList></step>'


def destination(kind="ApplyDataImage", **variables) -> str:
    text = "".join(f'<variable name="{key}" hidden="true">{value}</variable>' for key, value in variables.items())
    return f'<step type="SMS_TaskSequence_{kind}Action" name="a"><defaultVarList>{text}</defaultVarList></step>'


class Disk:
    """A loop device over a file with holes."""

    def __init__(self, folder: Path, sector: int, mib=3072, options=()):
        self.sector = sector
        self.bytes = mib * MIB
        handle, self.file = tempfile.mkstemp(dir=folder)
        os.truncate(handle, self.bytes)
        os.close(handle)
        self.options = options
        self.device = ""

    def __enter__(self):
        self.device = run("losetup", "-f", "--show", "-P", "-b", self.sector, *self.options, self.file).strip()
        return self

    def __exit__(self, *why):
        run("losetup", "-d", self.device)
        os.unlink(self.file)

    @property
    def name(self) -> str:
        return Path(self.device).name

    def wait_until_free(self):
        """Mounts of a killed process go a moment after it."""
        until = time.monotonic() + 20
        while True:
            try:
                os.close(os.open(self.device, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC))
                return
            except OSError:
                expect(time.monotonic() < until, f"{self.device} stays in use")
                time.sleep(0.05)

    def table(self) -> dict:
        return json.loads(run("sfdisk", "--json", self.device))["partitiontable"]

    def hash(self) -> str:
        with open(self.device, "rb") as disk:
            return hashlib.sha256(disk.read(8 * MIB)).hexdigest()


class Runner:
    def __init__(self, program: str, folder: Path):
        self.program = program
        self.sequence = folder / "sequence.xml"

    def command(self, steps: str, firmware: str, disks) -> list:
        self.sequence.write_text(f'<sequence version="3.10">{steps}</sequence>', encoding="utf-8")
        # mounts are made in a name space of its own, so nothing stays mounted whatever happens
        return ["unshare", "-m", self.program, str(self.sequence), firmware, *(disk.name for disk in disks)]

    def run(self, steps: str, firmware: str, *disks) -> dict:
        return json.loads(run(*self.command(steps, firmware, disks)))

    def run_well(self, steps: str, firmware: str, *disks) -> dict:
        said = self.run(steps, firmware, *disks)
        for result in said["results"]:
            is_unmountable = result.get("error_id") == "SLW-0457" and not can_mount(said)
            expect("error_id" not in result or is_unmountable, f"{result}")
            expect(not result["went_back"], f"progress went back: {result}")
        return said

    def kill(self, steps: str, firmware: str, after_s: float, *disks) -> bool:
        with subprocess.Popen(
            self.command(steps, firmware, disks), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            try:
                process.wait(after_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        for disk in disks:
            disk.wait_until_free()
        return process.returncode != 0


def can_mount(said: dict) -> bool:
    """Whether this machine's kernel, which need not be a boot image's, knows the file systems of the target."""
    known = Path("/proc/filesystems").read_text(encoding="utf-8").split()
    devices = [device for device in (said["target"]["root"], said["target"]["esp"]) if device]
    return all(blkid(device).get("TYPE") in known for device in devices)


def blkid(device: str) -> dict:
    done = subprocess.run(["blkid", "-p", "-o", "export", device], capture_output=True, text=True, check=False)
    expect(done.returncode in (0, 2), f"blkid {device}: {done.returncode}")
    lines = (line.replace("\\", "") for line in done.stdout.splitlines())  # what a shell would read is escaped
    return dict(line.split("=", 1) for line in lines if "=" in line)


def code_of(part: Part, is_gpt: bool) -> str:
    if part.code:
        return part.code
    fs = part.becomes or part.fs
    if is_gpt:
        if part.type in GUIDS:
            return GUIDS[part.type]
        return GUIDS["swap"] if fs == "swap" else GUIDS["Windows" if fs in ("NTFS", "FAT32") else "Linux"]
    if part.type in ("EFI", "Extended", "Recovery"):
        return {"EFI": "ef", "Extended": "f", "Recovery": "27"}[part.type]
    return {"NTFS": "7", "FAT32": "c", "swap": "82"}.get(fs, "83")


class Cursor:
    """Where the next partition must begin, in MiB, worked out here once more."""

    def __init__(self, disk: Disk, is_gpt: bool):
        self.at, self.end = 1, disk.bytes // MIB - 1
        if not is_gpt:  # as far as 32 bits count
            self.end = min(self.end, 2**32 * disk.sector // MIB - 1)
        self.inner_at = self.inner_end = 0

    def place(self, part: Part) -> tuple:
        is_logical = part.type == "Logical"
        begin, end = (self.inner_at + 1, self.inner_end) if is_logical else (self.at, self.end)
        number, _, unit = part.size.partition(" ")
        size = end - begin if not number else int(number)
        if unit == "GB":
            size *= 1024
        if unit == "Percent":
            size = (end - begin) * MIB // 100 * size // MIB if size < 100 else end - begin
        if is_logical:
            self.inner_at = begin + size
        else:
            self.at = begin + size
        if part.type == "Extended":
            self.inner_at, self.inner_end = begin, begin + size
        return begin, size


def numbers(parts: list) -> list:
    """As the firmware's own would have them: GRUB's behind all others, logical ones from 5."""
    primary, logical, found = 0, 4, []
    for part in parts:
        if part.type == "Logical":
            logical += 1
        elif part.type != "GRUB":
            primary += 1
        found.append(logical if part.type == "Logical" else primary)
    return [primary + 1 if part.type == "GRUB" else number for part, number in zip(parts, found)]


def check_partition(disk: Disk, part: Part, read: dict, place: tuple, is_gpt: bool):
    begin, size = place
    what = f"{read['node']} ({part.type}, {part.fs or 'no file system'})"
    expect(read["start"] * disk.sector == begin * MIB, f"{what} begins at {read['start'] * disk.sector}, not at {begin} MiB")
    expect(read["size"] * disk.sector == size * MIB, f"{what} has {read['size'] * disk.sector} bytes, not {size} MiB")
    expect(read["type"].upper() == code_of(part, is_gpt).upper(), f"{what} has type {read['type']}, not {code_of(part, is_gpt)}")
    if not is_gpt:
        expect(read.get("bootable", False) == (part.settings.get("Bootable") == "true"), f"{what}: bootable is {read.get('bootable')}")
    if is_gpt and part.settings.get("VolumeName"):
        expect(read["name"] == part.settings["VolumeName"], f"{what} is named {read['name']}")
    if part.settings.get("attrs"):
        expect(read.get("attrs") == part.settings["attrs"], f"{what} has attributes {read.get('attrs')}")
    found = blkid(read["node"])
    kind = BLKID[part.becomes or part.fs]
    expect(found.get("TYPE") == kind, f"{what} holds {found}, not {kind}")
    if part.settings.get("label"):
        expect(found.get("LABEL") == part.settings["label"], f"{what} has label {found.get('LABEL')}")


def check_disk(disk: Disk, parts: list, is_gpt: bool):
    table = disk.table()
    expect(table["label"] == ("gpt" if is_gpt else "dos"), f"a table of {table['label']}")
    expect(table.get("sectorsize", 512) == disk.sector, f"sectors of {table.get('sectorsize')}")
    read = {int(entry["node"].rpartition("p")[2]): entry for entry in table.get("partitions", [])}
    expect(sorted(read) == sorted(numbers(parts)), f"partitions {sorted(read)}, not {sorted(numbers(parts))}")
    cursor = Cursor(disk, is_gpt)
    for part, number in zip(parts, numbers(parts)):
        check_partition(disk, part, read[number], cursor.place(part), is_gpt)
    run("sfdisk", "--verify", disk.device)


def esp(mib=64) -> Part:
    return Part("EFI", str(mib), "FAT32", is_ours=True)


GRUB = Part("GRUB", "1", is_ours=True)
ACTIVE = {"Bootable": "true"}
ROOT = Part("Primary", fs="ext4", is_ours=True)
ACTIVE_ROOT = Part("Primary", fs="ext4", settings=ACTIVE, is_ours=True)


def of_windows(esp_mib: str) -> list:
    """As the wizard of Configuration Manager makes it for UEFI."""
    return [
        Part("RECOVERY", "300", "NTFS", {"VolumeName": "Windows RE Tools", "label": "Windows RE Tools", "QuickFormat": "true",
                                         "attrs": "RequiredPartition GUID:63"}, code=GUIDS["Recovery"]),
        Part("EFI", esp_mib, "FAT32", {"VolumeName": "Efi part", "label": "EFI PART"}),
        Part("MSR", "128", "", {"VolumeName": "MSR"}),
        Part("PRIMARY", "100 Percent", "NTFS", {"VolumeName": "Windows", "VolumeLetterVariable": "OSDisk"}, becomes="ext4"),
    ]


EXTENDED = [
    Part("Primary", "400", "ext4", {**ACTIVE, "VolumeName": "root", "label": "root"}),
    Part("Extended", "2 GB"),
    Part("Logical", "25 Percent", "xfs", {"VolumeName": "data", "label": "data"}),
    Part("Logical", "100", "swap", {"VolumeName": "swap", "label": "swap"}),
    Part("Logical", REST, "NTFS", {"VolumeName": "Shared", "label": "Shared"}),
    Part("Primary", REST, "FAT32"),
]
OF_BIOS = [
    Part("PRIMARY", "499", "NTFS", {**ACTIVE, "VolumeName": "BDEDrive", "label": "BDEDrive"}),
    Part("PRIMARY", "100 Percent", "NTFS", {"VolumeName": "OSDisk", "label": "OSDisk"}, becomes="ext4"),
]
MIXED = [
    Part("EFI", "300", "FAT32"),
    Part("Primary", "1 GB", "ext4", {"VolumeName": "Größe"}),
    Part("Primary", "256", "swap"),
    Part("Primary", "50 Percent", "xfs"),
    Part("Primary", "100 Percent", "NTFS", {"AssignVolumeLetter": "false", "attrs": "GUID:63"}),
]
BTRFS = [
    Part("Primary", "1 GB", "btrfs"),
    Part("Primary", "200", "FAT32", {"VolumeName": "stick", "label": "STICK"}),
    Part("Hidden", "100", "NTFS", {"attrs": "GUID:62,63"}),
]
HIDDEN = [
    Part("Primary", "1 GB", "ext4", ACTIVE),
    Part("Hidden", "100", "NTFS", code="17"),
    Part("Hidden", "100", "FAT32", code="1c"),
    Part("Recovery", "100", "NTFS"),
]
FULL = [
    Part("Primary", "300", "ext4", {**ACTIVE, "QuickFormat": "false"}),
    Part("Primary", "50", "NTFS", {"QuickFormat": "false"}),
]
LOGICAL_ROOT = [Part("Primary", "100", "", ACTIVE), Part("Extended"), Part("Logical", "1 GB", "ext4"), *[Part("Logical", "5", "swap")] * 20]
MANY = [Part("Primary", "1 GB", "ext4"), *[Part("Primary", "10", "swap")] * 40, Part("Primary")]

# name, sector, style of the step ("": none is said), firmware, what is read afterwards, further settings
LAYOUTS = (
    ("default, UEFI", 512, "", "uefi", [esp(), ROOT], {}),
    ("default, UEFI, 4096", 4096, "", "uefi", [esp(257), ROOT], {}),
    ("default, BIOS", 512, "", "bios", [ACTIVE_ROOT], {}),
    ("default, BIOS, 4096", 4096, "", "bios", [ACTIVE_ROOT], {}),
    ("default, BIOS with GPT", 512, "GPT", "bios", [GRUB, ROOT], {}),
    ("default, BIOS with GPT, 4096", 4096, "GPT", "bios", [GRUB, ROOT], {}),
    ("Windows on UEFI", 512, "GPT", "uefi", of_windows("512"), {}),
    ("Windows on UEFI, 4096", 4096, "GPT", "uefi", of_windows("512"), {}),
    ("Windows on BIOS", 512, "MBR", "bios", OF_BIOS, {}),
    ("Windows on BIOS, 4096", 4096, "MBR", "bios", OF_BIOS, {}),
    ("extended and logical", 512, "MBR", "bios", EXTENDED, {}),
    ("extended and logical, 4096", 4096, "MBR", "bios", EXTENDED, {}),
    ("mixed", 512, "GPT", "uefi", MIXED, {}),
    ("mixed, 4096", 4096, "GPT", "uefi", MIXED, {}),
    ("btrfs and hidden, GRUB's own place", 512, "GPT", "bios", [GRUB, *BTRFS], {}),
    ("hidden and recovery on MBR", 512, "MBR", "bios", HIDDEN, {}),
    ("a boot disk without an EFI partition of its own", 512, "GPT", "uefi",
     [esp(), Part("Primary", "1 GB", "ext4")], {"OSDGPTBootDisk": "true"}),
    ("root on a logical partition, many of them", 512, "MBR", "bios", LOGICAL_ROOT, {}),
    ("42 partitions", 512, "GPT", "bios", [GRUB, *MANY], {}),
    ("42 partitions, 4096", 4096, "GPT", "bios", [GRUB, *MANY], {}),
    ("full format", 512, "MBR", "bios", FULL, {}),
    ("full format, 4096", 4096, "MBR", "bios", FULL, {}),
)


def test_layouts(runner: Runner, folder: Path):
    for name, sector, style, firmware, parts, more in LAYOUTS:
        with Disk(folder, sector) as disk:
            said = runner.run_well(step(parts, style, **more), firmware, disk)
            expect(said["target"]["is_mounted"] or not can_mount(said), "the target is not mounted")
            table = disk.table()
            check_disk(disk, parts, table["label"] == "gpt")
            expect(table["label"] == {"GPT": "gpt", "MBR": "dos", "": "gpt" if firmware == "uefi" else "dos"}[style], "wrong style")
        print(f"{name}: as sfdisk and blkid read it", flush=True)


def test_large_disks(runner: Runner, folder: Path):
    """What an MBR cannot count is left unused; a GPT counts it."""
    parts = [Part("Primary", "1 GB", "ext4", ACTIVE), Part("Primary", "", "")]
    for sector, style in ((512, "MBR"), (4096, "MBR"), (512, "GPT")):
        with Disk(folder, sector, mib=3 * MIB) as disk:
            runner.run_well(step(parts, style), "bios", disk)
            check_disk(disk, parts if style == "MBR" else [GRUB, *parts], style == "GPT")
            last = max(entry["start"] + entry["size"] for entry in disk.table()["partitions"]) * disk.sector
            expect((last > 2 * MIB * MIB) == (sector == 4096 or style == "GPT"), f"{style}, {sector}: the last ends at {last}")


def test_full_format(runner: Runner, folder: Path):
    """A quick format leaves what lay between its structures; a full one leaves nothing of it."""
    for quick in ("true", "false"):
        with Disk(folder, 512, mib=400) as disk:
            with open(disk.device, "r+b") as raw:
                raw.seek(200 * MIB)
                raw.write(b"a secret of the past")
            said = runner.run_well(step([Part("Primary", "300", "ext4", {"QuickFormat": quick})], "MBR"), "bios", disk)
            n_told = said["results"][0]["n_told"]
            expect((n_told >= 300) == (quick == "false"), f"QuickFormat {quick}: progress was told {n_told} times")
            with open(disk.device, "rb") as raw:
                raw.seek(200 * MIB)
                is_there = raw.read(20) == b"a secret of the past"
        expect(is_there == (quick == "true"), f"QuickFormat {quick}: the old bytes are {'' if is_there else 'not '}there")


REFUSALS = (
    ("SLW-0452", [Part("Primary", "4 GB", "ext4")], "MBR", "bios"),
    ("SLW-0452", [Part("EFI", "64", "FAT32"), Part("Primary", "200", "ext4")], "GPT", "uefi"),
    ("SLW-0452", [Part("EFI", "16", "FAT32"), Part("Primary", "", "ext4")], "GPT", "uefi"),
    ("SLW-0454", [Part("Primary", "10", "ext4")] * 4 + [Part("Primary", "", "ext4")], "MBR", "bios"),
    ("SLW-0454", [Part("Logical", "1 GB", "ext4")], "MBR", "bios"),
    ("SLW-0454", [Part("Extended", "10"), Part("Extended", "10"), Part("Primary", "", "ext4")], "MBR", "bios"),
    ("SLW-0454", [Part("Extended"), Part("Logical", "1 GB", "ext4")], "GPT", "uefi"),
    ("SLW-0454", [Part("Primary", "1 GB", "ext4", ACTIVE), Part("Primary", "", "ext4", ACTIVE)], "MBR", "bios"),
    ("SLW-0454", [Part("Primary", "", "ext4")], "MBR", "uefi"),
    ("SLW-0454", [Part("Primary", "", "ext4")], "GPT", "uefi"),
    ("SLW-0454", [Part("Primary", "", "reiserfs")], "MBR", "bios"),
    ("SLW-0454", [Part("Tertiary", "", "ext4")], "MBR", "bios"),
    ("SLW-0454", [Part("Primary", "101 Percent", "ext4")], "MBR", "bios"),
    ("SLW-0454", [Part("Primary", "1 TB", "ext4")], "MBR", "bios"),
    ("SLW-0454", [Part("Primary", "", "ext4", {"VolumeLetterVariable": "_Mine"})], "MBR", "bios"),
    ("SLW-0454", [Part("Primary", "", "ext4")], "APM", "bios"),
)


def test_refusals(runner: Runner, folder: Path):
    with Disk(folder, 512) as disk:
        run("sfdisk", "-q", disk.device, input="label: gpt\n,10M\n")
        before = disk.hash()
        for error_id, parts, style, firmware in REFUSALS:
            result = runner.run(step(parts, style), firmware, disk)["results"][0]
            expect(result.get("error_id") == error_id, f"{parts}: {result}, not {error_id}")
            expect(disk.hash() == before, f"{parts}: refused, but the disk was written to")
        result = runner.run(step(OSDDiskIndex="1"), "bios", disk)["results"][0]
        expect(result.get("error_id") == "SLW-0450" and disk.hash() == before, f"disk 1: {result}")


def test_in_use(runner: Runner, folder: Path):
    """A disk that what runs here uses: nothing on it changes. The mount is in another name space than the step."""
    mount = folder / "mounted"
    mount.mkdir()
    with Disk(folder, 512) as disk:
        said = runner.run_well(step(EXTENDED, "MBR"), "bios", disk)
        run("mount", said["target"]["root"], mount)
        try:
            (mount / "mine").write_text("mine", encoding="utf-8")
            result = runner.run(step(), "bios", disk)["results"][0]
            expect(result.get("error_id") == "SLW-0453", f"{result}")
            check_disk(disk, EXTENDED, False)
            expect((mount / "mine").read_text(encoding="utf-8") == "mine", "a file is gone")
        finally:
            run("umount", mount)
    with Disk(folder, 512, options=("-r",)) as disk:
        result = runner.run(step(), "bios", disk)["results"][0]
        expect(result.get("error_id") == "SLW-0455", f"write-protected: {result}")


def test_two_disks(runner: Runner, folder: Path):
    """Several steps, a disk each; later steps find the volumes by variable, drive and number."""
    data = [Part("Primary", "1 GB", "NTFS", {"VolumeLetterVariable": "Data"}), Part("Primary", "", "xfs")]
    steps = step(of_windows("512"), "GPT", OSDDiskIndex="0") + step(data, "MBR", OSDDiskIndex="1")
    steps += destination(DestinationVariable="OSDisk") + destination(DestinationLogicalDrive="c:")
    steps += destination(DestinationDisk="1", DestinationPartition="2") + destination(DestinationVariable="Data")
    steps += destination()
    with Disk(folder, 512) as first, Disk(folder, 4096) as second:
        said = runner.run_well(steps, "uefi", first, second)
        check_disk(first, of_windows("512"), True)
        check_disk(second, data, False)
        found = [result["destination"] for result in said["results"][2:]]
        wanted = [f"{first.device}p4", f"{first.device}p1", f"{second.device}p2", f"{second.device}p1", ""]
        expect(found == wanted, f"destinations {found}, not {wanted}")
        expect(said["target"]["root"] == f"{first.device}p4", f"the target is {said['target']}")
        letters = [volume["letter"] for volume in said["volumes"]]
        expect(letters == ["C", "D", "", "E", "F", "G"], f"drives {letters}")
        uuids = {volume["uuid"] for volume in said["volumes"] if volume["letter"]}
        expect(uuids == {blkid(volume["device"])["UUID"] for volume in said["volumes"] if volume["letter"]}, "other volumes")
        again = runner.run(step(OF_BIOS, "MBR") * 2 + destination(DestinationLogicalDrive="E"), "bios", first, second)
        expect([volume["letter"] for volume in again["volumes"]] == ["C", "D"], f"{again['volumes']}")
        expect(again["results"][2].get("error_id") == "SLW-0459", f"{again['results']}")


def state_on(device: str, mount: Path) -> str:
    """What a state on a volume says; nothing if there is none."""
    run("mount", device, mount)
    try:
        state = mount / "_SMSTaskSequence/state.json"
        return state.read_text(encoding="utf-8") if state.exists() else ""
    finally:
        run("umount", mount)


def test_moved_target(runner: Runner, folder: Path):
    """Apply Operating System Image goes to the volume that it names, and the state goes with it."""
    mount = folder / "look"
    mount.mkdir()
    two = [Part("Primary", "1 GB", "ext4", {"VolumeLetterVariable": "OSPart"}), Part("Primary", "", "ext4")]
    other = [Part("Primary", "512", "NTFS"), Part("Primary", "", "xfs")]
    formats = step(two, "MBR") + step(other, "GPT", OSDDiskIndex="1")
    with Disk(folder, 512) as first, Disk(folder, 4096) as second:
        for where, wanted in (({"DestinationVariable": "OSPart"}, f"{first.device}p1"), ({"DestinationLogicalDrive": "D:"}, f"{first.device}p2"),
                              ({"DestinationDisk": "1", "DestinationPartition": "2"}, f"{second.device}p2")):
            said = runner.run_well(formats + destination("ApplyOperatingSystem", **where), "bios", first, second)
            expect(said["target"]["root"] == wanted and said["target"]["is_mounted"], f"{where}: {said['target']}")
            states = {device: state_on(device, mount) for device in (f"{first.device}p1", f"{first.device}p2", f"{second.device}p2")}
            expect([device for device, text in states.items() if text] == [wanted], f"{where}: states {states}")
            state = json.loads(states[wanted])
            expect(said["state"] == wanted, f"{where}: gone on with {said['state']}")
            is_moved = wanted != f"{first.device}p2"  # the larger one was the target before
            expect(not is_moved or state["target"]["root_uuid"] == blkid(wanted)["UUID"], f"{state}")
        for where in ({"DestinationLogicalDrive": "E"}, {"DestinationDisk": "0", "DestinationPartition": "3"}, {"DestinationVariable": "No"}):
            said = runner.run(formats + destination("ApplyOperatingSystem", **where), "bios", first, second)
            expect(said["results"][2].get("error_id") == "SLW-0459", f"{where}: {said['results'][2]}")
            expect(said["target"]["root"] == f"{first.device}p2", f"{where}: {said['target']}")


def put_state_on(device: str, disk: Disk, seq: int, order: str, mount: Path):
    target = {"disk_serial": "", "disk_size_bytes": disk.bytes}
    run("mount", device, mount)
    try:
        (mount / "_SMSTaskSequence").mkdir(exist_ok=True)
        state = {"seq": seq, "order": {"order_id": order}, "target": target}
        (mount / "_SMSTaskSequence/state.json").write_text(json.dumps(state), encoding="utf-8")
    finally:
        run("umount", mount)


def test_several_states(runner: Runner, folder: Path):
    """A move of the state that was cut short leaves two: the newest of the order counts, wherever it lies."""
    mount = folder / "states"
    mount.mkdir()
    two = [Part("Primary", "1 GB", "ext4"), Part("Primary", "", "ext4")]
    with Disk(folder, 512) as first, Disk(folder, 4096) as second:
        said = runner.run_well(step(two, "MBR") + step(two, "GPT", OSDDiskIndex="1"), "bios", first, second)
        expect(said["state"] == f"{first.device}p2", f"gone on with {said['state']}")
        states = [(first, 1, 8, "o"), (first, 2, 9, "other"), (second, 2, 100008, "o"), (second, 1, 10, "o")]
        for disk, number, seq, order in states:
            put_state_on(f"{disk.device}p{number}", disk, seq, order, mount)
        said = runner.run_well("", "bios", first, second)
        expect(said["state"] == f"{second.device}p2", f"gone on with {said['state']}")
        put_state_on(f"{second.device}p2", Disk(folder, 512, mib=1024), 100009, "o", mount)  # about another disk
        expect(runner.run_well("", "bios", first, second)["state"] == f"{second.device}p1", "the state of another disk")


def test_rules(runner: Runner, folder: Path):
    """Of several disks the one that the rules say, whatever its number."""
    with Disk(folder, 512, mib=1024) as small, Disk(folder, 512, mib=3072) as large, Disk(folder, 512, mib=2048) as middle:
        disks = (small, large, middle)
        for rules, wanted in (
            ({"OSDDiskPrefer": "Largest", "OSDDiskMinimumSize": "1"}, large),
            ({"OSDDiskPrefer": "Smallest", "OSDDiskMinimumSize": "1025"}, middle),
            ({"OSDDiskMaximumSize": "1024", "OSDDiskIndex": "1"}, small),
            ({"OSDDiskMinimumSize": "1025", "OSDDiskMaximumSize": "2500", "OSDDiskPrefer": "Only"}, middle),
            ({"OSDDiskTransport": "scsi"}, small),
        ):
            said = runner.run_well(step(**rules), "bios", *disks)
            expect(said["target"]["disk"] == wanted.device, f"{rules}: {said['target']['disk']}, not {wanted.device}")
        for rules in ({"OSDDiskSerial": "X*"}, {"OSDDiskMinimumSize": "9999"}, {"OSDDiskPrefer": "Only", "OSDDiskMinimumSize": "1"},
                      {"OSDDiskIndexVariable": "Missing"}, {"OSDDiskIndex": "first"}):
            result = runner.run(step(**rules), "bios", *disks)["results"][0]
            expect(result.get("error_id") == "SLW-0450", f"{rules}: {result}")
        said = runner.run_well(step(OSDDiskSerial="X*", OSDDiskOptional="true"), "bios", *disks)
        expect(said["target"]["disk"] == "" and said["volumes"] == [], f"an optional step did something: {said}")


def test_killed(runner: Runner, folder: Path):
    """Killed anywhere, the step does its whole work when it is begun again."""
    n_killed = 0
    with Disk(folder, 512) as disk:
        began = time.monotonic()
        runner.run_well(step(EXTENDED, "MBR"), "bios", disk)
        took = time.monotonic() - began
        for i in range(12):
            n_killed += runner.kill(step(EXTENDED if i % 2 else HIDDEN, "MBR"), "bios", took * i / 12, disk)
            runner.run_well(step(EXTENDED, "MBR"), "bios", disk)
            check_disk(disk, EXTENDED, False)
    expect(n_killed >= 4, f"killed {n_killed} times only")
    print(f"killed {n_killed} times, and whole afterwards", flush=True)


def lacks() -> str:
    if os.geteuid() != 0:
        return "root"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    return f"the programs {', '.join(missing)}" if missing else ""


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if lacks():
        print(f"skipped: this test needs {lacks()}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 77
    with tempfile.TemporaryDirectory(prefix="slipway-layouts-") as name:
        folder = Path(name)
        runner = Runner(str(Path(sys.argv[1]).resolve()), folder)
        tests = (test_layouts, test_large_disks, test_full_format, test_refusals, test_in_use, test_two_disks, test_moved_target, test_several_states, test_rules, test_killed)
        for test in tests:
            try:
                test(runner, folder)
            except TestError as error:
                print(f"FAILED: {test.__name__}: {error}", file=sys.stderr)
                return 1
            print(f"{test.__name__}: passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
