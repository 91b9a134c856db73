# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that was deployed is prepared and captured by its task sequence; two others are deployed from that image."""

import json
import os
import re
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr, escape

import deployment as dep
import trees
from folders import PASSWORD, start_folders, start_smb
from lab import SERVER_ADDRESS, LabError, debian_image, run

SECONDS = 1500
WRONG = ("Capture by SMB with a wrong password", "Capture into a folder that is not there", "Capture onto a drive that is not connected")
BUSY = "Capture into a file that another computer writes"
BOOT_SECONDS = 600
HOUR_S = 3600
CUT_BYTES = 25_000_000
LOST_SECONDS = 45
SEQUENCE = "SMS_TaskSequence_"
# What only the reference computer may have; the copies below /opt go into the image and say later what it was.
DIRTY = """set -e
mkdir -p /opt/reference /var/lib/dhcp /var/lib/cloud/instance
until test -s /etc/ssh/ssh_host_ed25519_key.pub && test -s /etc/machine-id; do sleep 1; done
cp /etc/machine-id /etc/hostname /etc/ssh/ssh_host_ed25519_key.pub /opt/reference/
echo lease > /var/lib/dhcp/dhclient.leases
echo i-0123 > /var/lib/cloud/instance/id
echo old > /var/log/left.log
echo older > /var/log/left.log.1
echo secret > /root/not-captured
chmod 750 /opt/reference
ln -s machine-id /opt/reference/link
mount LABEL=Data /srv
mkdir /srv/left-out
echo kept > /srv/kept
chown 7:8 /srv/kept
echo gone > /srv/left-out/file
umount /srv
"""
# With an EFI system partition where the firmware wants one.
LAYOUT = {
    "OSDDiskIndex": "0", "OSDGPTBootDisk": "true", "OSDPartitions": "2",
    "OSDPartitions0Type": "Primary", "OSDPartitions0FileSystem": "ext4", "OSDPartitions0Size": "80",
    "OSDPartitions0SizeUnits": "Percent", "OSDPartitions0QuickFormat": "true", "OSDPartitions0Bootable": "true",
    "OSDPartitions1Type": "Primary", "OSDPartitions1FileSystem": "ext4", "OSDPartitions1VolumeName": "Data",
    "OSDPartitions1QuickFormat": "true", "OSDPartitions1VolumeLetterVariable": "DATADEVICE",
}
MOUNT_DATA = "mkdir -p /run/d && mount %DATADEVICE% /run/d"
FILL_DATA = f"{MOUNT_DATA} && echo old > /run/d/old && umount /run/d"
LOOK_AT_DATA = """set -e
mount LABEL=Data /srv
grep -q kept /srv/kept
find /srv/kept -uid 7 -gid 8 | grep -q kept
test ! -e /srv/old -a ! -e /srv/left-out
umount /srv
"""
SETTLE = "until test -s /etc/ssh/ssh_host_ed25519_key.pub && test -s /etc/machine-id; do sleep 1; done; sync"
GONE = (
    "_SMSTaskSequence", "boot/slipway", "usr/lib/slipway", "etc/hostname", "etc/systemd/system/slipway-agent.service",
    "var/lib/dhcp/dhclient.leases", "var/lib/cloud/instance", "var/log/left.log.1", "root/not-captured",
    "etc/ssh/ssh_host_ed25519_key", "etc/ssh/ssh_host_ed25519_key.pub", "etc/ssh/ssh_host_rsa_key",
    "var/lib/systemd/random-seed", "lost+found",
)


def step(kind: str, name: str, run_in: str, **values) -> str:
    settings = "".join(
        f"<variable name={quoteattr(key)} property={quoteattr(key)}>{escape(value)}</variable>" for key, value in values.items()
    )
    return (
        f'<step type="{SEQUENCE}{kind}Action" name="{name}" runIn="{run_in}" successCodeList="0">'
        f"<action/><defaultVarList>{settings}</defaultVarList></step>"
    )


def command(name: str, script: str, run_in="FullOS") -> str:
    """A script without quotation marks of its own."""
    line = "; ".join(line for line in script.splitlines() if line)
    return step("RunCommandLine", name, run_in, CommandLine=f'/bin/sh -c "{line}"')


def two_volumes(xml: str) -> str:
    """The example, with a partition for data."""
    out, n = re.subn(
        r'<step type="SMS_TaskSequence_PartitionDiskAction".*?</step>', step("PartitionDisk", "Format and Partition Disk", "WinPE", **LAYOUT), xml,
        flags=re.DOTALL,
    )
    if n != 1:
        raise LabError("the example task sequence has another step to format than expected")
    return out


def from_captured(image: str) -> str:
    """Both volumes, from the image's two indexes."""
    data = command("Leave something on the data partition", FILL_DATA, "WinPE")
    data += step("ApplyDataImage", "Apply Data Image", "WinPE", ImagePackageID=image, OSDDataImageIndex="2", OSDWipeDestinationPartition="true")
    xml = two_volumes(dep.task_sequence_xml(image))
    settings = f'<step type="{SEQUENCE}ApplyWindowsSettingsAction"'
    if xml.count(settings) != 1:
        raise LabError("the example task sequence has other settings than expected")
    more = command("Look at the data partition", LOOK_AT_DATA) + command("Wait for its identity", SETTLE)
    return add_steps(xml.replace(settings, data + settings), more)


def failing_captures(smb: str, account: dict) -> str:
    bad = account | {"OSDCaptureAccountPassword": "no"}
    busy = step("CaptureSystemImage", BUSY, "WinPE", OSDCaptureDestination=smb + "busy.wim", **account)
    targets = ((smb + "wrong.wim", bad), (smb + "none\\wrong.wim", account), ("Y:\\captures\\wrong.wim", {}))
    steps = (step("CaptureSystemImage", name, "WinPE", OSDCaptureDestination=target, **who) for name, (target, who) in zip(WRONG, targets))
    return "".join(xml.replace("<step ", '<step continueOnError="true" ', 1) for xml in (busy, *steps))


def to_folders() -> str:
    """Into network folders, without most of the system."""
    account = {"OSDCaptureAccount": "root", "OSDCaptureAccountPassword": PASSWORD}
    few = {"SLWCaptureExclusions": "/usr; /var; /boot; /root/not-captured; /left-out"}
    longer = {"SLWCaptureExclusions": "/var; /boot; /root/not-captured; /left-out", "SLWCaptureCheckpointMB": "16"}
    share = f"\\\\{SERVER_ADDRESS}\\files"
    smb = f"{share}\\captures\\"
    drive = {"SMSConnectNetworkFolderAccount": "root", "SMSConnectNetworkFolderPassword": PASSWORD, "SMSConnectNetworkFolderDriveLetter": "Z:"}
    return "".join(
        (
            failing_captures(smb, account | few),
            step("CaptureSystemImage", "Capture by SMB", "WinPE", OSDCaptureDestination=smb + "%_SMSTSMachineName%.wim", **longer, **account),
            step("ConnectNetworkFolder", "Connect a drive", "WinPE", SMSConnectNetworkFolderPath=share, **drive),
            step("CaptureSystemImage", "Capture onto the drive", "WinPE", OSDCaptureDestination="Z:\\captures\\again.wim", **few),
            step("CaptureSystemImage", "Capture by NFS", "WinPE", OSDCaptureDestination=f"{SERVER_ADDRESS}:/export/captures/again.wim", **few),
        )
    )


def into_folders(image: str) -> str:
    """Both volumes as they are when the image is applied; it ends in the boot image."""
    steps = step("PartitionDisk", "Format and Partition Disk", "WinPE", **LAYOUT)
    steps += step("ApplyOperatingSystem", "Apply Operating System Image", "WinPE", ImagePackageID=image, OSDImageIndex="1")
    steps += command("Fill the data partition", f"{MOUNT_DATA} && echo x > /run/d/kept && echo x > /run/d/left-out; umount /run/d", "WinPE")
    return f'<sequence version="3.10">{steps}{to_folders()}</sequence>'


def check_refusals(site, deployment: str):
    """Each says that it was the folder, and nobody is told the password."""
    messages = site.cli("log", "--deployment", deployment, "--output", "json").stdout
    if PASSWORD in messages:
        raise LabError("the site was told the password")
    found = {m["step_name"]: m["error_id"] for m in map(json.loads, messages.splitlines()) if m["state"] == "step-failed"}
    if found != dict.fromkeys(WRONG, "SLW-0484") | {BUSY: "SLW-0487"}:
        raise LabError(f"what failed: {found}")
    if "PC-OF-ANOTHER captures into it" not in messages:
        raise LabError("the site is not told which computer writes the file")


def guid_of(path: Path) -> bytes:
    """A file that is begun anew has another one."""
    with path.open("rb") as file:
        return file.read(40)[24:]


def wait_part(folder: Path, n_bytes: int) -> Path:
    """The first file is being written, and is so long."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for path in folder.glob("*.wim.part"):
            if path.name != "again.wim.part" and path.stat().st_size > n_bytes:
                return path
        time.sleep(0.1)
    raise LabError(f"{folder} has no file of {n_bytes} bytes that is being written")


def lose_server(world, folders: Path):
    """For longer than the kernel waits by itself."""
    world.smb_server.kill()
    time.sleep(LOST_SECONDS)
    world.smb_server = start_smb(world, folders)


def check_folders(world, folders: Path):
    """They are WIM files of both volumes, in the place of what was there, and can be imported."""
    found = sorted(path for name in ("files", "export") for path in (folders / name / "captures").iterdir())
    names = [path.name for path in found]
    if len(found) != 3 or names.count("again.wim") != 2 or any(not name.endswith(".wim") for name in names):
        raise LabError(f"in the network folders are {names}")
    for path in found:
        run("wimlib-imagex", "verify", path)
        if "Image Count:    2" not in run("wimlib-imagex", "info", path).stdout:
            raise LabError(f"{path} has not two images")
        listed = run("wimlib-imagex", "dir", path, "2").stdout.split()
        if "/kept" not in listed or "/left-out" in listed:
            raise LabError(f"the second image of {path} has {listed}")
        world.site.cli("os-image", "add", path, "--name", f"{path.stem} of {path.parts[-3]}", timeout=600)


def capturing(image: str) -> str:
    more = command("Use it", DIRTY)
    more += step("PrepareSMSClient", "Prepare ConfigMgr Client for Capture", "FullOS")
    more += step("PrepareOS", "Prepare Windows for Capture", "FullOS")
    more += step(
        "CaptureSystemImage", "Capture Operating System Image", "WinPE",
        OSDCaptureDestination="Captured from %_SMSTSMachineName%", OSDImageVersion="7", OSDImageCreator="the lab",
        OSDImageDescription="What the reference computer had", SLWCaptureExclusions="/root/not-captured; /srv/*; /left-out",
    )
    return add_steps(two_volumes(dep.task_sequence_xml(image)), more)


def add_steps(xml: str, more: str) -> str:
    out = xml.replace("</group>\n</sequence>", more + "</group>\n</sequence>")
    if out == xml:
        raise LabError("the example task sequence has another end than expected")
    return out


def add_reference_image(site, say) -> str:
    before = {item["id"] for item in site.ask("os-image", "list")}
    site.cli("os-image", "add", debian_image(say, more="openssh-server"), "--name", "Debian 12 with SSH", timeout=600)
    return next(item["id"] for item in site.ask("os-image", "list") if item["id"] not in before)


def check_image(world, package: str, machine: str) -> Path:
    """The image is one of the library: it says what it is, and its standard WIM lacks what it must not carry."""
    site = world.site
    shown = site.ask("os-image", "show", package)
    for key, want in (("name", f"Captured from {machine}"), ("version", "7"), ("state", "ready")):
        if shown[key] != want:
            raise LabError(f"{key} of the captured image: {shown[key]!r}, but it must be {want!r}")
    if "the lab" not in shown["comment"] or len(shown["indexes"]) != 2:
        raise LabError(f"the captured image: {shown}")
    index, data = shown["indexes"]
    if not data["name"].startswith("Volume ") or data["description"] != "What the reference computer had":
        raise LabError(f"the captured data index: {data}")
    if index["name"] != "Debian GNU/Linux 12 (bookworm)" or index["description"] != "What the reference computer had":
        raise LabError(f"the captured index: {index}")
    wim = world.folder / "captured.wim"
    site.cli("os-image", "export", package, wim, "--compress", "none", timeout=900)
    tree = world.folder / "captured"
    tree.mkdir()
    run("wimlib-imagex", "apply", wim, "1", tree, "--unix-data", timeout=900)
    wrong = [name for name in GONE if (tree / name).exists() or (tree / name).is_symlink()]
    if wrong:
        raise LabError(f"the image carries what is of one computer only: {wrong}")
    if (tree / "etc/machine-id").read_text(encoding="utf-8") != "":
        raise LabError("the image has a machine id")
    logs = [path for path in (tree / "var/log").rglob("*") if path.is_file() and path.stat().st_size > 0]
    if logs:
        raise LabError(f"the image has logs: {logs}")
    if oct((tree / "opt/reference").stat().st_mode & 0o777) != "0o750" or not (tree / "opt/reference/link").is_symlink():
        raise LabError("owner, mode or link of what was added is not as it was")
    return tree


def identity(vm, folder: Path) -> dict:
    found = {}
    for name in ("etc/machine-id", "etc/hostname", "etc/ssh/ssh_host_ed25519_key.pub"):
        text = trees.read(vm.disk, folder, name)
        if not re.search(r"\w", text):
            raise LabError(f"{vm.name}: /{name} is empty")
        found[name] = text.split()[1] if name.endswith(".pub") else text.strip()
    return found


def two_at_once(world, deployment: str, say) -> list:
    """Each image is downloaded to the volume at its step, and applied from there."""
    vms = [world.add_vm("uefi-secureboot"), world.add_vm("bios")]
    for vm in vms:
        vm.power_on()
    for vm in vms:
        row = dep.wait_succeeded(world.site, deployment, vm, SECONDS)
        if row["environment"] != "full-os":
            raise LabError(f"success was reported by {row['environment']}")
        say(f"{vm.name} was deployed from the captured image")
        vm.process.wait_line("login:", BOOT_SECONDS)
        vm.process.wait_line("The task sequence has left the disk", BOOT_SECONDS)
        vm.power_cut()
        log = trees.read(vm.disk, world.folder, "var/log/slipway/smsts.log")
        for words in ("_SMSTaskSequence/content]", "0 MiB in 0 packs received"):
            if words not in log:
                raise LabError(f"{vm.name}: {words!r} is not in the log")
        if trees.has_state(vm.disk, world.folder):
            raise LabError(f"{vm.name}: downloaded content is left on the disk")
    return vms


def capture_and_deploy(world, say):
    site = world.start_site()
    world.lab.start_dhcp()
    boot_image = dep.default_boot_image(site)
    image = add_reference_image(site, say)
    sequence = dep.import_task_sequence(site, capturing(image), "Build and capture", boot_image)
    deployment = dep.deploy(site, sequence)
    reference = world.add_vm("uefi-secureboot")
    process = reference.power_on()
    row = dep.wait_succeeded(site, deployment, reference, SECONDS)
    n_lines = len(process.lines)
    say(f"deployed, prepared and captured after {time.monotonic() - process.started:.1f} s")
    process.wait_line("login:", BOOT_SECONDS, since=n_lines)
    reference.power_cut()
    if trees.has_state(reference.disk, world.folder):
        raise LabError("the task sequence's folder is left on the computer that was captured")
    captured = next(item["id"] for item in site.ask("os-image", "list") if item["name"].startswith("Captured from"))
    tree = check_image(world, captured, row["device_name"])
    site.cli("deployment", "cancel", deployment)
    xml = from_captured(captured)
    sequence = dep.import_task_sequence(site, xml, "From the captured image", boot_image)
    vms = two_at_once(world, dep.deploy(site, sequence, content_option="download-when-needed"), say)
    before = {
        "etc/machine-id": (tree / "opt/reference/machine-id").read_text(encoding="utf-8").strip(),
        "etc/hostname": (tree / "opt/reference/hostname").read_text(encoding="utf-8").strip(),
        "etc/ssh/ssh_host_ed25519_key.pub":
            (tree / "opt/reference/ssh_host_ed25519_key.pub").read_text(encoding="utf-8").split()[1],
    }
    found = [before, *(identity(vm, world.folder) for vm in vms)]
    for name in before:
        values = [one[name] for one in found]
        if len(set(values)) != len(values):
            raise LabError(f"/{name} is the same on two computers: {values}")
    say(f"three computers, three identities: {[one['etc/machine-id'] for one in found]}")


def leave_claim(path: Path, age_s: float):
    """As another computer that captures into @path, and gave its last sign of life so long ago."""
    lock = path.with_name(path.name + ".lock")
    lock.write_text(json.dumps({"device_id": "another", "device_name": "PC-OF-ANOTHER", "claim": "0123456789abcdef" * 2, "turn": "1"}), encoding="utf-8")
    os.utime(lock, (time.time() - age_s, time.time() - age_s))
    return lock


def capture_to_folders(world, say):
    """By SMB and NFS, from the real servers: what is there is replaced, what a power cut and a lost server leave is gone on with."""
    site = world.start_site()
    world.lab.start_dhcp()
    folders = start_folders(world)
    for name in ("files", "export"):
        (folders / name / "captures").mkdir()
        (folders / name / "captures/again.wim").write_text("an older one\n", encoding="utf-8")
        (folders / name / "captures/again.wim.part").write_text("what a power cut left\n" * 100, encoding="utf-8")
        leave_claim(folders / name / "captures/again.wim", HOUR_S)
    busy = leave_claim(folders / "files/captures/busy.wim", -HOUR_S)  # its signs of life do not end while the test runs
    boot_image = dep.default_boot_image(site)
    xml = into_folders(dep.newest_package(site, "os-image"))
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "Capture into folders", boot_image))
    vm = world.add_vm("uefi-secureboot")
    process = vm.power_on()
    part = wait_part(folders / "files/captures", CUT_BYTES)
    vm.power_cut()
    guid = guid_of(part)
    say(f"the power went {time.monotonic() - process.started:.1f} s after the start")
    process = vm.power_on()
    wait_part(folders / "files/captures", part.stat().st_size + CUT_BYTES)
    lose_server(world, folders)
    say(f"the server went and came back {time.monotonic() - process.started:.1f} s after the next")
    dep.wait_succeeded(site, deployment, vm, SECONDS)
    say(f"captured into the folders {time.monotonic() - process.started:.1f} s after that")
    check_refusals(site, deployment)
    busy.unlink()
    check_folders(world, folders)
    gone_on = [path.name for path in (folders / "files/captures").iterdir() if guid_of(path) == guid]
    if len(gone_on) != 1 or gone_on[0] == "again.wim":
        raise LabError(f"the files that went on are {gone_on}")
