#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer that was deployed stays a client: it tells what it is, runs a command in its own system, and is installed anew from there, all of
it without a key being pressed or the network being started from.

usage: client_test.py BUILD_DIR client-refresh [--keep]
"""

import json
import re
import sys
import time

import system_test
from system_test import DEPLOY_SECONDS, World, expect, say, step_xml, trees
from system_test import dep
from lab import LabError, Vm

CLIENT_SECONDS = 240
CLIENT_SITE = "[site]\nclient-poll-minutes = 1\n"
CLIENTS = ("--make-available-to", "clients")
BOOT = "$(cat /proc/sys/kernel/random/boot_id)"


def command(name: str, line: str, run_in: str) -> str:
    return step_xml("RunCommandLine", name, run_in, CommandLine=f"sh -c '{line}'")


def command_sequence() -> str:
    return (
        '<?xml version="1.0"?><sequence version="3.10">'
        + command("Leave a note", f"echo {BOOT} %_SMSTSInWinPE% >/srv/note", "FullOS")
        + command("And another", "cat /srv/note >/srv/note-2", "FullOS")
        + "</sequence>"
    )


def refreshing_sequence(image: str) -> str:
    """The example, but it begins in the system on the disk, and formats nothing."""
    begin = command("In the old system", "echo here >/root/of-the-old-system", "FullOS")
    begin += step_xml("Reboot", "To the boot image", "FullOS", SMSRebootTarget="WinPE")
    begin += command("In the boot image", "test -e /init", "WinPE")
    xml, n = re.subn(
        r'<step type="SMS_TaskSequence_PartitionDiskAction".*?</step>', begin, dep.task_sequence_xml(image), flags=re.S
    )
    expect(n, 1, "steps that format a disk in the example")
    return xml


def explained(site, vm: Vm) -> dict:
    return json.loads(site.cli("device", "explain-client", vm.mac, "--output", "json").stdout)


def wait_client(site, vm: Vm, since: str) -> dict:
    """Until the site has heard of it after that time."""
    deadline = time.monotonic() + CLIENT_SECONDS
    while time.monotonic() < deadline:
        found = explained(site, vm)
        if found["is_client"] and found["device"]["inventory"]["environment"] == "full-os" and found["device"]["last_seen_at"] > since:
            return found
        time.sleep(1)
    raise LabError(f"{vm.name}: no client in {CLIENT_SECONDS} s: {found}", vm.process.screen())


def client_refresh(world: World):
    site = world.start_site(CLIENT_SITE)
    world.lab.start_dhcp()
    vm = world.add_vm("uefi-secureboot")
    process = vm.power_on()
    dep.wait_succeeded(site, world.deploy_debian(), vm, DEPLOY_SECONDS)
    found = wait_client(site, vm, "")
    addresses = [address for nic in found["device"]["inventory"]["nics"] for address in nic["addresses"]]
    expect([address.startswith("10.77.") for address in addresses], [True], f"addresses {addresses}")
    say(f"it is a client after {time.monotonic() - process.started:.0f} s")

    media = dep.import_task_sequence(site, command_sequence(), "Never", dep.default_boot_image(site))
    dep.deploy(site, media, "All Systems", more=("--make-available-to", "media-and-pxe"))
    sequence = dep.import_task_sequence(site, command_sequence(), "Command", dep.default_boot_image(site))
    deployment = dep.deploy(site, sequence, "All Systems", more=CLIENTS)
    row = dep.wait_succeeded(site, deployment, vm, CLIENT_SECONDS)
    say("it has run a command in its own system")
    expect([phase["state"] for phase in row["phases"]], ["succeeded"] * 2, "steps")
    verdicts = {item["task_sequence_name"]: item["verdict"] for item in explained(site, vm)["deployments"]}
    expect((verdicts["Never"], verdicts["Command"]), ("media-and-pxe-only", "succeeded-already"), "what explain-client says")

    image = dep.newest_package(site, "os-image")
    sequence = dep.import_task_sequence(site, refreshing_sequence(image), "Refresh", dep.default_boot_image(site))
    deployment = dep.deploy(site, sequence, "All Systems", "download-when-needed", ("--confirm", "1", *CLIENTS))
    row = dep.wait_succeeded(site, deployment, vm, 2 * DEPLOY_SECONDS)
    say(f"it was installed anew after {time.monotonic() - process.started:.0f} s")
    expect(row["environment"], "full-os", "where success was reported")
    expect(row["attempt"], 1, "attempts")
    states = {phase["name"]: phase["state"] for phase in row["phases"]}
    expect(set(states.values()), {"succeeded"}, f"states of the steps {states}")
    before = explained(site, vm)["device"]["last_seen_at"]
    wait_client(site, vm, before)
    vm.power_cut()

    with trees.mounted(vm.disk, world.folder) as root:
        left = [name for name in ("_SMSTaskSequence", "root/of-the-old-system", "srv/note") if (root / name).exists()]
        expect(left, [], "what is left of old system and task sequence")
        identity = root / "var/lib/slipway/client/client.json"
        expect(oct(identity.stat().st_mode & 0o777), "0o600", "who may read the key")
        expect(json.loads(identity.read_text(encoding="utf-8"))["device_id"], row["device_id"], "whose key it is")


if __name__ == "__main__":
    sys.exit(system_test.main({"client-refresh": client_refresh}))
