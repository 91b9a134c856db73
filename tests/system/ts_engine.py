#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine does around the steps: errors, restarts, accounts, output, time-outs, logs; on a deployed machine.

usage: ts_engine.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import deployment as dep  # noqa: E402
import system_test  # noqa: E402
import trees  # noqa: E402
from system_test import World, expect, make_package, say  # noqa: E402

RECORD = "/root/record"
SECRET = "Tr0ub4dor-and-3"
HUSH = "hush-hush-whisper"
BAD_LOGON = "-2147023570"  # 0x8007052E
FULL_OS_SECONDS = 900
IN_THE_SYSTEM = "State Restore"
LOG_BYTES = 65536
N_OLD = 3
PROPERTIES = {
    "_SMSTSRunCommandLineAsUser": "RunAsUser",
    "SMSTSRunCommandLineUserName": "UserName",
    "SMSTSRunCommandLineUserPassword": "UserPassword",
    "SMSTSRunCommandLineOutputVariableName": "OutputVariableName",
}
LINE = re.compile(
    r'<!\[LOG\[.*\]LOG\]!><time="\d\d:\d\d:\d\d\.\d{3}[+-]\d{3}" date="\d\d-\d\d-20\d\d" component="[A-Za-z]+" '
    r'context="" type="[123]" thread="\d+" file="[a-z_]+\.c:\d+">'
)


def is_variable(name: str, value: str) -> str:
    return (
        '<condition><expression type="SMS_TaskSequence_VariableConditionExpression">'
        f'<variable name="Operator">equals</variable><variable name="Value">{value}</variable>'
        f'<variable name="Variable">{name}</variable></expression></condition>'
    )


def attributes(given: dict) -> str:
    return "".join(f' {name}="{value}"' for name, value in given.items())


def step(kind: str, name: str, values: dict, condition="", run_in="FullOS", **more) -> str:
    settings = "".join(
        f'<variable name="{key}" property="{PROPERTIES.get(key, key)}">{escape(value)}</variable>' for key, value in values.items()
    )
    more.setdefault("successCodeList", "0 3010")
    return (
        f'<step type="SMS_TaskSequence_{kind}Action" name="{name}" runIn="{run_in}"{attributes(more)}>'
        f"<action/><defaultVarList>{settings}</defaultVarList>{condition}</step>"
    )


def command(name: str, line: str, condition="", values=(), run_in="FullOS", **more) -> str:
    return step("RunCommandLine", name, {"CommandLine": line, **dict(values)}, condition, run_in, **more)


def note(name: str, text: str, condition="", **more) -> str:
    """A step that writes a line into the record."""
    return command(name, f'echo "{text}" >>{RECORD}', condition, **more)


def set_variable(name: str, variable: str, value: str) -> str:
    return step("SetVariable", name, {"VariableName": variable, "VariableValue": value})


def group(name: str, inside: str, condition="", **more) -> str:
    return f'<group name="{name}"{attributes(more)}>{condition}{inside}</group>'


GO_ON = {"continueOnError": "true"}
FAILED = is_variable("_SMSTSLastActionSucceeded", "false")
BOOT = "$(cat /proc/sys/kernel/random/boot_id)"


def log_size() -> tuple:
    """Of small files, by the file that Configuration Manager has for it; the number of old ones by a variable."""
    ini = f"[Logging]\\r\\nLOGMAXSIZE={LOG_BYTES}\\r\\nLOGMAXHISTORY=9\\r\\n"
    return (
        command("How long logs get", f"mkdir -p /etc/slipway && printf '{ini}' >/etc/slipway/SMSTS.ini")
        + set_variable("How many logs are kept", "SLWLogMaxHistory", str(N_OLD)),
        [],
    )


def climbing() -> tuple:
    """Steps, and the lines they must write."""
    inner = group("Inner", command("Fails within", "exit 6") + note("Left out within", "never: left out within"))
    return (
        group("Try", command("Fails", "exit 5") + note("Left out", "never: left out"), **GO_ON)
        + group("Catch", note("Caught", "caught %_SMSTSLastActionName% %_SMSTSLastActionRetCode%"), FAILED)
        + group("Catch nothing", note("Nothing to catch", "never: nothing to catch"), FAILED)
        + group("Outer", inner + note("Left out outside", "never: left out outside"), **GO_ON)
        + note("After the outer group", "after %_SMSTSLastActionName% %_SMSTSLastActionRetCode%")
        + command("Fails alone", "exit 9", **GO_ON)
        + note("Disabled", "never: disabled", disable="true")
        + note("Condition is false", "never: condition", is_variable("NoSuchVariable", "x"))
        + note("Skipped steps change nothing", "alone %_SMSTSLastActionName% %_SMSTSLastActionSucceeded% now %_SMSTSCurrentActionName%"),
        ["caught Fails 5", "after Fails within 6", "alone Fails alone false now Skipped steps change nothing"],
    )


def ending() -> tuple:
    """A command that is out of time goes with all that it has started."""
    flees = f"setsid sh -c 'sleep 12; echo never: grandchild >>{RECORD}' & (setsid sh -c 'sleep 12; echo never: orphan >>{RECORD}' &) ; sleep 60"
    return (
        command("Out of time", flees, timeout="4", **GO_ON)
        + note("It was ended", "ended %_SMSTSLastActionName% %_SMSTSLastActionSucceeded%")
        + command("Long enough to hear of those who fled", "sleep 15"),
        ["ended Out of time false"],
    )


class ByHand:
    """A task sequence that grows by the command line: slipway ts step add and set, as an administrator would."""

    def __init__(self, world: World, sequence: str):
        self.site = world.site
        self.files = world.folder
        self.sequence = sequence

    def add(self, name: str, *words, kind="Run Command Line"):
        self.site.ask("ts", "step", "add", self.sequence, "--type", kind, "--name", name, *(() if "--in" in words else ("--in", IN_THE_SYSTEM)), *words)

    def command(self, name: str, line: str, *words):
        self.add(name, f"command-line={line}", "run-in=FullOS", *words)

    def note(self, name: str, text: str, *words):
        self.command(name, f'echo "{text}" >>{RECORD}', *words)

    def set(self, name: str, *words):
        self.site.ask("ts", "step", "set", self.sequence, f"{IN_THE_SYSTEM}/{name}", *words)

    def secret(self, name: str, text: str) -> str:
        path = self.files / name
        path.write_text(text, encoding="utf-8")
        return f"@{path}"

    def attributes(self, name: str) -> dict:
        xml = self.site.cli("ts", "export", self.sequence, "--format", "xml").stdout
        return next(item.attrib for item in ElementTree.fromstring(xml).iter("step") if item.get("name") == name)


def accounts(hand: ByHand, package: str) -> list:
    """Steps with accounts and output variables, and the lines that they must write."""
    who = 'echo "$(id -un) $(id -Gn) $HOME $USER [$SecretPassword] [$Plain]"'
    right = ("run-as=anna", "run-as-password=" + hand.secret("right", "Anna's own"))
    hand.command("Make an account", "useradd -m -G audio anna && echo \"anna:Anna's own\" | chpasswd", "OSDDoNotLogCommand=true")
    hand.add("Something plain", "VariableName=Plain", "VariableValue=seen", kind="Set Task Sequence Variable")
    hand.command("As an account", who, *right, "output-variable=Result")
    hand.note("Who it was", "who %Result%")
    hand.command("From a package", "./check.sh && id -un", *right, "output-variable=Result", f"package={package}")
    hand.note("Who had the package", "package ${Result##*[![:alnum:]]}")
    hand.command("With a wrong password", f"echo never: wrong password >>{RECORD}", "run-as=anna", "continue-on-error=true")
    hand.set("With a wrong password", "run-as-password=" + hand.secret("wrong", "Somebody else's"))
    hand.note("What a wrong password says", "wrong %_SMSTSLastActionRetCode%")
    hand.command("Without an account", f"echo never: no account >>{RECORD}", *right, "continue-on-error=true")
    hand.set("Without an account", "run-as=casper")
    hand.note("What a missing account says", "missing %_SMSTSLastActionRetCode%")
    return ["who anna anna audio /home/anna anna [] [seen]", "package anna", f"wrong {BAD_LOGON}", f"missing {BAD_LOGON}"]


def settings(hand: ByHand) -> list:
    """Those of a step that the engine itself obeys."""
    hand.command("In a folder", f'echo "folder $(pwd)" >>{RECORD}', "start-in=/var/tmp")
    hand.command("A success code of its own", "exit 7", "success-codes=0 7")
    hand.note("Seven is a success", "seven %_SMSTSLastActionSucceeded% %_SMSTSLastActionRetCode%")
    hand.command("In time", f"sleep 1; echo in time >>{RECORD}", "timeout=1")
    hand.command("Only then", f"echo never: condition >>{RECORD}", "condition=Plain equals unseen")
    crash = "test -e /root/crashed && exit 0; touch /root/crashed; sync; echo b >/proc/sysrq-trigger; sleep 60"
    hand.command("The machine crashes", crash)
    hand.set("The machine crashes", "retry=1")
    hand.note("After the crash", f"crash {BOOT}")
    expect(hand.attributes("In time")["timeout"], "60", "seconds of a time-out of one minute")
    return ["folder /var/tmp", "seven true 7", "in time", "crash D"]


def output() -> tuple:
    result = {"SMSTSRunCommandLineOutputVariableName": "Result"}
    return (
        command("Much output", "yes 0123456789 | head -n 50000; printf 'the end\\n\\n'", values=result)
        + command("Its end", f'printf "%s" "$Result" | wc -c >>{RECORD}; printf "%s\\n" "$Result" | tail -n 1 >>{RECORD}')
        + set_variable("A secret", "SecretPassword", SECRET)
        + command("A secret in a command line", f"test %SecretPassword% = $SecretPassword && echo it is {SECRET}")
        + command("A secret in a failure", "/nonexistent/%SecretPassword%", **GO_ON)
        + command("Not logged at all", f"echo {HUSH}", values={"OSDDoNotLogCommand": "true"})
        + note("After the secrets", "secret %_SMSTSLastActionSucceeded%"),
        ["1000", "the end", "secret true"],
    )


def restarts() -> tuple:
    """That by request alone is in ts-power-cut-matrix, in both directions; here a script asks, and for another try."""
    ask = (
        f'test -e /root/asked && {{ echo "requested {BOOT}" >>{RECORD}; exit 0; }}; touch /root/asked; '
        'echo SMSTSRebootRequested=HD >>"$SLW_VARIABLES"; echo SMSTSRetryRequested=true >>"$SLW_VARIABLES"'
    )
    return (
        command("Wants a restart", f'echo "boot {BOOT}" >>{RECORD}; exit 3010')
        + note("After 3010", f"boot {BOOT}")
        + command("Asks for a restart and another try", ask)
        + note("After the restart that was requested", f"requested {BOOT}"),
        ["boot A", "boot B", "requested C", "requested C"],
    )


def number_boots(lines: list) -> list:
    """Boot ids as letters, in the order they were first seen."""
    letters = {}
    out = []
    for line in lines:
        words = line.split(" ")
        if words[0] in ("boot", "requested", "crash"):
            words[1] = letters.setdefault(words[1], chr(ord("A") + len(letters)))
        out.append(" ".join(words))
    return out


def check_log(text: str, what: str):
    """Every line is one that log viewers know, and no secret is in it."""
    lines = text.splitlines()
    bad = [line for line in lines if not LINE.fullmatch(line)]
    expect(bad[:3], [], f"{what}: lines that are not of the format, of {len(lines)}")
    for secret in (SECRET, HUSH, "Anna's own"):
        expect(secret in text, False, f"{what}: {secret!r}")


def import_steps(world: World, inside: str, name: str) -> str:
    """Steps of the example, then these. Return: the task sequence."""
    site = world.site
    xml = dep.task_sequence_xml(dep.newest_package(site, "os-image"))
    xml = xml.replace("</group>\n</sequence>", inside + "</group>\n</sequence>")
    return dep.import_task_sequence(site, xml, name, dep.default_boot_image(site))


def read_log(vm, folder: Path) -> str:
    """What is on the disk of a log that was allowed three old files of 64 KiB."""
    names = trees.names(vm.disk, folder, "var/log/slipway")
    old = sorted(name for name in names if re.fullmatch(r"smsts-\d{8}-\d{6}\.log", name))
    expect(len(old), N_OLD, f"old files, of {names}")
    texts = [trees.read(vm.disk, folder, f"var/log/slipway/{name}") for name in [*old, "smsts.log"]]
    for text in texts[:-1]:
        expect(LOG_BYTES <= len(text.encode()) < LOG_BYTES + 16384, True, f"{len(text)} bytes in an old file")
    return "".join(texts)


def error_handling(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    parts = [log_size(), climbing(), ending(), output(), restarts()]
    hand = ByHand(world, import_steps(world, "".join(steps for steps, _ in parts), "Rules"))
    parts += [("", accounts(hand, make_package(world))), ("", settings(hand))]
    deployment = dep.deploy(site, hand.sequence)
    vm = world.add_vm("uefi-secureboot")
    vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, system_test.DEPLOY_SECONDS + FULL_OS_SECONDS)
    say("the task sequence is through")
    messages = site.cli("log", "--deployment", deployment, "--output", "json").stdout
    device_log = site.cli("log", "--device", row["device_id"], "--smsts", "--output", "json").stdout
    system_test.switch_off(vm)

    found = number_boots(trees.read(vm.disk, world.folder, RECORD[1:]).splitlines())
    expect(found, [line for _, lines in parts for line in lines], "what the steps wrote")
    log = read_log(vm, world.folder)
    check_log(log, "the log on the disk")
    expect("The rest of the output is not logged" in log, True, "that there was too much output, in the log on the disk")
    for secret in (SECRET, HUSH):
        expect(secret in messages, False, f"{secret!r} in what the site was told")
        expect(secret in device_log, False, f"{secret!r} in the log at the site")
    phases = {phase["name"]: phase["state"] for phase in row["phases"]}
    for name in ("Fails", "Fails within", "Fails alone", "Out of time", "With a wrong password", "Without an account"):
        expect(phases.get(name), "failed", f"step {name!r} of {phases}")
    for name in ("Caught", "After the outer group", "A success code of its own", "The machine crashes"):
        expect(phases.get(name), "succeeded", f"step {name!r} of {phases}")
    for text in ("SLW-0431", "SLW-0425", "SLW-0430"):
        expect(text in device_log or text in messages, True, f"{text!r} at the site")
    expect(trees.has_state(vm.disk, world.folder), False, "state left on the disk")


def both_ways(image: str, package: str) -> str:
    """Before the disk can boot over the network, from the system with the boot image on the disk, and into the system
    again; each part says where it is, and what came over. With programs of a package in each place."""
    where = "$(test -e /init && echo boot-image || echo full-os)"
    record = "%_SMSTSMDataPath%/record"

    def here(name: str, number: int, run_in: str) -> str:
        line = f"echo \"{number} {where} {BOOT} $Kept %Base0Property% %_SMSTSCurrentActionName%\" >>{record}"
        return command(name, line, run_in=run_in)

    def restart(name: str, target: str, run_in: str) -> str:
        return step("Reboot", name, {"SMSRebootTarget": target}, run_in=run_in)

    before = set_variable("Remember", "Kept", "kept").replace("FullOS", "WinPE")
    before += set_variable("Remember an array", "Base0Property", "with %Kept%").replace("FullOS", "WinPE")
    before += here("First start", 1, "WinPE")
    before += restart("Over the network", "WinPE", "WinPE") + here("Second start", 2, "WinPE")
    after = here("In the installed system", 3, "FullOS") + restart("To the boot image", "WinPE", "FullOS")
    after += here("In the boot image of the disk", 4, "WinPE") + restart("To the system", "HD", "WinPE")
    after += here("In the system again", 5, "FullOS") + restart("From system to system", "HD", "FullOS")
    after += here("In the system once more", 6, "FullOS") + command("Keep the record", f"cp {record} {RECORD}")
    xml = system_test.packages_sequence(image, package)
    settings = '<step type="SMS_TaskSequence_ApplyWindowsSettingsAction"'
    return xml.replace(settings, before + settings).replace("</group>\n</sequence>", after + "</group>\n</sequence>")


def restart_both_ways(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    xml = both_ways(dep.newest_package(site, "os-image"), make_package(world))
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "Both ways", dep.default_boot_image(site)))
    vm = world.add_vm("uefi-secureboot")
    process = vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, 2 * system_test.DEPLOY_SECONDS + FULL_OS_SECONDS)
    say(f"done after {time.monotonic() - process.started:.0f} s")
    system_test.switch_off(vm)

    states = {phase["name"]: phase["state"] for phase in row["phases"]}
    expect(set(states.values()), {"succeeded"}, f"states of the steps {states}")
    expect(len(row["phases"]), row["n_steps"], "each step ran once")
    expect(row["attempt"], 1, "attempts: a restart on purpose is none")
    lines = [line.split(" ", 3) for line in trees.read(vm.disk, world.folder, RECORD[1:]).splitlines()]
    expect([line[0] for line in lines], list("123456"), "what ran, in order")
    expect([line[1] for line in lines], 2 * ["boot-image"] + ["full-os", "boot-image", "full-os", "full-os"], "where")
    expect(len({line[2] for line in lines}), len(lines), "starts: another one each time")
    expect([line[3].startswith("kept with kept ") for line in lines], len(lines) * [True], f"variables of {lines}")
    check_log(trees.read(vm.disk, world.folder, "var/log/slipway/smsts.log"), "the log on the disk")
    check_whole_log(site, row, trees.read(vm.disk, world.folder, "var/log/slipway/smsts.log"))
    expect(trees.has_state(vm.disk, world.folder), False, "state left on the disk")


FOR_UEFI = {
    "OSDDiskIndex": "0",
    "OSDPartitionStyle": "GPT",
    "OSDPartitions0Type": "EFI",
    "OSDPartitions0FileSystem": "FAT32",
    "OSDPartitions0Size": "512",
    "OSDPartitions0SizeUnits": "MB",
    "OSDPartitions0QuickFormat": "true",
    "OSDPartitions0VolumeLetterVariable": "TSUEFIDrive",
    "OSDPartitions1Type": "Primary",
    "OSDPartitions1FileSystem": "NTFS",
    "OSDPartitions1Size": "100",
    "OSDPartitions1SizeUnits": "Percent",
    "OSDPartitions1QuickFormat": "true",
}


def from_bios_to_uefi(image: str) -> str:
    """The group that is documented for this, and behind it an ordinary deployment on the same disk."""
    group = command("It starts by BIOS", "test '%_SMSTSBootUEFI%' = false && test ! -e /sys/firmware/efi", run_in="WinPE")
    group += step("PartitionDisk", "Partition for UEFI", FOR_UEFI, run_in="WinPE")
    group += step("Reboot", "Restart as UEFI", {"SMSRebootTarget": "WinPE"}, run_in="WinPE")
    group = f'<group name="BIOS to UEFI">{is_variable("_SMSTSBootUEFI", "false")}{group}</group>'
    line = "test '%_SMSTSBootUEFI%' = true && test -e /sys/firmware/efi && grep -q slipway.disk=1 /proc/cmdline"
    group += command("It starts by UEFI, from the disk", line, run_in="WinPE")
    xml, n = re.subn(r'<step type="SMS_TaskSequence_PartitionDiskAction".*?</step>', lambda _: group, dep.task_sequence_xml(image), flags=re.DOTALL)
    expect(n, 1, "steps that format in the example")
    return xml


def bios_to_uefi(world: World):
    """The first start is SeaBIOS by the network; the next one is UEFI with Secure Boot, from the disk."""
    site = world.start_site()
    world.lab.start_dhcp()
    xml = from_bios_to_uefi(dep.newest_package(site, "os-image"))
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "BIOS to UEFI", dep.default_boot_image(site)))
    vm = world.add_vm("bios")
    process = vm.power_on(is_off_at_restart=True)
    process.wait_line("reboot: ", system_test.DEPLOY_SECONDS)
    process.popen.wait(60)
    say(f"it goes down {time.monotonic() - process.started:.0f} s after the start")
    vm.set_firmware("uefi-secureboot")
    process = vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, system_test.DEPLOY_SECONDS + FULL_OS_SECONDS)
    say(f"done {time.monotonic() - process.started:.0f} s after the start by UEFI")
    system_test.switch_off(vm)
    states = {phase["name"]: phase["state"] for phase in row["phases"]}
    expect(set(states.values()), {"succeeded"}, f"states of the steps {states}")
    expect(row["attempt"], 1, "attempts: a restart on purpose is none")
    log = trees.read(vm.disk, world.folder, "var/log/slipway/smsts.log")
    expect("(TSUEFIDrive), for a firmware that starts by UEFI now" in log, True, "that it was staged, in the log on the disk")
    expect(trees.has_state(vm.disk, world.folder), False, "state left on the disk")


def check_whole_log(site, row, on_disk: str):
    """Each step's beginning and end is in the log on the disk once, whatever restarts lay between, and at the site too."""
    at_site = site.cli("log", "--device", row["device_id"], "--smsts", "--output", "json").stdout
    for phase in row["phases"]:
        begun = f": {phase['name']} ("
        expect(on_disk.count(begun), 2 if phase["name"].startswith("Setup Windows") else 1, f"{begun!r} in the log on the disk")
        expect(begun in at_site, True, f"{begun!r} in the log at the site")


TESTS = {
    "ts-error-handling": error_handling,
    "ts-restart-both-ways": restart_both_ways,
    "ts-bios-to-uefi": bios_to_uefi,
}


def main() -> int:
    system_test.TESTS = TESTS
    return system_test.main()


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    say(f"{time.monotonic() - started:.0f} s")
    sys.exit(code)
