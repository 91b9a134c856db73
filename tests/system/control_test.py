#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator does to a task sequence while it runs, on virtual machines; one test a call.

usage: control_test.py BUILD_DIR TEST

Logs of the last run of each test are in BUILD_DIR/system/TEST/. Exit status as of system_test.py.
"""

import base64
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import deployment as dep  # noqa: E402
from lab import LabError, missing_for_lab, open_folder  # noqa: E402
from system_test import BOOT_SECONDS, DEPLOY_SECONDS, World, expect, say, step_xml  # noqa: E402

SOON_SECONDS = 120
FORMATTED_BYTES = 12 << 30
SETUP = "Setup Windows and Configuration Manager"
APPLY = "Apply Operating System Image"
FORMAT = '<step type="SMS_TaskSequence_PartitionDiskAction"'


def with_first(xml: str, steps: str) -> str:
    """The example with steps before the first that changes the disk."""
    return xml.replace(FORMAT, steps + FORMAT, 1)


def wait_state(site, deployment: str, vm, state: str, seconds=SOON_SECONDS) -> dict:
    return dep.wait_row(site, deployment, vm, lambda row: row["state"] == state, seconds, f"state {state}")


def wait_applying(site, deployment: str, vm, percent=10) -> dict:
    return dep.wait_row(
        site, deployment, vm, lambda r: r["step_name"] == APPLY and percent <= r["percent"] < 95, DEPLOY_SECONDS, "applying"
    )


def control(site, verb: str, deployment: str, vm, *more):
    site.cli("deployment", verb, deployment, "--device", vm.mac, *more)


def deploy_with(world: World, steps: str, name: str) -> str:
    site = world.site
    xml = with_first(dep.task_sequence_xml(dep.newest_package(site, "os-image")), steps)
    return dep.deploy(site, dep.import_task_sequence(site, xml, name, dep.default_boot_image(site)))


def cancel_inside_a_command(world: World):
    """The command stands still in a pause, goes on, and is ended; the disk is not touched."""
    site = world.site
    command = "while true; do echo tick; sleep 1; done"
    deployment = deploy_with(world, step_xml("RunCommandLine", "Long", "WinPE", CommandLine=command), "Long command")
    vm = world.add_vm("bios")
    process = vm.power_on()
    dep.wait_row(site, deployment, vm, lambda r: r["step_name"] == "Long", BOOT_SECONDS, "the long command")
    control(site, "pause", deployment, vm)
    wait_state(site, deployment, vm, "paused")
    process.wait_line("Paused by an administrator", SOON_SECONDS)
    say("the command is paused")
    control(site, "resume", deployment, vm)
    wait_state(site, deployment, vm, "in-progress")
    control(site, "pause", deployment, vm, "--time", "5")
    wait_state(site, deployment, vm, "paused")
    wait_state(site, deployment, vm, "in-progress")
    say("a pause with a time has ended by itself")
    control(site, "cancel", deployment, vm)
    row = wait_state(site, deployment, vm, "cancelled")
    expect(row["error_id"], "SLW-0406", "error id of a cancelled deployment")
    process.wait_line("An administrator cancelled the deployment", SOON_SECONDS)
    control(site, "cancel", deployment, vm)
    refused = site.cli("deployment", "resume", deployment, "--device", vm.mac, check=False)
    expect((refused.returncode, "SLW-0161" in refused.stderr), (4, True), "what resuming says after a cancellation")
    vm.power_cut()
    expect(vm.disk.stat().st_blocks, 0, "blocks of the disk that were written")
    say("the command was cancelled")


def pause_over_a_restart(world: World):
    """Writing the image stands still; the machine is cut off, comes back, waits, and is let go to the end."""
    site = world.site
    deployment = world.deploy_debian()
    vm = world.add_vm("bios")
    vm.power_on()
    wait_applying(site, deployment, vm)
    control(site, "pause", deployment, vm)
    first = wait_state(site, deployment, vm, "paused")
    time.sleep(40)
    expect(dep.row_of(site, deployment, vm)["percent"], first["percent"], "percent after 40 seconds of pause")
    control(site, "resume", deployment, vm)
    dep.wait_row(site, deployment, vm, lambda r: r["percent"] > first["percent"], SOON_SECONDS, "going on after a pause")
    control(site, "pause", deployment, vm)
    wait_state(site, deployment, vm, "paused")
    vm.power_cut()
    say("power cut in a pause; the site restarts too")
    site.stop()
    site.start()
    process = vm.power_on()
    wait_state(site, deployment, vm, "in-progress", BOOT_SECONDS)
    wait_state(site, deployment, vm, "paused")
    process.wait_line("Paused by an administrator", SOON_SECONDS)
    time.sleep(10)
    expect(dep.row_of(site, deployment, vm)["state"], "paused", "state after the restart")
    control(site, "resume", deployment, vm)
    dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)
    say("it went on to the end after a pause over a restart")
    vm.power_cut()


def cancel_while_applying(world: World):
    site = world.site
    deployment = world.deploy_debian()
    vm = world.add_vm("bios")
    process = vm.power_on()
    wait_applying(site, deployment, vm)
    control(site, "cancel", deployment, vm)
    row = wait_state(site, deployment, vm, "cancelled")
    expect(site.ask("deployment", "show", deployment)["counts"]["cancelled"], 1, "cancelled devices")
    expect("holds" in row["cause"], True, f"what is said of the disk: {row['cause']}")
    process.wait_line("An administrator cancelled the deployment", SOON_SECONDS)
    explained = site.cli("device", "explain-boot", vm.mac).stdout
    expect("silence" in explained or "deploy again" in explained, True, f"explain-boot: {explained}")
    vm.power_cut()
    say("applying the image was cancelled")


def cancel_while_formatting(world: World):
    """Zeros are written to all of the disk; they stand still in a pause, and end with the cancellation."""
    site = world.site
    xml = dep.task_sequence_xml(dep.newest_package(site, "os-image"))
    slow = {"Type": "Primary", "Size": "100", "SizeUnits": "Percent", "FileSystem": "ext4", "QuickFormat": "false"}
    values = "".join(f'<variable name="OSDPartitions0{key}">{value}</variable>' for key, value in slow.items())
    xml = xml.replace("<defaultVarList>", f'<defaultVarList><variable name="OSDPartitionStyle">MBR</variable>{values}', 1)
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "Slow format", dep.default_boot_image(site)))
    vm = world.add_vm("bios", disk_bytes=FORMATTED_BYTES)
    process = vm.power_on()
    dep.wait_row(site, deployment, vm, lambda r: r["step_name"].startswith("Format") and r["percent"] > 21, BOOT_SECONDS, "zeros")
    control(site, "pause", deployment, vm)
    first = wait_state(site, deployment, vm, "paused")
    time.sleep(10)
    expect(dep.row_of(site, deployment, vm)["percent"], first["percent"], "percent after ten seconds of pause")
    control(site, "cancel", deployment, vm)
    row = wait_state(site, deployment, vm, "cancelled")
    expect("formatting a disk had begun" in row["cause"], True, f"what is said of the disk: {row['cause']}")
    process.wait_line("An administrator cancelled the deployment", SOON_SECONDS)
    vm.power_cut()
    expect(row["percent"] < 90, True, f"that formatting ended in the middle, at {row['percent']} %")
    say("formatting a disk was paused, and cancelled")


def ts_cancel(world: World):
    world.start_site()
    world.lab.start_dhcp()
    cancel_inside_a_command(world)
    cancel_while_formatting(world)
    cancel_while_applying(world)
    pause_over_a_restart(world)


def debug(site, deployment: str, vm, *lines) -> list:
    """What the debugger answers to each line."""
    words = [word for line in lines for word in ("--command", line)]
    out = site.cli("deployment", "debug", deployment, "--device", vm.mac, *words, "--output", "json", timeout=DEPLOY_SECONDS)
    return [json.loads(line) for line in out.stdout.splitlines()]


def expect_stop(answer: dict, why: str, name: str):
    expect((answer.get("why"), answer.get("step_name")), (why, name), f"where it stopped: {answer}")


def debugged_sequence(site) -> str:
    """Before the disk a step that fails; behind Setup one that looks for a variable that only the debugger sets."""
    first = step_xml("RunCommandLine", "One", "WinPE", CommandLine="true")
    first += step_xml("SetVariable", "Two", "WinPE", VariableName="HiddenPassword", VariableValue="hush-hush")
    first += step_xml("RunCommandLine", "Fails", "WinPE", CommandLine="exit 3")
    last = step_xml("RunCommandLine", "Look", "FullOS", CommandLine='/bin/sh -c "test %Edited% = yes"')
    xml = with_first(dep.task_sequence_xml(dep.newest_package(site, "os-image")), first)
    return xml.replace("</group>\n</sequence>", last + "</group>\n</sequence>")


def debug_in_boot_image(site, deployment: str, vm):
    stopped, steps = debug(site, deployment, vm, "wait", "steps")
    expect_stop(stopped, "step", "One")
    names = [step["path"].split("/")[-1] for step in steps["steps"]]
    expect(names[:3], ["One", "Two", "Fails"], "steps")
    expect(dep.row_of(site, deployment, vm)["state"], "paused", "what the site shows of a stopped device")
    at_two, shell, at_fails, failed = debug(
        site, deployment, vm, "step", "shell echo hello-$((6*7)); exit 9", "step", "continue"
    )
    expect_stop(at_two, "step", "Two")
    expect((base64.b64decode(shell["data"]), shell["exit_code"]), (b"hello-42\n", 9), "what the shell said")
    expect_stop(at_fails, "step", "Fails")
    expect_stop(failed, "error", "Fails")
    expect(failed["error_id"], "SLW-0430", "error id of the step that failed")
    everything = debug(site, deployment, vm, "set Edited=yes", "variables")[1]["variables"]
    found = {variable["name"]: variable["value"] for variable in everything}
    expect((found["Edited"], found["HiddenPassword"]), ("yes", None), "an edited and a secret variable")
    refused = site.cli("deployment", "debug", deployment, "--device", vm.mac, "--command", "set _SMSTSX=1", check=False)
    expect((refused.returncode, "read-only" in refused.stderr), (1, True), "setting a read-only variable")
    say("it stopped, ran step by step, and at an error")
    answers = debug(site, deployment, vm, "set-current 4", f"break {SETUP}", "continue")
    expect_stop(answers[-1], "break point", SETUP)


def debug_after_a_restart(world: World, deployment: str, vm):
    """The break point is still there; Setup restarts in the middle, where it stops too."""
    site = world.site
    vm.power_cut()
    say("power cut at a break point")
    process = vm.power_on()
    process.wait_line("Stopped by the debugger .break point.", BOOT_SECONDS)
    state = site.ask("deployment", "state", deployment, "--device", vm.mac)["state"]
    expect((state["step_name"], state["variables"]["Edited"]), (SETUP, "yes"), "the state that the site has")
    expect("hush-hush" in json.dumps(state), False, "a secret value in the state that the site has")
    in_os, _, at_look = debug(site, deployment, vm, "step", "step", "run-to Look")
    expect((in_os["environment"], in_os["step_name"]), ("full-os", SETUP), "where Setup goes on")
    expect_stop(at_look, "run to", "Look")
    (shell,) = debug(site, deployment, vm, "shell cat /etc/os-release")
    expect(b"Debian" in base64.b64decode(shell["data"]), True, "what the shell of the installed system says")
    log = site.cli("deployment", "log", deployment, "--device", vm.mac, timeout=SOON_SECONDS).stdout
    expect(("Debugger: step" in log, "hush-hush" in log), (True, False), "the log that was asked for")
    debug(site, deployment, vm, "quit")


class Terminal:
    """A command of the site with a terminal, as a person has it."""

    def __init__(self, site, *words):
        self.master, slave = pty.openpty()
        self.popen = subprocess.Popen(
            site.command(*words), stdin=slave, stdout=slave, stderr=slave, env=site.env, start_new_session=True
        )
        os.close(slave)
        self.seen = ""

    def type(self, text: str):
        os.write(self.master, text.encode())

    def wait(self, text: str, seconds=SOON_SECONDS):
        """Until @text comes; what came before it is forgotten."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise LabError(f"no {text!r} on the terminal in {seconds} s: {self.seen!r}")
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        self.seen = self.seen.split(text, 1)[1]

    def end(self):
        status = self.popen.wait(SOON_SECONDS)
        os.close(self.master)
        expect(status, 0, "exit status of the debugger")


def wanting_sequence(site) -> str:
    """It changes how it is shown, and wants the debugger at its first error. It never gets to the disk."""

    def setting(name: str, value: str) -> str:
        return step_xml("SetVariable", f"{name} {value}", "WinPE", VariableName=name, VariableValue=value)

    def nothing(name: str) -> str:
        return step_xml("RunCommandLine", name, "WinPE", CommandLine="true")

    steps = setting("TSDebugOnError", "TRUE") + setting("TSProgressInfoLevel", "2") + nothing("Counted")
    steps += setting("TSDisableProgressUI", "true") + nothing("Unseen") + setting("TSDisableProgressUI", "false")
    steps += nothing("Seen again")
    steps += step_xml("RunCommandLine", "Fails", "WinPE", CommandLine="exit 3")
    return with_first(dep.task_sequence_xml(dep.newest_package(site, "os-image")), steps)


def debug_on_a_terminal(site, deployment: str, vm):
    """A shell that keeps its folder from line to line, beside the other commands."""
    terminal = Terminal(site, "deployment", "debug", deployment, "--device", vm.mac)
    terminal.wait("(debug) ")
    terminal.type("shell\n")
    terminal.wait("# ")
    terminal.type("cd /proc\n")
    terminal.wait("# ")
    terminal.type("echo in-$(pwd)-$((6*7))\n")
    terminal.wait("in-/proc-42")
    terminal.type("exit\n")
    terminal.wait("(debug) ")
    terminal.type("log\n")
    terminal.wait("Debugger: shell-open")
    terminal.wait("(debug) ")
    terminal.type("quit\n")
    terminal.end()


def failed_log(site, deployment: str, vm) -> str:
    """What the site has of a deployment that failed, nobody having asked for it before."""
    return site.cli("deployment", "log", deployment, "--device", vm.mac, timeout=SOON_SECONDS).stdout


def debug_at_an_error(site, deployment: str, vm, process):
    stopped = debug(site, deployment, vm, "wait")[0]
    expect_stop(stopped, "error", "Fails")
    process.wait_line(r"Step: 3 of \d+ .\d+% complete.: Counted", 1)
    process.wait_line(r"Step: .*: Seen again", 1)
    expect(process.when(r"Step: .*: Unseen"), None, "a step on a screen that is to show none")
    debug_on_a_terminal(site, deployment, vm)
    row = dep.wait_row(site, deployment, vm, lambda r: r["state"] == "failed", SOON_SECONDS, "failure")
    expect(row["error_id"], "SLW-0430", "error id after the debugger has left")
    log = failed_log(site, deployment, vm)
    expect(("Failed to run the action: Fails" in log, "has failed" in log), (True, True), f"the log of a failure: {log}")
    say("an error brought the debugger; the log of the failure is at the site")


def debug_by_device_variable(world: World, sequence: str, vm):
    site = world.site
    site.cli("device", "variable", "set", vm.mac, "TSDebugMode=TRUE")
    deployment = dep.deploy(site, sequence, "Wanting")
    vm.power_cut()
    vm.power_on()
    wait_state(site, deployment, vm, "paused", BOOT_SECONDS)
    (stopped,) = debug(site, deployment, vm, "wait")
    expect_stop(stopped, "step", "TSDebugOnError TRUE")
    debug(site, deployment, vm, "cancel")
    row = dep.wait_row(site, deployment, vm, lambda r: r["state"] == "failed", SOON_SECONDS, "failure")
    expect(row["error_id"], "SLW-0418", "error id after the debugger has ended it")
    expect("Debugger: cancel" in failed_log(site, deployment, vm), True, "the log of what the debugger ended")
    vm.power_cut()
    expect(vm.disk.stat().st_blocks, 0, "blocks of the disk that were written")
    say("a variable of the device brought the debugger")


def ts_debug_wanted(world: World):
    """Nobody made the deployments for debugging."""
    site = world.start_site()
    world.lab.start_dhcp()
    sequence = dep.import_task_sequence(site, wanting_sequence(site), "Wants it", dep.default_boot_image(site))
    vm = world.add_vm("bios")
    site.cli("collection", "create", "Wanting")
    site.cli("device", "import", "wanting", "--mac", vm.mac, "--collection", "Wanting")
    deployment = dep.deploy(site, sequence, "Wanting")
    process = vm.power_on()
    wait_state(site, deployment, vm, "paused", BOOT_SECONDS)
    debug_at_an_error(site, deployment, vm, process)
    debug_by_device_variable(world, sequence, vm)


def ts_debug(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    vm = world.add_vm("bios")
    site.cli("collection", "create", "To debug")
    site.cli("device", "import", "debugged", "--mac", vm.mac, "--collection", "To debug")
    sequence = dep.import_task_sequence(site, debugged_sequence(site), "Debugged", dep.default_boot_image(site))
    words = ("--task-sequence", sequence, "--collection", "To debug", "--debug")
    deployment = site.ask("deployment", "create", *words)["id"]
    vm.power_on()
    wait_state(site, deployment, vm, "paused", BOOT_SECONDS)
    debug_in_boot_image(site, deployment, vm)
    debug_after_a_restart(world, deployment, vm)
    dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)
    say("let go, it went on to the end")


TESTS = {
    "ts-cancel": ts_cancel,
    "ts-debug": ts_debug,
    "ts-debug-wanted": ts_debug_wanted,
}


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
    try:
        with World(build, name) as world:
            TESTS[name](world)
    except LabError as error:
        say(f"{name} FAILED: {error}")
        say(f"logs: {open_folder(build / 'system')}/{name}/")
        return 1
    for big in (open_folder(build / "system") / name).glob("*.img"):
        big.unlink()
    say(f"{name}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
