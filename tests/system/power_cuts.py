#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power goes while virtual machines run a deployment, and what was not flushed goes with it.

usage: power_cuts.py BUILD_DIR resume-after-power-cut [--keep]

Two machines at the same time, each of which loses its power at moments of one deployment, one after the other, is switched on
again each time, and must end well: the state on the disk is what the moment says, and the deployed disk equals the image.
Every moment of such a deployment is for ts-power-cut-matrix, which needs no virtual machine.
Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import deployment as dep  # noqa: E402
import suite  # noqa: E402
import trees  # noqa: E402
from lab import LabError, debian_image, missing_for_lab, run  # noqa: E402
from system_test import World, expect, play, say, switch_off  # noqa: E402
from write_cache import CachedVm, Moment  # noqa: E402

MOMENT_SECONDS = 600
DEPLOY_SECONDS = 900
FORMAT, APPLY, WINDOWS, NETWORK, SETUP, LAST = range(6)  # steps of the example
KEPT = 4  # flushes until a state is kept: two for the file, and two for its folder once it has its name


def before(step: int, name: str) -> Moment:
    """The step before is done, and the state says so."""
    return Moment(f"before {name}", (step, False), KEPT, expected=(step, False))


def inside(step: int, name: str, n_flushes=0, n_writes=0) -> Moment:
    where = f"{n_flushes} flushes and {n_writes} writes into {name}"
    return Moment(where, (step, True), KEPT + n_flushes, n_writes, expected=(step, True))


@dataclass
class Machine:
    firmware: str
    moments: tuple


MACHINES = (
    Machine("uefi-secureboot", (
        inside(APPLY, "Apply Operating System Image", n_writes=400),
        inside(SETUP, "Setup", n_flushes=6, n_writes=2),
    )),
    Machine("bios", (
        Moment("in Format and Partition Disk, making a file system", n_flushes=2, n_writes=20, line="Format and Partition Disk"),
        before(LAST, "the last step, in the operating system"),
    )),
)


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


def go_through(world: World, machine: Machine, vm: CachedVm, deployment: str):
    folder = world.folder / machine.firmware
    folder.mkdir()
    for moment in machine.moments:
        vm.power_on()
        cut(vm, moment, folder)
    vm.power_on()
    row = dep.wait_succeeded(world.site, deployment, vm, DEPLOY_SECONDS)
    expect(row["environment"], "full-os", f"{vm.name}: where success was reported")
    switch_off(vm)
    trees.compare(debian_image(), vm.disk, folder)
    say(f"{machine.firmware}: whole after {len(machine.moments)} cuts")


def resume_after_power_cut(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    deployment = world.deploy_debian()
    vms = [CachedVm(world.lab, f"vm{i}", machine.firmware, number=i, seed=i) for i, machine in enumerate(MACHINES, 1)]
    with ThreadPoolExecutor(len(MACHINES)) as pool:
        played = [pool.submit(go_through, world, machine, vm, deployment) for machine, vm in zip(MACHINES, vms)]
    failures = [f"{vm.name}: {future.exception()!r}" for vm, future in zip(vms, played) if future.exception()]
    if failures:
        raise LabError("\n".join(failures))
    expect(len(dep.rows(site, deployment)), len(MACHINES), "devices of the deployment")


def main() -> int:
    lacks = missing_for_lab()
    if not shutil.which("qemu-img"):
        lacks.append("the program qemu-img is missing: install the package qemu-utils")
    tests = {"resume-after-power-cut": resume_after_power_cut}
    return suite.run(tests, __doc__, lacks, play, ("*.img", "*.live", "*.writes", "state"))


if __name__ == "__main__":
    sys.exit(main())
