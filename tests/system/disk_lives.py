#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power goes at many moments of a deployment, and what was not flushed goes with it: no virtual machine, real steps.

usage: disk_lives.py BUILD_DIR PROGRAM [--points N] [--keep]

One deployment is run to its end on a loop device whose writes and flushes are logged. Then, for each of many moments between its
first write and its last, the disk is made as a power cut at that moment leaves it: what was flushed is there, and of
the rest some, some in part, and the others not. The computer is started again as its firmware would, as often as it takes.
Whatever the moment: the state on the disk is whole, and not behind what the site was told; without an order nothing is written; a
step that must not be repeated is begun once; and there is an end, with the system and the boot loader that an undisturbed run leaves.
Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import LabError, open_folder, run  # noqa: E402
from raw_disk import ESP_TYPES, boot_code, mounted, partitions, root_of  # noqa: E402
from system_test import expect, say, step_xml  # noqa: E402
from write_cache import FLUSH, WriteLog, n_safe, replay  # noqa: E402

TEST = "ts-power-cut-matrix"
OWN_MOUNTS = "SLIPWAY_TEST_HAS_OWN_MOUNTS"
DISK_BYTES = 1 << 30
SEED = 1
N_POINTS = 60  # at least, of each computer
N_INSIDE = 4  # of a step that changes the disk more than N_LARGE times
N_LARGE = 20
CHANGING = ("Format and Partition Disk", "Apply Operating System Image", "Apply Data Image", "Apply Windows Settings", "Apply Network Settings",
            "Download Package Content", "Setup Windows and Configuration Manager", "Install Package", "Install Application", "Download in the system")
CAPTURING = ("Prepare for Capture", "Capture, which the site does not take")
STARTS_MAX = 20
READY_SECONDS = 60
LIFE_SECONDS = 150
STAGED = "_SMSTaskSequence/boot"
LOADER = "EFI/BOOT/BOOTX64.EFI"
# What the steps with a package and the data image leave
PUT = ("opt/downloaded/SLP00004/install.sh", "opt/program/data", "opt/application/data", "DATA/usr/large")
ONCE = 2  # index of the step that must not be run twice
# Of the tree, what two runs do not have in common: logs with their times, and what is drawn anew each time
OWN = ("var/log/slipway/", "lost+found/", "etc/shadow", "etc/machine-id", "var/lib/slipway/client/client.json")


def variables(values: dict) -> str:
    return "".join(f'<variable name="{name}">{value}</variable>' for name, value in values.items())


def step(kind: str, name: str, run_in="WinPE", values=(), **more) -> str:
    attributes = "".join(f' {key}="{value}"' for key, value in more.items())
    return (
        f'<step type="SMS_TaskSequence_{kind}Action" name="{name}" runIn="{run_in}" successCodeList="0"{attributes}>'
        f"<action/><defaultVarList>{variables(dict(values))}</defaultVarList></step>"
    )


def two_volumes(firmware: str) -> dict:
    first = {"Type": "Primary", "FileSystem": "ext4", "Size": "60", "SizeUnits": "Percent", "QuickFormat": "true", "Bootable": "true"}
    second = {"Type": "Primary", "FileSystem": "ext4", "VolumeName": "Data", "QuickFormat": "true", "VolumeLetterVariable": "DATA"}
    style = {"bios-gpt": {"OSDPartitionStyle": "GPT"}, "uefi": {"OSDGPTBootDisk": "true"}}
    out = {"OSDDiskIndex": "0", "OSDPartitions": "2", **style.get(firmware, {})}
    for number, values in enumerate((first, second)):
        out |= {f"OSDPartitions{number}{key}": value for key, value in values.items()}
    return out


def round_trips(firmware: str) -> str:
    """From the system into the boot image that lies on the disk, and back: on one computer to capture it, on others
    by a step of its own and by request."""
    back = step("Reboot", "To the system", values={"SMSRebootTarget": "HD"})
    if firmware == "bios-gpt":
        capture = step("CaptureSystemImage", CAPTURING[1], values={"OSDCaptureDestination": "Captured"}, continueOnError="true")
        return step("PrepareOS", CAPTURING[0], "FullOS") + capture + back
    return (
        step("Reboot", "To the boot image", "FullOS", values={"SMSRebootTarget": "WinPE"})
        + step("SetVariable", "In the boot image", values={"VariableName": "A", "VariableValue": "b"})
        + back
        + step("SetVariable", "By request", "FullOS", values={"VariableName": "SMSTSRebootRequested", "VariableValue": "WinPE"})
        + step("SetVariable", "Back by request", values={"VariableName": "SMSTSRebootRequested", "VariableValue": "HD"})
    )


def sequence(folder: Path, firmware: str) -> str:
    """The steps that change a disk, and one that must not be run twice among them."""
    image = {"ImagePackageID": "SLP00002"}
    data = {**image, "OSDDataImageIndex": "1", "DestinationVariable": "DATA", "OSDWipeDestinationPartition": "true"}
    download = {"OSDDownloadDownloadPackages": "SLP00004"}
    there = {"OSDDownloadDestinationLocationType": "Custom", "OSDDownloadDestinationPath": "/run/slipway/target/opt/downloaded"}
    program = {"PackageID": "SLP00004", "_SMSSWDProgramName": "Install"}
    settings = {"OSDComputerName": "pc-7", "OSDTimeZone": "Europe/Amsterdam", "OSDLocalAdminPassword": "Sesame-7"}
    return (
        '<sequence version="3.10">'
        + step("SetVariable", "Before there is a disk", values={"VariableName": "Kept", "VariableValue": "kept"})
        + step("PartitionDisk", "Format and Partition Disk", values=two_volumes(firmware))
        + step("RunCommandLine", "Once", values={"CommandLine": f"echo %Kept% >>{folder}/effects"}, continueOnError="true")
        + step("ApplyOperatingSystem", "Apply Operating System Image", values={**image, "OSDImageIndex": "1"})
        + step("ApplyDataImage", "Apply Data Image", values=data)
        + step("ApplyWindowsSettings", "Apply Windows Settings", values=settings)
        + step("ApplyNetworkSettings", "Apply Network Settings", values={"OSDNetworkJoinType": "1", "OSDWorkgroupName": "W"})
        + step("DownloadPackageContent", "Download Package Content", values={**download, **there})
        + step("SetupWindowsAndSMS", "Setup Windows and Configuration Manager", "WinPEandFullOS")
        + step("CaptureWindowsSettings", "Capture Windows Settings", "FullOS")
        + step("CaptureNetworkSettings", "Capture Network Settings", "FullOS")
        + step("InstallSoftware", "Install Package", "FullOS", values=program, retryCount="5")
        + step("InstallApplication", "Install Application", "FullOS", values={"OSDApp0Name": "Tools"})
        + step("DownloadPackageContent", "Download in the system", "FullOS", values=download)
        + round_trips(firmware)
        + step("SetVariable", "Last", "FullOS", values={"VariableName": "A", "VariableValue": "c"})
        + "</sequence>"
    )


@dataclass
class Report:
    """What the site was told, and how long the log of writes was then."""

    at: int
    state: str
    step: int
    error: str
    name: str


@dataclass
class Point:
    """A power cut after so many entries of the log."""

    n_entries: int
    number: int
    is_network_first: bool
    has_no_order_first: bool


@dataclass
class Computer:
    """One firmware, a program that runs the starts, and what an undisturbed deployment leaves."""

    firmware: str
    folder: Path
    program: subprocess.Popen = None
    tree: dict = field(default_factory=dict)
    boot: bytes = b""
    loader: bytes = b""

    def start(self, program: Path):
        self.folder.mkdir(parents=True)
        xml = self.folder / "sequence.xml"
        xml.write_text(sequence(self.folder, self.firmware), encoding="utf-8")
        command = [str(program), str(xml), "uefi" if self.firmware == "uefi" else "bios", str(self.folder)]
        with open(self.folder / "program.log", "wb") as log:
            self.program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        expect(self.program.stdout.readline().strip(), "ready", f"{command[0]}; see {log.name}")

    def stop(self):
        self.program.stdin.close()
        self.program.wait(READY_SECONDS)

    def live(self, device: str, volume: str, environment: str, order="order", log="-") -> str:
        self.program.stdin.write(f"{device} {volume} {environment} {order} {log}\n")
        self.program.stdin.flush()
        return self.program.stdout.readline().strip()

    def begin(self):
        for name in ("effects", "reports"):
            (self.folder / name).unlink(missing_ok=True)

    def reports(self) -> list:
        path = self.folder / "reports"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = [line.split("\t") for line in lines]
        return [Report(int(row[0]), row[1], int(row[2]), row[3], row[4]) for row in rows]

    def n_effects(self) -> int:
        path = self.folder / "effects"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


@contextlib.contextmanager
def loop(path: Path):
    device = run("losetup", "--find", "--show", "--partscan", path).stdout.strip()
    run("partx", "--update", device, check=False)  # a kernel may know no partition tables itself
    try:
        yield device.removeprefix("/dev/")
    finally:
        run("losetup", "--detach", device, check=False)


@contextlib.contextmanager
def logged(disk: Path, log: Path):
    """A file that is @disk, whose writes and flushes are kept in @log."""
    front = disk.with_suffix(".front")
    front.write_bytes(b"")
    log.write_bytes(b"")
    command = ["qemu-storage-daemon"]
    for name, path in (("f", disk), ("l", log)):
        command += ["--blockdev", f"driver=file,node-name={name},filename={path},cache.no-flush=on"]
    command += ["--blockdev", "driver=blklogwrites,node-name=d,file=f,log=l"]
    command += ["--export", f"type=fuse,id=e,node-name=d,mountpoint={front},writable=on"]
    with open(disk.with_suffix(".log"), "wb") as output:
        daemon = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while front.stat().st_size != DISK_BYTES:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"qemu-storage-daemon does not start: {output.name}")
            time.sleep(0.02)
        yield front
    finally:
        daemon.terminate()
        daemon.wait(READY_SECONDS)


@dataclass
class Found:
    """What a start finds on the disk."""

    volume: str = "-"  # "loop0p1": the root file system, if there is one
    state: dict = None  # of the task sequence
    is_bootable: bool = False
    starts_boot_image: bool = False  # the disk, if it can be booted
    tree: dict = None


def uuid_of(device: str) -> str:
    return run("blkid", "--probe", "--match-tag", "UUID", "--output", "value", device, check=False).stdout.strip()


def describe(root: Path, uuids: list) -> dict:
    """The files below @root: all but times, and whatever names a file system that is new each time."""
    out = {}
    for base, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(base) / name
            relative = str(path.relative_to(root))
            if any(relative.startswith(own) for own in OWN):
                continue
            info = path.lstat()
            what = [oct(info.st_mode), info.st_uid, info.st_gid]
            if stat.S_ISREG(info.st_mode):
                content = path.read_bytes()
                for number, uuid in enumerate(uuids):
                    content = content.replace(uuid.encode(), f"UUID{number}".encode()) if uuid else content
                what.append(hashlib.sha256(content).hexdigest())
            elif stat.S_ISLNK(info.st_mode):
                what.append(os.readlink(path))
            out[relative] = tuple(what)
    return out


def data_tree(parts: list, device: str, folder: Path) -> dict:
    """What Apply Data Image has made, on the second largest partition."""
    if len(parts) < 2:
        return {}
    data = sorted(parts, key=lambda part: part[2])[-2][0]
    with mounted(f"/dev/{device}p{data}", "ext4", folder) as tree:
        return {f"DATA/{name}": what for name, what in describe(tree, []).items()} if tree else {}


def look_at_loader(computer: Computer, esp: str, uuids: list, found: Found, wants_tree: bool):
    with mounted(esp, "vfat", computer.folder) as tree:
        loader = tree / LOADER if tree else None
        # what is damaged is refused by the firmware, which then goes on with the network
        found.is_bootable = bool(loader) and loader.exists() and bool(computer.loader) and loader.read_bytes() == computer.loader
        if tree and wants_tree:
            found.tree = {**(found.tree or {}), **{f"ESP/{name}": what for name, what in describe(tree, uuids).items()}}


def look(computer: Computer, disk: Path, device: str, wants_tree=False) -> Found:
    """Its journal is replayed, as any start does."""
    found = Found()
    parts = partitions(disk)
    if not parts:
        return found
    esp = next((part[0] for part in parts if part[3] in ESP_TYPES), None)
    root = root_of(parts)[0]
    uuids = [uuid_of(f"/dev/{device}p{number}") if number else "" for number in (root, esp)] if wants_tree else []
    with mounted(f"/dev/{device}p{root}", "ext4", computer.folder) as tree:
        if tree:
            found.volume = f"{device}p{root}"
            state = tree / "_SMSTaskSequence/state.json"
            found.state = json.loads(state.read_text(encoding="utf-8")) if state.exists() else None
            found.starts_boot_image = (tree / "_SMSTaskSequence/boot/grub.cfg").exists()
            found.tree = describe(tree, uuids) if wants_tree else None
    if wants_tree and found.tree is not None:
        found.tree |= data_tree(parts, device, computer.folder)
    if computer.firmware != "uefi":
        found.is_bootable = bool(computer.boot) and boot_code(disk) == computer.boot
    elif esp:
        look_at_loader(computer, f"/dev/{device}p{esp}", uuids, found, wants_tree)
    return found


def environment_of(found: Found, is_network_first: bool) -> str:
    """What the firmware starts."""
    if not found.is_bootable or is_network_first:
        return "boot-image"
    return "disk" if found.starts_boot_image else "full-os"


def to_the_end(computer: Computer, disk: Path, device: str, is_network_first=False, log="-") -> list:
    """Start until all is done; the first time over the network if the firmware does so. Return: how each start ended."""
    ends = []
    while len(ends) < STARTS_MAX:
        found = look(computer, disk, device)
        environment = environment_of(found, is_network_first and not ends)
        end = computer.live(device, found.volume, environment, "order", log)
        ends.append((environment, end))
        if end not in ("restart", "not-ours"):
            break
        if log != "-" and len(ends) == 1:
            keep_boot_loader(computer, disk, device)
    return ends


def keep_boot_loader(computer: Computer, disk: Path, device: str):
    """As it is after Setup, undisturbed."""
    computer.boot = boot_code(disk)
    if computer.firmware == "uefi":
        number = next(part[0] for part in partitions(disk) if part[3] in ESP_TYPES)
        with mounted(f"/dev/{device}p{number}", "vfat", computer.folder) as tree:
            computer.loader = (tree / LOADER).read_bytes()


def undisturbed(firmware: str) -> list:
    """How the starts of a deployment end that nobody disturbs."""
    trips = 1 if firmware == "bios-gpt" else 2
    return [("boot-image", "restart"), *trips * [("full-os", "restart"), ("disk", "restart")], ("full-os", "finished")]


def record(computer: Computer, disk: Path, log: Path) -> list:
    """One deployment that nobody disturbs. Return: what the site was told."""
    computer.begin()
    with open(disk, "wb") as file:
        file.truncate(DISK_BYTES)
    with logged(disk, log) as front, loop(front) as device:
        ends = to_the_end(computer, front, device, log=log.name)
        expect(ends, undisturbed(computer.firmware), f"{computer.firmware}: how the starts of an undisturbed deployment ended")
        found = look(computer, front, device, wants_tree=True)
    expect(found.is_bootable, True, "the boot loader after an undisturbed deployment")
    expect(found.state, None, "the state after an undisturbed deployment")
    expect(computer.n_effects(), 1, "effects of the step that must not be repeated, undisturbed")
    expect(len(found.tree) > 100, True, f"the system is of {len(found.tree)} files")
    for name in PUT:
        expect(name in found.tree, True, f"{name} after an undisturbed deployment")
    computer.tree = found.tree
    return computer.reports()


def count_until(ends: list, report: Report) -> int:
    """How many entries were in the log when the site heard of it."""
    return sum(end <= report.at for end in ends)


def spans(ends: list, told: list) -> list:
    """The name of each step, and between which entries it changed the disk."""
    out, begun = [], None
    for report in told:
        if report.state == "step-started":
            begun = report
        elif begun and report.step == begun.step and report.state in ("step-succeeded", "step-failed", "restarting"):
            out.append((begun.name, count_until(ends, begun), count_until(ends, report)))
            begun = None
    return out


def choose(entries: list, ends: list, told: list, n_points: int, chance: random.Random) -> list:
    """Before, inside and after each step; some of the flushes, and moments between."""
    numbers = {0, len(entries)} | {count_until(ends, report) for report in told}
    for name, first, last in spans(ends, told):
        inside = range(first + 1, last)
        numbers |= {chance.choice(inside) for _ in range(N_INSIDE if len(inside) > N_LARGE else 1) if inside}
        say(f"{name}: before, inside and after entries {first} to {last}")
    flushes = [i + 1 for i, entry in enumerate(entries) if entry.flags & FLUSH]
    while len(numbers) < n_points:
        numbers.add(chance.choice((chance.choice(flushes), chance.randint(1, len(entries)))))
    ordered = enumerate(sorted(numbers))
    return [Point(n, i, is_network_first=i % 3 == 1, has_no_order_first=i % 5 == 2) for i, n in ordered]


def check_found(computer: Computer, found: Found, told: list, what: str):
    """The state is whole, and not behind what the site was told."""
    done = max((report.step for report in told if report.state in ("step-succeeded", "step-failed")), default=-1)
    begun = max((report.step for report in told if report.state == "step-started"), default=-1)
    is_over = any(report.state == "succeeded" for report in told)
    if begun > 1 and not is_over:  # the first to be kept is the one after Format and Partition Disk
        expect(found.state is not None, True, f"{what}: a state on the disk when step {begun} was begun")
    if found.state and not is_over:
        position = found.state["next"]["step"]
        expect(position > done or found.state["next"]["is_continued"], True, f"{what}: position {position} after step {done} was reported as done")
        expect(position >= begun, True, f"{what}: position {position} after step {begun} was reported as begun")


def but_staged(found: Found) -> tuple:
    """Without an order the boot image that the disk was to start is taken away, and nothing else."""
    tree = {name: what for name, what in (found.tree or {}).items() if not name.startswith(STAGED)}
    return found.state, found.is_bootable, tree


def check_end(computer: Computer, found: Found, told: list, ends: list, what: str):
    expect(ends[-1], ("full-os", "finished"), f"{what}: the last of the starts {ends}")
    expect([report.error for report in told if report.state == "failed"], [], f"{what}: failures that ended the deployment")
    expect(any(report.state == "succeeded" for report in told), True, f"{what}: success at the site")
    expect(computer.n_effects() <= 1, True, f"{what}: effects of the step that must not be repeated")
    expect(found.state, None, f"{what}: state left on the disk")
    names = sorted({*found.tree, *computer.tree})
    wrong = [f"{name}: {computer.tree.get(name)} became {found.tree.get(name)}" for name in names if computer.tree.get(name) != found.tree.get(name)]
    expect(wrong[:10], [], f"{what}: what differs from an undisturbed deployment")
    expect(found.is_bootable, True, f"{what}: the boot loader")


def cut(computer: Computer, point: Point, disk: Path, told: list, effects: int):
    """The disk is as the power cut left it; the site has heard @told."""
    what = f"{computer.firmware}: power cut {point.number}, after {point.n_entries} writes and flushes"
    computer.begin()
    (computer.folder / "effects").write_text("kept\n" * effects, encoding="utf-8")
    with loop(disk) as device:
        found = look(computer, disk, device, wants_tree=point.has_no_order_first)
        if point.has_no_order_first:
            has_boot_image = any(name.startswith(STAGED) for name in found.tree or ())
            end = computer.live(device, "-", "boot-image", "nothing")
            expect(end, "restart" if has_boot_image else "waiting", f"{what}: a start without an order")
            after = look(computer, disk, device, wants_tree=True)
            expect(but_staged(after), but_staged(found), f"{what}: what is on the disk after a start without an order")
            if has_boot_image:  # an order that is over does not come back: the disk starts its own system
                expect(environment_of(after, False), "full-os", f"{what}: what the disk starts then")
                return
        check_found(computer, found, told, what)
        # once the site has heard of success, it has no order any more, and lets the disk start
        is_over = any(report.state == "succeeded" for report in told)
        ends = to_the_end(computer, disk, device, point.is_network_first and not is_over)
        run("sync", "--file-system", disk)
        after = look(computer, disk, device, wants_tree=True)
        check_end(computer, after, told + computer.reports(), ends, what)
        root = f"/dev/{after.volume}"
        expect(run("e2fsck", "-fn", root, check=False).returncode, 0, f"{what}: e2fsck of the root file system")


def play(computer: Computer, n_points: int):
    chance = random.Random(SEED)
    disk, log_file = computer.folder / "whole.img", computer.folder / "whole.writes"
    try:
        told = record(computer, disk, log_file)
        log = WriteLog(log_file)
        log.read_new()
        entries = log.entries
        ends = [entry.at + (0 if entry.flags & 4 else entry.n_sectors * 512) for entry in entries]
        points = choose(entries, ends, told, n_points, chance)
        for wanted in CHANGING + (CAPTURING if computer.firmware == "bios-gpt" else ()):
            n_inside = [n for n in (point.n_entries for point in points) for name, a, b in spans(ends, told) if name == wanted and a < n < b]
            expect(len(n_inside) > 0, True, f"{computer.firmware}: power cuts inside {wanted}")
        say(f"{computer.firmware}: {len(entries)} writes and flushes, {len(told)} reports; {len(points)} power cuts")
        base, work = computer.folder / "base.img", computer.folder / "work.img"
        with open(base, "wb") as file:
            file.truncate(DISK_BYTES)
        n_there = 0
        for point in points:
            kept = entries[: point.n_entries]
            n_sure = n_safe(kept)
            replay(log_file, entries[:n_sure], base, chance, n_there)
            n_there = n_sure
            # a new file: a loop device that somebody still holds open writes what it has into the old one, at its time
            work.unlink(missing_ok=True)
            run("cp", "--sparse=always", "--reflink=auto", base, work)
            replay(log_file, kept, work, chance, n_there)
            heard = [report for report in told if report.at <= (ends[point.n_entries - 1] if point.n_entries else 0)]
            effects = any(report.step >= ONCE and report.state == "step-succeeded" for report in heard)
            cut(computer, point, work, heard, int(effects))
        say(f"{computer.firmware}: {len(points)} power cuts, and each came to the same end")
    finally:
        computer.stop()


def missing() -> list:
    lacks = [] if os.geteuid() == 0 else ["this test must be run as root"]
    for program, package in (("qemu-storage-daemon", "qemu-system-common"), ("mkfs.ext4", "e2fsprogs"), ("mkfs.fat", "dosfstools"), ("losetup", "mount"), ("partx", "util-linux"), ("unshare", "util-linux"), ("blkid", "util-linux")):
        if not shutil.which(program):
            lacks.append(f"the program {program} is missing: install the package {package}")
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):
            lacks.append(f"{device} is missing")
    return lacks


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--keep"]
    if len(words) not in (2, 4) or (len(words) == 4 and words[2] != "--points"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    lacks = missing()
    if lacks:
        print("\n".join(lacks))
        return 1 if os.environ.get("CI") else 77
    if os.environ.get(OWN_MOUNTS) != "1":  # whoever copied a mount of ours would keep the disk in use
        os.environ[OWN_MOUNTS] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run("modprobe", "vfat", check=False)
    has_fat = "\tvfat\n" in Path("/proc/filesystems").read_text(encoding="utf-8")
    if not has_fat:
        say("this kernel knows no vfat: EFI system partitions are left to the virtual machines of resume-after-power-cut")
    folder = open_folder(Path(words[0]).resolve() / "system") / TEST
    shutil.rmtree(folder, ignore_errors=True)
    computers = [Computer(firmware, folder / firmware) for firmware in ("bios", "bios-gpt", "uefi") if has_fat or firmware != "uefi"]
    n_points = int(words[3]) if len(words) == 4 else N_POINTS
    began = time.monotonic()
    for computer in computers:  # before anything is mounted here
        computer.start(Path(words[1]))
    with ThreadPoolExecutor(max(1, min(len(computers), os.cpu_count() or 1))) as pool:
        played = [(computer, pool.submit(play, computer, n_points)) for computer in computers]
    failures = [f"{computer.firmware}: " + "".join(traceback.format_exception(future.exception())) for computer, future in played if future.exception()]
    if failures:
        say(f"{TEST} FAILED: " + "\n".join(failures))
        say(f"logs: {folder}/")
        return 1
    if "--keep" not in sys.argv:
        shutil.rmtree(folder, ignore_errors=True)
    say(f"{TEST}: ok after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
