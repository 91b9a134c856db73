#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer with Secure Boot and an empty disk gets an image, whole, and then its next version: what its disk has does not come over the
network.

usage: refresh_test.py BUILD_DIR deploy-refresh [--keep]
"""

import random
import re
import shutil
import sys
from pathlib import Path

import system_test
from system_test import COPY_SECONDS, DEPLOY_SECONDS, World, switch_off, dep, expect, say, step_xml, trees
from lab import LabError, Vm, debian_image, run

NEW_BYTES = 3 << 20
USER_STATE = "StateStore"
LEFT = ("_SMSTaskSequence", "root/of-the-old-system")


def next_version(world: World) -> Path:
    """The image after an update: a large file is new, a small one has changed, and one is gone."""
    wim = world.folder / "next.wim"
    new = world.folder / "new"
    new.mkdir()
    (new / "library.so").write_bytes(random.Random(2).randbytes(NEW_BYTES))
    (new / "issue").write_text("The next version\n", encoding="utf-8")
    shutil.copy(debian_image(say), wim)
    commands = (
        f"add {new}/library.so /usr/lib/slipway-test/library.so --unix-data\n"
        f"add {new}/issue /etc/issue --unix-data\n"
        "delete /etc/issue.net\n"
    )
    run("wimlib-imagex", "update", wim, "1", stdin=commands, timeout=300)
    return wim


def refreshing_sequence(image: str) -> str:
    """The example, but what it begins with is a user state that is to be kept; nothing is formatted."""
    keep = step_xml(
        "SetVariable", "Keep the user state", "WinPE", VariableName="OSDStateStorePath", VariableValue=USER_STATE
    )
    # its volume is not mounted yet; the disk has 4096 MiB, and the system on it takes some
    keep += step_xml("PrestartCheck", "There is room", "WinPE", OSDCheckFreeDiskSpace="true", OSDFreeDiskSpace="200", OSDCheckOSType="false")
    too_much = step_xml("PrestartCheck", "Not so much", "WinPE", OSDCheckFreeDiskSpace="true", OSDFreeDiskSpace="3900", OSDCheckOSType="false")
    keep += too_much.replace("<step ", '<step continueOnError="true" ', 1)
    keep += step_xml("RunCommandLine", "It says so", "WinPE", CommandLine="test %_TS_CRDISK%,%_SMSTSLastActionRetCode% = 0,4316")
    xml, n = re.subn(
        r'<step type="SMS_TaskSequence_PartitionDiskAction".*?</step>', keep, dep.task_sequence_xml(image), flags=re.S
    )
    expect(n, 1, "steps that format a disk in the example")
    return xml


def bytes_to(world: World, vm: Vm) -> int:
    """What the network has given the computer since it was plugged in."""
    path = f"/sys/class/net/{vm.tap}/statistics/tx_bytes"
    return int(run(*world.lab.inside(world.lab.switch, "cat", path)).stdout)


def leave_things(world: World, vm: Vm):
    """What people do with a computer."""
    with trees.mounted(vm.disk, world.folder) as root:
        (root / "root/of-the-old-system").write_text("old", encoding="utf-8")
        (root / USER_STATE).mkdir(mode=0o700)
        (root / USER_STATE / "letter").write_text("of the user", encoding="utf-8")


def check_disk(world: World, vm: Vm, wim: Path):
    with trees.mounted(vm.disk, world.folder) as root:
        letter = (root / USER_STATE / "letter").read_text(encoding="utf-8")
        expect(letter, "of the user", "user state")
        shutil.rmtree(root / USER_STATE)
        expect([name for name in LEFT if (root / name).exists()], [], "what is left of old system and task sequence")
        expect((root / "etc/issue").read_text(encoding="utf-8"), "The next version\n", "/etc/issue")
    trees.compare(wim, vm.disk, world.folder)


def deploy_refresh(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    vm = world.add_vm("uefi-secureboot")
    vm.power_on()
    row = dep.wait_succeeded(site, world.deploy_debian(), vm, 2 * DEPLOY_SECONDS)
    expect(row["environment"], "full-os", "where success was reported")
    switch_off(vm)
    trees.compare(debian_image(), vm.disk, world.folder)
    first = bytes_to(world, vm)
    say(f"the first version runs; {first >> 20} MiB came over the network")
    leave_things(world, vm)

    image = dep.newest_package(site, "os-image")
    wim = next_version(world)
    site.cli("os-image", "update", image, wim, timeout=COPY_SECONDS)
    expect(site.ask("os-image", "show", image)["current_version"], 2, "version of the image")
    sequence = dep.import_task_sequence(site, refreshing_sequence(image), "Refresh", dep.default_boot_image(site))
    deployment = dep.deploy(site, sequence, "All Systems", "download-when-needed", ("--confirm", "1"))
    vm.is_network_first = True
    vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, 2 * DEPLOY_SECONDS)
    switch_off(vm)
    second = bytes_to(world, vm) - first
    reused, downloaded = row["reused_bytes"], row["downloaded_bytes"]
    say(f"the next version runs; {second >> 20} MiB came over the network, of them content: {downloaded >> 20} MiB; "
        f"from the old disk: {reused >> 20} MiB")
    expect(row["environment"], "full-os", "where success was reported")
    expect(reused > 3 * downloaded, True, f"{reused} bytes from the old disk are most, {downloaded} were downloaded")
    expect(downloaded >= NEW_BYTES, True, f"{downloaded} bytes downloaded have the new file")
    if second > first - reused * 3 // 4:
        raise LabError(f"the network gave {second} bytes, and {first} when the disk was empty: nothing was saved")
    check_disk(world, vm, wim)


if __name__ == "__main__":
    sys.exit(system_test.main({"deploy-refresh": deploy_refresh}))
