#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""All steps that a Linux target runs, in one deployed machine: in the boot image and in the installed system.

usage: ts_steps.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import base64
import hashlib
import json
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import deployment as dep  # noqa: E402
import suite  # noqa: E402
from folders import PASSWORD, start_folders  # noqa: E402
from lab import CACHE, SERVER_ADDRESS, missing_for_lab, run  # noqa: E402
from system_test import DEPLOY_SECONDS, World, expect, make_package, newest, say, step_xml  # noqa: E402

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
PIN = "4711-pin-of-the-lab"
FAILS = {}  # names of steps that must fail, with their return codes
SKIPPED = {"Another version of it", "No such software", "A folder of Windows"}  # names of steps whose condition is false
NOT_FOUND, LOGON, NO_SCRIPT_HOST, NOT_READY = 0x80070002, 0x8007052E, 0x87D00320, 4316


def any_step(kind: str, name: str, run_in: str, **values) -> str:
    """One that goes on if it fails: at the end all of them are looked at."""
    return step_xml(kind, name, run_in, **values).replace("<step ", '<step continueOnError="true" ', 1)


def command(name: str, run_in: str, line: str, **more) -> str:
    return any_step("RunCommandLine", name, run_in, CommandLine=line, **more)


def failing(xml: str, code: int) -> str:
    """The same; it is expected to fail, with this return code."""
    FAILS[xml.split('name="', 1)[1].split('"', 1)[0]] = code - (1 << 32) if code > 0x7FFFFFFF else code
    return xml


def nested(name: str, sequence: str, **more) -> str:
    attributes = "".join(f' {key}="{value}"' for key, value in more.items())
    return (
        f'<subtasksequence type="SMS_TaskSequence_SubTasksequence" name="{name}"{attributes} successCodeList="0"><action>SubTasksequence.exe</action>'
        f'<defaultVarList><variable name="OSDSubTasksequencePackageID" property="TsPackageID">{sequence}</variable></defaultVarList></subtasksequence>'
    )


def make_children(site) -> tuple:
    """Two task sequences that others run: one that succeeds, and one that fails in its middle."""
    good = any_step("SetVariable", "The child sets", "WinPE", VariableName="FromChild", VariableValue="%Color%-%Shape%-%FromParent%")
    good += command("The child sees a secret", "WinPE", f'test "$Pin" = {PIN} &amp;&amp; test %Pin% = {PIN} &amp;&amp; echo my pin is $Pin')
    bad = failing(step_xml("RunCommandLine", "The child fails", "WinPE", CommandLine="exit 6"), 6)
    bad += any_step("SetVariable", "Behind the failure", "WinPE", VariableName="FromBadChild", VariableValue="never")
    wrap = '<sequence version="3.10"><group name="Child" description="">{}</group></sequence>'
    ids = []
    for name, steps in (("Good", good), ("Bad", bad)):
        path = site.home / f"{name}.xml"
        path.write_text(wrap.format(steps), encoding="utf-8")
        ids.append(site.ask("ts", "import", path, "--name", name)["id"])
    return tuple(ids)


def nested_steps(children: tuple) -> str:
    """Run Task Sequence: one environment for all, and errors that climb out of the child."""
    good, bad = children
    return "".join(
        (
            any_step("SetVariable", "The parent sets", "WinPE", VariableName="FromParent", VariableValue="parent"),
            nested("Run a task sequence", good),
            command("The parent sees what the child set", "WinPE", "test %FromChild% = blue-round-parent"),
            nested("Run one that fails", bad, continueOnError="true"),
            command("The failure is known, and the rest was left out", "WinPE", "test %_SMSTSLastActionSucceeded%,%_SMSTSLastActionRetCode% = false,6 &amp;&amp; test -z \"$FromBadChild\""),
        )
    )


def add_device(site, mac: str, folder: Path) -> str:
    """A device in a collection, both with variables: those of the device count."""
    secret = folder / "pin"
    secret.write_text(PIN, encoding="utf-8")
    site.cli("collection", "create", "Lab computers")
    site.cli("device", "import", "LAB-1", "--mac", mac, "--collection", "Lab computers")
    site.cli("collection", "variable", "set", "Lab computers", "Color=red", "Shape=round")
    site.cli("collection", "variable", "set", "Lab computers", f"Pin=@{secret}", "--secret")
    site.cli("device", "variable", "set", "LAB-1", "Color=blue")
    expect(PIN in site.cli("collection", "variable", "list", "Lab computers", "--output", "json").stdout, False, "the secret in the list of variables")
    return "Lab computers"


def script(text: str) -> str:
    """As the editor keeps it."""
    return base64.b64encode(b"\xff\xfe" + text.encode("utf-16-le")).decode()


def connect(name: str, run_in: str, path: str, password=PASSWORD, **more) -> str:
    account = {"SMSConnectNetworkFolderAccount": "root", "SMSConnectNetworkFolderPassword": password} if password else {}
    return any_step("ConnectNetworkFolder", name, run_in, SMSConnectNetworkFolderPath=path, **account, **more)


def folder_steps(run_in: str) -> str:
    """SMB and NFS, whose servers are the real ones."""
    smb, nfs, old = f"\\\\{SERVER_ADDRESS}\\files", f"{SERVER_ADDRESS}:/export", f"nfs://{SERVER_ADDRESS}:2050/old"
    return "".join(
        (
            connect(f"SMB in {run_in}", run_in, smb, SMSConnectNetworkFolderDriveLetter="Z:"),
            command(f"Read and write by SMB in {run_in}", run_in, f"grep -q hello %SLWNetworkFolderZ%/hello &amp;&amp; echo x &gt; %SLWNetworkFolderZ%/smb-{run_in}"),
            failing(connect(f"SMB with a wrong password in {run_in}", run_in, smb, password="wrong"), LOGON),
            failing(connect(f"SMB without such a share in {run_in}", run_in, smb.replace("files", "none")), NOT_FOUND),
            connect(f"NFS in {run_in}", run_in, nfs, password=None, SMSConnectNetworkFolderDriveLetter="/run/nfs"),
            command(f"Read and write by NFS in {run_in}", run_in, f"grep -q hello /run/nfs/hello &amp;&amp; echo x &gt; /run/nfs/nfs-{run_in}"),
            connect(f"NFS 3 in {run_in}", run_in, old, password=None, SMSConnectNetworkFolderDriveLetter="/run/old"),
            command(f"It is version 3 in {run_in}", run_in, "grep -q ' /run/old nfs .*vers=3[, ]' /proc/mounts"),
            command(f"Read and write by NFS 3 in {run_in}", run_in, f"grep -q hello /run/old/hello &amp;&amp; echo x &gt; /run/old/old-{run_in}"),
        )
    )


def script_steps(package: str) -> str:
    """Run PowerShell Script, with what there is in a boot image."""
    shell = script('#!/bin/sh\necho "$1 and $2"\n')
    return "".join(
        (
            any_step(
                "RunPowerShellScript",
                "A script of the step",
                "WinPE",
                OSDRunPowerShellScriptSourceScript=shell,
                OSDRunPowerShellScriptParameters="'one word' two",
                OSDRunPowerShellScriptOutputVariableName="Said",
            ),
            command("It has said so", "WinPE", "test '%Said%' = 'one word and two'"),
            any_step(
                "RunPowerShellScript",
                "A script of a package",
                "WinPE",
                OSDRunPowerShellScriptPackageID=package,
                OSDRunPowerShellScriptScriptName="check.sh",
            ),
            failing(any_step("RunPowerShellScript", "Without PowerShell", "WinPE", OSDRunPowerShellScriptSourceScript=script("Get-Date")), NO_SCRIPT_HOST),
        )
    )


def software_steps(package: str, software: str) -> str:
    """Programs, an application and updates, from what the packages hold: the machine has no way to the Internet."""
    repository = "deb [trusted=yes] file:/srv/software/repository ./"
    return "".join(
        (
            any_step("InstallSoftware", "A program that is a file", "FullOS", PackageID=package, _SMSSWDProgramName="check.sh"),
            any_step("SetVariable", "First of a list", "FullOS", VariableName="Tool001", VariableValue=f"{software}:Install"),
            any_step("SetVariable", "Second of a list", "FullOS", VariableName="Tool002", VariableValue=f"{software}:Again"),
            any_step("InstallSoftware", "Programs of a list", "FullOS", BaseVariableName="Tool", ContinueOnInstallError="false"),
            command("Both have run", "FullOS", "test -s /srv/installed -a -s /srv/again &amp;&amp; ! cmp -s /srv/installed /srv/again"),
            failing(any_step("InstallSoftware", "A program that is not there", "FullOS", PackageID=software, _SMSSWDProgramName="install"), NOT_FOUND),
            any_step("SetVariable", "An application", "FullOS", VariableName="App01", VariableValue="Software"),
            any_step("InstallApplication", "Applications of a list", "FullOS", BaseVariableName="App", OSDAppClearCache="true"),
            command("Its content is not kept", "FullOS", "grep -l slwlab_1.0 /var/cache/slipway/packages/*.manifest; test $? = 1"),
            command("It is there", "FullOS", "test %_TSAppInstallStatus% = Success &amp;&amp; dpkg-query -W slwlab &amp;&amp; grep -q 1.0 /usr/share/slwlab"),
            any_step("InstallApplication", "Is there already", "FullOS", OSDApp0Name=software),
            command("Its content is kept", "FullOS", "grep -l slwlab_1.0 /var/cache/slipway/packages/*.manifest"),
            command("Only this repository", "FullOS", f"rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; mkdir -p /srv/software &amp;&amp; cp -a /srv/content/{software}/. /srv/software/ &amp;&amp; echo '{repository}' &gt; /etc/apt/sources.list"),
            any_step("InstallUpdate", "Security updates", "FullOS", SMSInstallUpdateTarget="Mandatory"),
            command("They are there, after a restart", "FullOS", "grep -q 2.0 /usr/share/slwlab &amp;&amp; test ! -e /run/reboot-required"),
            any_step("InstallUpdate", "All updates", "FullOS", SMSInstallUpdateTarget="All"),
        )
    )


def make_deb(folder: Path, version: str, postinst: str) -> Path:
    tree = folder / f"tree-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share").mkdir(parents=True)
    (tree / "usr/share/slwlab").write_text(f"version {version}\n", encoding="utf-8")
    control = f"Package: slwlab\nVersion: {version}\nArchitecture: all\nMaintainer: Lab <lab@example.org>\nDescription: of the lab\n"
    (tree / "DEBIAN/control").write_text(control, encoding="utf-8")
    (tree / "DEBIAN/postinst").write_text(f"#!/bin/sh\n{postinst}\n", encoding="utf-8")
    (tree / "DEBIAN/postinst").chmod(0o755)
    deb = folder / f"slwlab_{version}_all.deb"
    run("dpkg-deb", "--root-owner-group", "--build", tree, deb)
    return deb


def make_repository(folder: Path, deb: Path):
    """A security archive with one package in it."""
    folder.mkdir()
    shutil.copy(deb, folder)
    data = deb.read_bytes()
    control = run("dpkg-deb", "--field", deb).stdout.strip()
    packages = f"{control}\nFilename: ./{deb.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n".encode()
    (folder / "Packages").write_bytes(packages)
    digest = hashlib.sha256(packages).hexdigest()
    release = f"Origin: Lab\nSuite: stable-security\nCodename: lab-security\nArchitectures: all amd64\nSHA256:\n {digest} {len(packages)} Packages\n"
    (folder / "Release").write_text(release, encoding="utf-8")


def make_software(world: World) -> str:
    """An application in version 1.0, a repository with 2.0, and two programs."""
    source = world.folder / "software"
    source.mkdir()
    shutil.move(make_deb(world.folder, "1.0", "exit 0"), source)
    make_repository(source / "repository", make_deb(world.folder, "2.0", "touch /run/reboot-required"))
    description = {
        "programs": {
            "Install": {"command": "cat /proc/sys/kernel/random/boot_id > /srv/installed; exit 3010"},
            "Again": {"command": "test -f ./slwlab_1.0_all.deb && cat /proc/sys/kernel/random/boot_id > /srv/again && exit 7", "success_codes": [7]},
        },
        "application": {
            "name": "Lab tool",
            "version": "1.0",
            "requirements": [{"architecture": "x64"}, {"distribution": "debian"}, {"min_os_version": "12"}],
            "detection": [{"package": "slwlab", "min_version": "1.0"}, {"file": "/usr/share/slwlab"}],
            "install": {"packages": ["./slwlab_1.0_all.deb"]},
        },
    }
    (source / "slipway.json").write_text(json.dumps(description), encoding="utf-8")
    world.site.cli("package", "create", "Software", "--source", source, timeout=120)
    return newest(world.site, "package")


def bare_steps(package: str) -> str:
    """Before there is a volume."""
    return "".join(
        (
            any_step("PrestartCheck", "Ready", "WinPE", **READY),
            command("All were met", "WinPE", "test %_TS_CRMEMORY%%_TS_CRDISK%%_TS_CRUEFI%%_TS_CRWIRED%%_TS_CRACPOWER% = 11111"),
            failing(any_step("PrestartCheck", "Too little memory", "WinPE", **(READY | {"OSDMemory": "99999999"})), NOT_READY),
            command("It says so", "WinPE", "test %_TS_CRMEMORY%%_TS_CRSPEED%,%_SMSTSLastActionRetCode% = 01,4316"),
            any_step(
                "DownloadPackageContent",
                "Download into memory",
                "WinPE",
                OSDDownloadDownloadPackages=package,
                OSDDownloadDestinationVariable="Got",
            ),
            command("Look at it", "WinPE", "%Got01%/check.sh"),
            script_steps(package),
            folder_steps("WinPE"),
        )
    )


def volume_steps(package: str, boot_image: str) -> str:
    """In the boot image, with a volume."""
    return "".join(
        (
            any_step(
                "DownloadPackageContent",
                "Download onto the volume",
                "WinPE",
                OSDDownloadDownloadPackages=f"{package},{boot_image}",
                OSDDownloadDestinationVariable="There",
            ),
            command("Look there", "WinPE", "%There01%/check.sh &amp;&amp; test -s %There02%/initrd.img"),
        )
    )


def conditional(xml: str, *operands: tuple) -> str:
    """A step with conditions that all must hold: kinds and their fields."""
    inside = ""
    for kind, fields in operands:
        variables = "".join(f'<variable name="{name}">{value}</variable>' for name, value in fields.items())
        inside += f'<expression type="SMS_TaskSequence_{kind}ConditionExpression">{variables}</expression>'
    return xml.replace("</step>", f'<condition><operator type="and">{inside}</operator></condition></step>', 1)


def condition_steps() -> str:
    """What only the installed system can answer: software, services, the environment."""
    bash = ("Software", {"Operator": "AnyVersion", "ProductName": "Bash"})
    there = (
        bash,
        ("WMI", {"Query": "select * from Win32_Product where Name = 'bash' and Version like '5.%'"}),
        ("WMI", {"Query": "select * from Win32_Service where Name = 'dbus' or Name = 'systemd-journald'"}),
        ("WMI", {"Query": "select * from CIM_OperatingSystem where OSType = 36 and Caption like 'Debian%'"}),
        ("Folder", {"Path": "/etc/apt"}),
    )
    old = ("Software", {"Operator": "ThisVersion", "ProductName": "bash", "Version": "1.0"})
    windows = ("Folder", {"Path": "%ProgramFiles%"})
    return "".join(
        (
            conditional(any_step("SetVariable", "Bash is there", "FullOS", VariableName="Bash", VariableValue="there"), *there),
            command("What is there was found", "FullOS", "test %Bash% = there"),
            conditional(command("Another version of it", "FullOS", "exit 3"), old),
            conditional(command("No such software", "FullOS", "exit 3"), ("Software", {"Operator": "AnyVersion", "ProductName": "no-such-package"})),
            conditional(command("A folder of Windows", "FullOS", "exit 3"), bash, windows),
        )
    )


AGAIN = "grep -q hello /run/slipway/drives/Z/hello &amp;&amp; grep -q hello /run/nfs/hello &amp;&amp; grep -q hello /run/old/hello"


def system_steps(package: str, software: str) -> str:
    """In the installed system."""
    return "".join(
        (
            command("The folders of the boot image are there again", "FullOS", AGAIN),
            any_step(
                "PrestartCheck",
                "Ready in the system",
                "FullOS",
                **(READY | {"OSDCheckMinOSVersion": "true", "OSDMinOSVersion": "12", "OSDCheckOSArchitecture": "true", "OSDOSArchitecture": "64"}),
            ),
            any_step(
                "DownloadPackageContent",
                "Download to a path",
                "FullOS",
                OSDDownloadDownloadPackages=f"{package},{software}",
                OSDDownloadDestinationLocationType="Custom",
                OSDDownloadDestinationPath="/srv/content",
                OSDDownloadDestinationVariable="Copy",
            ),
            command("Look at the path", "FullOS", f"test %Copy01% = /srv/content/{package} &amp;&amp; %Copy01%/check.sh"),
            folder_steps("FullOS"),
            software_steps(package, software),
            condition_steps(),
        )
    )


def check_codes(site, deployment: str, device: str):
    """What failed, at the site: its return code; and no secret anywhere."""
    messages = site.cli("log", "--deployment", deployment, "--output", "json").stdout
    codes = {m["step_name"]: m["exit_code"] for m in map(json.loads, messages.splitlines()) if m["state"] == "step-failed"}
    expect(codes, FAILS, "return codes of the steps that failed")
    log = site.cli("log", "--device", device, "--smsts", "--output", "json").stdout
    for text in ("(Error: 0x8007052E)", "(Error: 4316)", "my pin is ***"):
        expect(text in log, True, f"{text!r} in the log at the site")
    steps = site.cli("deployment", "steps", deployment, "--device", device, "--output", "json").stdout
    outputs = {step["step_name"]: step["output"] for step in json.loads(steps)}
    expect(outputs["The child sees a secret"], "my pin is ***\n", "the output of a step")
    for secret in (PIN, PASSWORD):
        expect(secret in messages or secret in log or secret in steps, False, f"{secret!r} at the site")


def ts_steps(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    package = make_package(world)
    software = make_software(world)
    folders = start_folders(world)
    boot_image = dep.default_boot_image(site)
    xml = dep.task_sequence_xml(dep.newest_package(site, "os-image"))
    xml = xml.replace(FORMAT, bare_steps(package) + nested_steps(make_children(site)) + FORMAT, 1)
    xml = xml.replace(SETTINGS, volume_steps(package, boot_image) + SETTINGS, 1)
    xml = xml.replace(END, system_steps(package, software) + END)
    vm = world.add_vm("uefi-secureboot")
    collection = add_device(site, vm.mac, world.folder)
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "All steps", boot_image), collection)
    process = vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, 3 * DEPLOY_SECONDS)
    say(f"done after {time.monotonic() - process.started:.1f} s")
    states = {phase["name"]: phase["state"] for phase in row["phases"]}
    expect({name for name, state in states.items() if state == "failed"}, set(FAILS), f"steps that failed, of {states}")
    expect({name for name, state in states.items() if state == "skipped"}, SKIPPED, f"steps that were left out, of {states}")
    expect({state for name, state in states.items() if name not in FAILS.keys() | SKIPPED}, {"succeeded"}, f"states of the others, of {states}")
    check_codes(site, deployment, row["device_id"])
    written = {path.name for name in ("files", "export", "old") for path in (folders / name).iterdir()} - {"hello"}
    expect(written, {f"{kind}-{where}" for kind in ("smb", "nfs", "old") for where in ("WinPE", "FullOS")}, "files that the machine wrote")
    process.wait_line("login:", 60)


TESTS = {"ts-steps": ts_steps}


def play(test, build: Path, name: str):
    CACHE.mkdir(exist_ok=True)
    with World(build, name) as world:
        test(world)


if __name__ == "__main__":
    sys.exit(suite.run(TESTS, __doc__, missing_for_lab(), play, ("*.img", "state")))
