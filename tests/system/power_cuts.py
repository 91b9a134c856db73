#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power goes before, in and after each step that changes the disk, and what was not flushed goes with it.

usage: power_cuts.py BUILD_DIR [--keep] [MACHINE...]

Each machine of the matrix loses its power at several moments of one deployment, one after the other, is switched on again each
time, and must end well: the deployed disk equals the image. One runs a step that must not be run twice, and must
fail with the documented error, its disk untouched from then on. Exit status 77: this machine lacks something, which
is said; never where CI is set.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import deployment as dep  # noqa: E402
import trees  # noqa: E402
from lab import CACHE, LabError, debian_image, missing_for_lab, open_folder, run  # noqa: E402
from system_test import World, expect, say, step_xml, switch_off  # noqa: E402
from write_cache import CachedVm, Moment  # noqa: E402

TEST = "ts-power-cut-machines"
MOMENT_SECONDS = 600
DEPLOY_SECONDS = 900
QUIET_SECONDS = 25  # longer than a boot image needs to its first step
ONCE = "Must not be run twice"
LANES = 2  # so many machines at a time
# Steps of the sequence; the one after FORMAT, and those around STAGED, are for one machine only
FORMAT, _, APPLY, WINDOWS, NETWORK, SETUP, _, _, STAGED, _, LAST = range(11)
KEPT = 4  # flushes until a state is kept: two for the file, and two for its folder once it has its name


@dataclass
class Machine:
    name: str
    firmware: str
    moments: tuple
    is_to_fail: bool = False


def before(step: int, name: str) -> Moment:
    """The step before is done, and the state says so."""
    return Moment(f"before {name}", (step, False), KEPT, expected=(step, False))


def begin(step: int, name: str) -> Moment:
    return Moment(f"at the beginning of {name}", (step, True), KEPT, expected=(step, True))


def inside(step: int, name: str, n_flushes=0, n_writes=0) -> Moment:
    where = f"{n_flushes} flushes and {n_writes} writes into {name}"
    return Moment(where, (step, True), KEPT + n_flushes, n_writes, expected=(step, True))


# A deployment may be started five times, so no machine has more than four cuts in the boot image that comes over the network.
MATRIX = (
    Machine("bios", "bios", (
        Moment("before Format and Partition Disk", line="Format and Partition Disk"),
        Moment("in Format and Partition Disk, making a file system", n_flushes=2, n_writes=20, line="Format and Partition Disk"),
        inside(APPLY, "Apply Operating System Image", n_writes=400),
        inside(NETWORK, "Apply Network Settings", n_flushes=1, n_writes=1),
        before(SETUP + 1, "the step after Setup"),
        begin(STAGED, "a step in the boot image that lies on the disk"),
        before(LAST, "the last step"),
    )),
    Machine("uefi", "uefi", (
        before(FORMAT + 1, "the step after Format and Partition Disk"),
        before(WINDOWS, "Apply Windows Settings"),
        inside(SETUP, "Setup", n_flushes=3, n_writes=3),
        Moment("in Setup, at the boot loader", line="Progress: 60 %", n_flushes=2, n_writes=1, expected=(SETUP, True)),
        before(SETUP, "the restart into the operating system"),
        begin(SETUP, "Setup in the operating system"),
        before(LAST + 1, "the end"),
    )),
    Machine("once", "bios", (begin(FORMAT + 1, ONCE),), is_to_fail=True),
)
NUMBERS = {machine.name: number for number, machine in enumerate(MATRIX, 1)}


def for_one(step: str, name: str) -> str:
    """A step that only this machine runs."""
    condition = (
        '<condition><expression type="SMS_TaskSequence_VariableConditionExpression">'
        '<variable name="Operator">equals</variable><variable name="Variable">_SMSTSMachineName</variable>'
        f'<variable name="Value">SLW-7700{NUMBERS[name]:02x}</variable></expression></condition>'
    )
    return step.replace("</step>", condition + "</step>")


def sequence(image: str) -> str:
    """The example; for one machine with a step that takes long and must not be run twice, for another with the way
    from the system to the boot image and back."""
    once = for_one(step_xml("RunCommandLine", ONCE, "WinPE", CommandLine="/bin/busybox sleep 600"), "once")
    there = for_one(step_xml("Reboot", "To the boot image", "FullOS", SMSRebootTarget="WinPE"), "bios")
    staged = for_one(step_xml("SetVariable", "In the boot image of the disk", "WinPE", VariableName="A", VariableValue="b"), "bios")
    back = for_one(step_xml("Reboot", "To the system", "WinPE", SMSRebootTarget="HD"), "bios")
    last = step_xml("SetVariable", "Last", "FullOS", VariableName="A", VariableValue="c")
    apply = '<step type="SMS_TaskSequence_ApplyOperatingSystemAction"'
    xml = dep.task_sequence_xml(image).replace(apply, once + apply, 1)
    return xml.replace("</group>\n</sequence>", there + staged + back + last + "</group>\n</sequence>")


def state_of(vm: CachedVm, folder: Path):
    """What the agent would find: the step of the state on the disk, and whether it had begun."""
    copy = folder / "look.img"
    try:
        run("cp", "--sparse=always", vm.disk, copy)
        text = trees.read(copy, folder, "_SMSTaskSequence/state.json")
    except (LabError, FileNotFoundError):
        return None
    finally:
        copy.unlink(missing_ok=True)
    found = json.loads(text)["next"]
    return found["step"], found["is_running"]


def cut(vm: CachedVm, moment: Moment, folder: Path):
    """The machine runs; then it is off, and its disk is what the moment says."""
    search = vm.wait_for(moment, MOMENT_SECONDS)
    n_sure, n_maybe, n_kept = vm.power_cut(search.cut_at)
    say(f"{vm.name}: cut {moment.name}: {n_sure} writes and flushes were safe, of {n_maybe} more {n_kept} were kept in part or whole")
    what = f"{vm.name}: the state on the disk after a cut {moment.name} (after {search.cut_at} entries; states {search.states})"
    expect(state_of(vm, folder), moment.expected, what)


def end_well(world: World, machine: Machine, vm: CachedVm, deployment: str, folder: Path):
    row = dep.wait_succeeded(world.site, deployment, vm, DEPLOY_SECONDS)
    expect(row["environment"], "full-os", "where success was reported")
    switch_off(vm)
    trees.compare(debian_image(), vm.disk, folder)
    say(f"{machine.name}: whole after {len(machine.moments)} cuts")


def fail_well(world: World, machine: Machine, vm: CachedVm, deployment: str, folder: Path):
    """What was on the disk stays on it; and once the deployment is over, the machine is left alone."""
    row = dep.wait_row(world.site, deployment, vm, lambda r: r["state"] == "failed", DEPLOY_SECONDS, "a failure")
    expect(row["error_id"], "SLW-0412", "why it failed")
    vm.power_cut()
    expect(state_of(vm, folder), (FORMAT + 1, False), "the state on the disk")
    vm.power_on()
    time.sleep(QUIET_SECONDS)
    vm.log.read_new()
    vm.power_cut()
    expect(len(vm.log.entries), 0, "what was written to the disk without an order")
    say(f"{machine.name}: failed as documented, and was left alone")


def play(world: World, machine: Machine, vm: CachedVm, deployment: str):
    folder = world.folder / machine.name
    folder.mkdir()
    for moment in machine.moments:
        vm.power_on()
        cut(vm, moment, folder)
    vm.power_on()
    (fail_well if machine.is_to_fail else end_well)(world, machine, vm, deployment, folder)


def run_matrix(world: World, names: list):
    site = world.start_site()
    world.lab.start_dhcp()
    image = dep.newest_package(site, "os-image")
    xml = sequence(image)
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "Debian 12", dep.default_boot_image(site)))
    played = []
    with ThreadPoolExecutor(LANES) as pool:
        for machine in MATRIX:
            if names and machine.name not in names:
                continue
            number = NUMBERS[machine.name]
            vm = CachedVm(world.lab, machine.name, machine.firmware, number=number, seed=number)
            played.append((machine, pool.submit(play, world, machine, vm, deployment)))
    failures = [f"{machine.name}: {future.exception()}" for machine, future in played if future.exception()]
    if failures:
        raise LabError("\n".join(failures))


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--keep"]
    known = [machine.name for machine in MATRIX]
    if not words or any(word not in known for word in words[1:]):
        print(__doc__.strip() + "\n\nMachines: " + ", ".join(known), file=sys.stderr)
        return 2
    lacks = missing_for_lab()
    if not shutil.which("qemu-img"):
        lacks.append("the program qemu-img is missing: install the package qemu-utils")
    if lacks:
        print("\n".join(lacks))
        return 1 if os.environ.get("CI") else 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    CACHE.mkdir(exist_ok=True)
    build = Path(words[0]).resolve()
    folder = open_folder(build / "system") / TEST
    began = time.monotonic()
    try:
        with World(build, TEST) as world:
            run_matrix(world, words[1:])
    except (LabError, subprocess.SubprocessError) as error:
        say(f"{TEST} FAILED: {error}")
        say(f"logs: {folder}/")
        return 1
    if "--keep" not in sys.argv:
        for pattern in ("*.img", "*.live", "*.writes"):
            for big in folder.glob(pattern):
                big.unlink()
        shutil.rmtree(folder / "state", ignore_errors=True)
    say(f"{TEST}: ok after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
