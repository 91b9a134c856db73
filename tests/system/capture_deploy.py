# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that was deployed is prepared and captured by its task sequence; two others are deployed from that image."""

import re
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr, escape

import deployment as dep
import trees
from lab import LabError, debian_image, run

SECONDS = 1500
BOOT_SECONDS = 600
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
FILL_DATA = "mkdir -p /run/d && mount %DATADEVICE% /run/d && echo old > /run/d/old && umount /run/d"
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
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "From the captured image", boot_image))
    vms = [world.add_vm("uefi-secureboot"), world.add_vm("bios")]
    for vm in vms:
        vm.power_on()
    for vm in vms:
        dep.wait_succeeded(site, deployment, vm, SECONDS)
        say(f"{vm.name} was deployed from the captured image")
        vm.process.wait_line("login:", BOOT_SECONDS)
        vm.power_cut()
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
