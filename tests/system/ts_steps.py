#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""All steps that a Linux target runs, in one deployed machine: in the boot image and in the installed system.

usage: ts_steps.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import deployment as dep  # noqa: E402
from lab import CACHE, LabError, missing_for_lab, open_folder  # noqa: E402
from system_test import DEPLOY_SECONDS, World, expect, make_package, say, step_xml  # noqa: E402

FORMAT = '<step type="SMS_TaskSequence_PartitionDiskAction"'
SETTINGS = '<step type="SMS_TaskSequence_ApplyWindowsSettingsAction"'
END = "</group>\n</sequence>"

READY = {
    "OSDCheckMemory": "true",
    "OSDMemory": "900",
    "OSDCheckProcessorSpeed": "true",
    "OSDProcessorSpeed": "100",
    "OSDCheckFreeDiskSpace": "true",
    "OSDFreeDiskSpace": "1000",
    "OSDCheckDeviceUEFI": "true",
    "OSDCheckNetworkConnected": "true",
    "OSDCheckNetworkWired": "true",
    "OSDCheckPowerState": "true",
    "OSDCheckOSType": "false",
}
FAILS = []  # names of steps that must fail


def command(name: str, run_in: str, line: str, **more) -> str:
    return step_xml("RunCommandLine", name, run_in, CommandLine=line, **more)


def failing(xml: str) -> str:
    """The same, continuing on error; it is expected to fail."""
    FAILS.append(xml.split('name="', 1)[1].split('"', 1)[0])
    return xml.replace("<step ", '<step continueOnError="true" ', 1)


def bare_steps(package: str) -> str:
    """Before there is a volume."""
    return "".join(
        (
            step_xml("PrestartCheck", "Ready", "WinPE", **READY),
            command("All were met", "WinPE", "test %_TS_CRMEMORY%%_TS_CRDISK%%_TS_CRUEFI%%_TS_CRWIRED%%_TS_CRACPOWER% = 11111"),
            failing(step_xml("PrestartCheck", "Too little memory", "WinPE", **(READY | {"OSDMemory": "99999999"}))),
            command("It says so", "WinPE", "test %_TS_CRMEMORY%%_TS_CRSPEED%,%_SMSTSLastActionRetCode% = 01,4316"),
            step_xml(
                "DownloadPackageContent",
                "Download into memory",
                "WinPE",
                OSDDownloadDownloadPackages=package,
                OSDDownloadDestinationVariable="Got",
            ),
            command("Look at it", "WinPE", "%Got01%/check.sh"),
        )
    )


def volume_steps(package: str, boot_image: str) -> str:
    """In the boot image, with a volume."""
    return "".join(
        (
            step_xml(
                "DownloadPackageContent",
                "Download onto the volume",
                "WinPE",
                OSDDownloadDownloadPackages=f"{package},{boot_image}",
                OSDDownloadDestinationVariable="There",
            ),
            command("Look there", "WinPE", "%There01%/check.sh &amp;&amp; test -s %There02%/initrd.img"),
        )
    )


def system_steps(package: str) -> str:
    """In the installed system."""
    return "".join(
        (
            step_xml(
                "PrestartCheck",
                "Ready in the system",
                "FullOS",
                **(READY | {"OSDCheckMinOSVersion": "true", "OSDMinOSVersion": "12", "OSDCheckOSArchitecture": "true", "OSDOSArchitecture": "64"}),
            ),
            step_xml(
                "DownloadPackageContent",
                "Download to a path",
                "FullOS",
                OSDDownloadDownloadPackages=package,
                OSDDownloadDestinationLocationType="Custom",
                OSDDownloadDestinationPath="/srv/content",
                OSDDownloadDestinationVariable="Copy",
            ),
            command("Look at the path", "FullOS", f"test %Copy01% = /srv/content/{package} &amp;&amp; %Copy01%/check.sh"),
        )
    )


def ts_steps(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    package = make_package(world)
    boot_image = dep.default_boot_image(site)
    xml = dep.task_sequence_xml(dep.newest_package(site, "os-image"))
    xml = xml.replace(FORMAT, bare_steps(package) + FORMAT, 1)
    xml = xml.replace(SETTINGS, volume_steps(package, boot_image) + SETTINGS, 1)
    xml = xml.replace(END, system_steps(package) + END)
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "All steps", boot_image))
    vm = world.add_vm("uefi-secureboot")
    process = vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, 2 * DEPLOY_SECONDS)
    say(f"done after {time.monotonic() - process.started:.1f} s")
    states = {phase["name"]: phase["state"] for phase in row["phases"]}
    expect({name for name, state in states.items() if state == "failed"}, set(FAILS), f"steps that failed, of {states}")
    expect({state for name, state in states.items() if name not in FAILS}, {"succeeded"}, f"states of the others, of {states}")
    process.wait_line("login:", 60)


TESTS = {"ts-steps": ts_steps}


def main() -> int:
    if len(sys.argv) < 3 or sys.argv[2] not in TESTS:
        print(__doc__.strip() + "\n\nTests: " + ", ".join(TESTS), file=sys.stderr)
        return 2
    lacks = missing_for_lab()
    if lacks:
        print("\n".join(lacks))
        return 1 if os.environ.get("CI") else 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    build, name = Path(sys.argv[1]).resolve(), sys.argv[2]
    CACHE.mkdir(exist_ok=True)
    folder = open_folder(build / "system") / name
    try:
        with World(build, name) as world:
            TESTS[name](world)
    except LabError as error:
        say(f"{name} FAILED: {error}")
        say(f"logs: {folder}/")
        return 1
    if "--keep" not in sys.argv:
        for big in folder.glob("*.img"):
            big.unlink()
        shutil.rmtree(folder / "state", ignore_errors=True)
    say(f"{name}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
