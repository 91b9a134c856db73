#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system suite: real firmware, a real DHCP server, real images; one test a call.

usage: system_test.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import capture_deploy  # noqa: E402
import deployment as dep  # noqa: E402
import pxe_situations  # noqa: E402
import suite  # noqa: E402
import trees  # noqa: E402
from lab import CACHE, Lab, LabError, SERVER_ADDRESS, Site, Vm, alone, debian_image, kernel_root, missing_for_lab, open_folder, run, staged, x86_root  # noqa: E402

BOOT_SECONDS = 240
DEPLOY_SECONDS = 600
COPY_SECONDS = 180
FORMAT = '<step type="SMS_TaskSequence_PartitionDiskAction"'
BRANCH_ADDRESS = "10.77.0.3"


class World:
    """A lab with a site whose content is ready: boot image, OS image, task sequence."""

    def __init__(self, build: Path, name: str):
        self.build = build
        self.base = open_folder(build / "system")
        self.folder = self.base / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.lab = Lab(self.folder, name="slwt")
        self.site = None
        self.n_vms = 0

    def __enter__(self):
        self.lab.__enter__()
        return self

    def __exit__(self, *why):
        self.lab.__exit__(*why)

    def start_site(self, more_config="", x86="/nonexistent"):
        """From the template that the first test makes; each test works on its own copy."""
        template = self.base / "template"
        stamp = template / "ready"
        with alone("template"):
            if not stamp.exists() or stamp.read_text(encoding="utf-8") != self.fingerprint():
                shutil.rmtree(template, ignore_errors=True)
                self.make_template(template)
                stamp.write_text(self.fingerprint(), encoding="utf-8")
        for name in ("state", "home"):
            shutil.copytree(template / name, self.folder / name, symlinks=True)
            copy_owners(template / name, self.folder / name)
        config = dep.site_config(template / "kernel", more_config, x86)
        self.site = Site(self.lab, template / "build", self.folder / "state", config)
        self.site.start()
        return self.site

    def fingerprint(self) -> str:
        """A template is good for the programs that made it."""
        programs = [self.build / "src/prog" / name for name in ("slipwayd", "slipway-agent")]
        scripts = sorted((Path(__file__).resolve().parents[2] / "bootimage").iterdir())
        return " ".join(f"{path.name}:{path.stat().st_mtime_ns}" for path in [*programs, *scripts])

    def make_template(self, template: Path):
        template.mkdir(parents=True)
        shutil.copytree(kernel_root(), template / "kernel", symlinks=True)
        build = staged(self.build, template / "build")
        site = Site(self.lab, build, template / "state", dep.site_config(template / "kernel"))
        process = site.start()
        site.log_in()
        dep.default_boot_image(site)
        dep.add_os_image(site, debian_image(say))
        site.stop()
        if process.popen.returncode != 0:
            raise LabError(f"slipwayd ended with {process.popen.returncode} on SIGTERM; see {process.log}")

    def start_site_with_x86(self):
        """One that makes the boot image for x86 too, without being asked."""
        root = self.folder / "x86"
        x86_root(root)
        site = self.start_site(x86=root)
        say("the boot image for x86 is " + dep.default_boot_image(site, "x86"))
        return site

    def deploy_debian(self, image=None, change=lambda xml: xml) -> str:
        site = self.site
        xml = change(dep.task_sequence_xml(image or dep.newest_package(site, "os-image")))
        boot_image = dep.default_boot_image(site)
        return dep.deploy(site, dep.import_task_sequence(site, xml, "Debian 12", boot_image))

    def add_vm(self, firmware: str, **more) -> Vm:
        self.n_vms += 1
        return Vm(self.lab, f"vm{self.n_vms}", firmware, number=self.n_vms, **more)


def copy_owners(source: Path, target: Path):
    for base, folders, files in os.walk(source):
        for path in [Path(base), *(Path(base) / name for name in folders + files)]:
            info = path.lstat()
            os.lchown(target / path.relative_to(source), info.st_uid, info.st_gid)


def say(text: str):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


# Conditions before the first step that changes the disk: namespace and query, or a variable, and whether the machine of the lab is so.
CIMV2 = "root\\cimv2"
PROBES = (
    (CIMV2, "select * from Win32_ComputerSystem where Manufacturer like 'QEMU%'", True),
    (CIMV2, "select * from Win32_ComputerSystem where Manufacturer like 'Dell%'", False),
    (CIMV2, "select * from Win32_SystemEnclosure where ChassisTypes = 1 and Manufacturer = 'QEMU'", True),
    (CIMV2, "select * from Win32_SystemEnclosure where ChassisTypes = 9 or ChassisTypes = 10", False),
    (CIMV2, "select * from Win32_NetworkAdapterConfiguration where IPAddress like '10.77.%' and IPEnabled = true", True),
    (CIMV2, "select * from Win32_DiskDrive where Index = 0 and Size > 1000000000", True),
    (CIMV2, "select * from Win32_Battery", False),
    (CIMV2, "select * from Win32_PnPEntity where DeviceID like 'PCI\\\\VEN_1AF4%'", True),
    (CIMV2, "select * from Win32_OperatingSystem where BuildNumber >= 19041", False),
    (CIMV2, "select * from Win32_QuickFixEngineering", False),
    (CIMV2 + "\\Security\\MicrosoftTpm", "select * from Win32_Tpm", False),
    (CIMV2 + "\\Security\\MicrosoftVolumeEncryption", "select * from Win32_EncryptableVolume where ProtectionStatus = 0", True),
    (CIMV2, "select * from CIM_ComputerSystem where __CLASS = 'Win32_ComputerSystem' and PartOfDomain = false", True),
    ("root\\Microsoft\\Windows\\Storage", "select * from MSFT_Disk where Number = 0 and PartitionStyle = 2 and IsBoot = false", True),
    ("root\\Microsoft\\Windows\\Storage", "select * from MSFT_PhysicalDisk where MediaType = 3 or MediaType = 4", True),
    ("root\\wmi", "select * from MS_SystemInformation where SystemManufacturer = 'QEMU'", True),
    (CIMV2, "select * from Win32_Product", False),
    (None, "_OSDDetectedWinDrive=/dev/vda1", True),
    (None, "_OSDDetectedWinDir=/Windows", True),
)
PROBED = "All probes are done"


def condition_xml(namespace, query: str) -> str:
    kind, fields = "WMI", {"Namespace": namespace, "Query": query}
    if not namespace:
        name, value = query.split("=")
        kind, fields = "Variable", {"Operator": "equals", "Variable": name, "Value": value}
    inside = "".join(f'<variable name="{name}">{escape(value)}</variable>' for name, value in fields.items())
    return f'<condition><expression type="SMS_TaskSequence_{kind}ConditionExpression">{inside}</expression></condition>'


def put_windows(vm: Vm):
    """A disk with a volume that looks like an installed Windows; nothing on it can be started."""
    run("sfdisk", "--quiet", vm.disk, stdin="label: gpt\nstart=2048, size=65536, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n")
    device = run("losetup", "--find", "--show", "--offset", str(2048 * 512), "--sizelimit", str(65536 * 512), vm.disk).stdout.strip()
    folder = vm.disk.parent / "volume"
    folder.mkdir()
    try:
        run("mkntfs", "-F", "-Q", "-q", device)
        run("ntfs-3g", device, folder)
        for name in ("ntoskrnl.exe", "config/SOFTWARE"):
            path = folder / "WINDOWS/system32" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"MZ")
        run("umount", folder)
    finally:
        run("losetup", "--detach", device)
    vm.is_network_first = True


def with_probes(xml: str) -> str:
    steps = ""
    for n, (namespace, query, _) in enumerate(PROBES):
        condition = condition_xml(namespace, query)
        step = step_xml("SetVariable", f"Probe {n}", "WinPE", VariableName=f"Probe{n}", VariableValue="yes")
        steps += step.replace("</step>", condition + "</step>", 1)
    steps += step_xml("SetVariable", PROBED, "WinPE", VariableName="Probed", VariableValue="yes")
    return xml.replace(FORMAT, steps + FORMAT, 1)


def facts_decide_as_the_device_did(site, deployment: str, vm: Vm):
    """What the device decided, what a dry run with what it registered decides, and the same with that as a file."""
    row = dep.wait_row(
        site, deployment, vm, lambda r: any(p["name"] == PROBED and p["state"] == "succeeded" for p in r["phases"]), BOOT_SECONDS, PROBED
    )
    device = row["device_name"]
    facts = site.ask("device", "facts", device)
    expect(facts["source"], "registration", "where the facts of the device are from")
    path = site.home / "facts.json"
    path.write_text(json.dumps(facts), encoding="utf-8")
    done = {p["name"] for p in row["phases"] if p["state"] == "succeeded"}
    real = {name: name in done for name in (f"Probe {n}" for n in range(len(PROBES)))}
    expect(real, {f"Probe {n}": is_so for n, (_, _, is_so) in enumerate(PROBES)}, "what the device decided")
    for words in (("--device", device), ("--facts", path)):
        steps = json.loads(site.cli("ts", "simulate", "Debian 12", *words, "--output", "json", check=False).stdout)["steps"]
        told = {step["path"].rsplit("/", 1)[-1]: step for step in steps}
        expect({name: told[name]["decision"] == "run" for name in real}, real, f"what the dry run with {words[0]} decides")
        expect("Win32_QuickFixEngineering" in told["Probe 9"].get("warnings", ""), True, "a warning of what cannot be answered")


def agent_registers(world: World, firmware: str, dhcp_options=(), arrange=None, type_on_screen=None, prepare=lambda vm: None, has_tpm=False):
    """Power on to the agent at the site, which the site and the machine's own screen both say; with @arrange of several deployments to
    the right one, which @type_on_screen may have to choose."""
    site = world.start_site()
    world.lab.start_dhcp(*dhcp_options)
    vm = world.add_vm(firmware, has_tpm=has_tpm)
    deployment = arrange(site, vm) if arrange else world.deploy_debian()
    prepare(vm)
    process = vm.power_on(console=world.folder / "console" if type_on_screen else None)
    if type_on_screen:
        type_on_screen(vm, process, BOOT_SECONDS)
    row = dep.wait_row(site, deployment, vm, lambda r: r["state"] == "in-progress", BOOT_SECONDS, "registration")
    say(f"{firmware}: the agent is at the site after {time.monotonic() - process.started:.1f} s")
    device = site.ask("device", "show", row["device_name"])
    inventory = device["inventory"]
    expect(inventory["firmware"], "bios" if firmware == "bios" else "uefi", "firmware in the inventory")
    expect(inventory["secure_boot"], firmware.startswith("uefi-secureboot"), "Secure Boot in the inventory")
    expect([nic["has_link"] for nic in inventory["nics"]], [True], "link of the network card that booted")
    expect(device["smbios_uuid"].lower(), vm.uuid, "SMBIOS UUID in the inventory")
    expect(inventory["tpm"], "2.0" if has_tpm else "none", "TPM in the inventory")
    expect(len(device["tpm_key"]), 64 if has_tpm else 0, "digits of the TPM's key")
    if has_tpm:
        expect(site.ask("device", "show", device["tpm_key"])["id"], device["id"], "the device with this key")
    explained = site.cli("device", "explain-boot", vm.mac).stdout
    if "offer" not in explained:
        raise LabError(f"explain-boot does not tell of the offer:\n{explained}")
    leases = (world.folder / "leases").read_text(encoding="utf-8")
    if vm.mac not in leases:
        raise LabError("the address did not come from the third-party DHCP server")
    return site, deployment, vm


def boot_bios(world: World):
    def arrange(site, vm):
        del vm
        return pxe_situations.before_others(site, world.deploy_debian(change=with_probes))

    facts_decide_as_the_device_did(*agent_registers(world, "bios", arrange=arrange, prepare=put_windows))


def boot_uefi_pxe(world: World):
    started = []

    def type_it(vm, process, seconds):
        started.append(process)
        pxe_situations.choose_the_second(vm, process, seconds)
        pxe_situations.type_variables(world.site, vm, process, seconds)

    site, deployment, vm = agent_registers(world, "uefi", arrange=pxe_situations.chosen_on_screen, type_on_screen=type_it, has_tpm=True)
    pxe_situations.expect_typed(site, deployment, vm, started[0], BOOT_SECONDS)


def boot_uefi_http(world: World):
    agent_registers(world, "uefi-http", arrange=pxe_situations.required_goes_first)


def boot_secureboot_http(world: World):
    agent_registers(world, "uefi-secureboot", arrange=pxe_situations.heeds_windows)


def boot_secureboot_pxe(world: World):
    options = [f"--dhcp-boot=,,{SERVER_ADDRESS}"]
    agent_registers(world, "uefi-secureboot-pxe", options, arrange=pxe_situations.preferred_goes_first)


def refused_on_32_bits(world: World, *firmware: str, beside=None):
    """Computers of 32 bits start the boot image for x86, though the task sequence names that for x64, and touch
    nothing, as the operating system is of 64 bits. One with the firmware @beside, of 64 bits, is started with it."""
    site = world.start_site_with_x86()
    world.lab.start_dhcp()
    deployment = world.deploy_debian()
    vms = [(name, world.add_vm(name)) for name in firmware]
    wide = world.add_vm(beside) if beside else None
    if wide:
        wide.power_on()
    for name, vm in vms:
        refuse(site, deployment, name, vm)
    if wide:
        row = dep.wait_row(site, deployment, wide, lambda r: r["percent"] > 0, BOOT_SECONDS, "a first step")
        inventory = site.ask("device", "show", row["device_name"])["inventory"]
        expect(inventory["boot_image"], dep.default_boot_image(site), "boot image of a computer of 64 bits")


def refuse(site: Site, deployment: str, firmware: str, vm: Vm):
    process = vm.power_on()
    row = dep.wait_row(site, deployment, vm, lambda r: r["state"] == "failed", BOOT_SECONDS, "refusal")
    say(f"{firmware}: refused after {time.monotonic() - process.started:.1f} s: {row['cause']}")
    expect(row["error_id"], "SLW-0458", "why the order failed")
    process.wait_line("SLW-0458", 20)
    inventory = site.ask("device", "show", row["device_name"])["inventory"]
    expect(inventory["boot_image"], dep.default_boot_image(site, "x86"), "boot image that was started")
    expect(inventory["arch"], "x86", "architecture in the inventory")
    expect(inventory["firmware"], "bios" if firmware.startswith("bios") else "uefi", "firmware in the inventory")
    vm.power_cut()
    expect(vm.disk.stat().st_blocks, 0, "blocks of the disk that were written")


def boot_x86(world: World):
    """Both kinds of firmware at one site: making its boot image for x86 takes longer than starting a computer."""
    refused_on_32_bits(world, "bios-x86", "uefi-ia32", beside="bios")


def deploy_x86(world: World, firmware: str):
    """The whole way with a Debian for i386, on a computer of 32 bits."""
    site = world.start_site_with_x86()
    world.lab.start_dhcp()
    wim = debian_image(say, "i386")
    site.cli("os-image", "add", wim, "--name", "Debian 12 i386", timeout=300)
    image = dep.newest_package(site, "os-image")
    expect(site.ask("os-image", "show", image)["indexes"][0]["arch"], "x86", "architecture of the image")
    xml = dep.task_sequence_xml(image)
    sequence = dep.import_task_sequence(site, xml, "Debian 12 i386", dep.default_boot_image(site, "x86"))
    deployment = dep.deploy(site, sequence)
    vm = world.add_vm(firmware)
    process = vm.power_on()
    dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)
    say(f"{firmware}: the deployed OS called home after {time.monotonic() - process.started:.1f} s")
    switch_off(vm)
    trees.compare(wim, vm.disk, world.folder)


def switch_off(vm: Vm):
    """Once the system has come up, and the task sequence has removed what is its own."""
    vm.process.wait_line("login:", 60)
    vm.process.wait_line("The task sequence has left the disk", 60)
    vm.power_cut()


def deploy_whole_way(world: World, firmware: str, change=lambda xml: xml, **more):
    site = world.start_site()
    world.lab.start_dhcp()
    deployment = world.deploy_debian(change=change)
    vm = world.add_vm(firmware, **more)
    process = vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)
    say(f"{firmware}: the deployed OS called home after {time.monotonic() - process.started:.1f} s")
    expect(row["environment"], "full-os", "where success was reported")
    switch_off(vm)
    trees.compare(debian_image(), vm.disk, world.folder)


OTHER_MAC = "52:54:00:77:01:01"


def with_static_address(xml: str) -> str:
    """Two adapters, each with addresses of its own; the deployed system has them, a captured one would bring them along, and no more is set
    than it can: the image has no German."""
    addresses = {
        "OSDAdapterCount": "2", "OSDAdapter1MacAddress": OTHER_MAC.upper(), "OSDAdapter1EnableDHCP": "false",
        "OSDAdapter1IPAddressList": "192.0.2.9", "OSDAdapter1SubnetMask": "255.255.255.128", "OSDAdapter0EnableDHCP": "false", "OSDAdapter0IPAddressList": "10.77.200.5,fd77::5",
        "OSDAdapter0SubnetMask": "255.255.0.0,64", "OSDAdapter0Gateways": SERVER_ADDRESS, "OSDAdapter0GatewayCostMetric": "77",
        "OSDWindowsSettingsUserLocale": "de-DE", "OSDWindowsSettingsInputLocale": "0407:00000407",
    }
    before = "".join(step_xml("SetVariable", name, "WinPE", VariableName=name, VariableValue=value) for name, value in addresses.items())
    look = (
        "grep -q fd770000000000000000000000000005 /proc/net/if_inet6 && grep -q '[[:space:]]77[[:space:]]' /proc/net/route"
        " && grep -q XKBLAYOUT=.de. /etc/default/keyboard && ! grep -qs de_DE /etc/default/locale && test $OSDAdapter0IPAddressList = 10.77.200.5,fd77::5"
        " && test $OSDAdapter0EnableDHCP$OSDAdapter0SubnetMask$OSDAdapter0Gateways = false255.255.0.0,64" + SERVER_ADDRESS +
        f" && card=$(grep -l {OTHER_MAC} /sys/class/net/*/address | cut -d/ -f5) && grep -q ^$card[[:space:]]000200C0[[:space:]] /proc/net/route"
        " && grep -q 192.0.2.9 /proc/net/fib_trie"
    )
    after = step_xml("CaptureNetworkSettings", "Capture Network Settings", "FullOS")
    after += step_xml("RunCommandLine", "Look at the network", "FullOS", CommandLine=look.replace("&", "&amp;"))
    settings = '<step type="SMS_TaskSequence_ApplyWindowsSettingsAction"'
    last = "</group>\n</sequence>"
    if xml.count(settings) != 1 or xml.count(last) != 1:
        raise LabError("the example task sequence has other steps than expected")
    return xml.replace(settings, before + settings).replace(last, after + last)


def deploy_bios(world: World):
    deploy_whole_way(world, "bios", with_static_address, other_macs=(OTHER_MAC,))


def biggest_pack_of_image(site, state: Path) -> Path:
    """A pack that the image is made of; the store has those of the boot image too."""
    image = site.ask("os-image", "show", dep.newest_package(site, "os-image"))
    manifest = (state / "dp/content/manifests" / image["indexes"][0]["manifest"]).read_text(encoding="utf-8").split("\n")
    begin = next(i for i, line in enumerate(manifest) if line.startswith("packs "))
    n_packs = int(manifest[begin].split()[1])
    packs = [line.split() for line in manifest[begin + 1:begin + 1 + n_packs]]
    name = max(packs, key=lambda pack: int(pack[2]))[0]
    return state / "dp/content/packs" / name[:2] / name


def deploy_bad_image(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    pack = biggest_pack_of_image(site, world.folder / "state")
    with open(pack, "r+b") as file:
        file.seek(pack.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x10]))
    deployment = world.deploy_debian()
    vm = world.add_vm("uefi-secureboot")
    process = vm.power_on()
    row = dep.wait_row(site, deployment, vm, lambda r: r["state"] == "failed", DEPLOY_SECONDS, "failure")
    if pack.name not in (row["cause"] or ""):
        raise LabError(f"the cause does not name the pack {pack.name}: {row}")
    process.wait_line(pack.name[:16], 20)
    expect(site.ask("deployment", "show", deployment)["counts"]["succeeded"], 0, "succeeded devices")
    if process.when("login:"):
        raise LabError("the machine started an operating system from a bad image")


def site_restart(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    deployment = world.deploy_debian()
    vm = world.add_vm("uefi-secureboot")
    vm.power_on()
    apply = "Apply Operating System Image"
    dep.wait_row(
        site, deployment, vm, lambda r: r["step_name"] == apply and r["percent"] >= 10, DEPLOY_SECONDS, "applying"
    )
    site.kill_9()
    say("slipwayd is killed")
    time.sleep(3)
    site.start()
    say("slipwayd runs again")
    dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)


class Branch:
    """A distribution point of its own host, on the machines' network: the only one there that answers firmware."""

    def __init__(self, world: World):
        self.world = world
        self.host = f"{world.lab.name}-dp"
        self.state = world.folder / "branch"
        self.config = world.folder / "branch.conf"
        self.config.write_text(f"[site]\naddress = {BRANCH_ADDRESS}\n", encoding="utf-8")
        world.lab.add_host(self.host, "dp0", f"{BRANCH_ADDRESS}/16")

    def command(self, *words) -> list:
        slipwayd = self.world.site.build / "src/prog/slipwayd"
        folders = ["--state", self.state, "--config", self.config]
        return self.world.lab.inside(self.host, str(slipwayd), *words[:1], *map(str, folders), *words[1:])

    def start(self):
        token = self.world.site.ask("dp", "create-token", "Branch")["token"]
        run(*self.command("join", f"https://{SERVER_ADDRESS}", token))
        self.world.lab.start("branch", self.command()).wait_line("ready as a distribution point", 30)

    def take(self, *contents):
        """Have these copied here."""
        for content in contents:
            self.world.site.cli("content", "distribute", content, "--dp", "Branch")
        deadline = time.monotonic() + COPY_SECONDS
        for content in contents:
            while not self.has(content):
                if time.monotonic() > deadline:
                    raise LabError(f"{content} was not copied in {COPY_SECONDS} s")
                time.sleep(0.5)

    def has(self, content: str) -> bool:
        found = self.world.site.ask("content", "status", content)["items"]
        return any(row["distribution_point_name"] == "Branch" and row["state"] == "success" for row in found)

    def serve(self, subnet: str):
        site = self.world.site
        site.cli("boundary", "create", "Lab", "--subnet", subnet)
        site.cli("boundary-group", "create", "Lab")
        site.cli("boundary-group", "add-boundary", "Lab", "Lab")
        site.cli("boundary-group", "add-dp", "Lab", "Branch")


def deploy_from_remote_dp(world: World):
    """The site goes away once the order is given; the machine goes on, and says so when the site is back."""
    site = world.start_site("[pxe]\nenabled = no\n")
    world.lab.start_dhcp()
    branch = Branch(world)
    branch.start()
    branch.take(dep.default_boot_image(site), dep.newest_package(site, "os-image"))
    branch.serve("10.77.0.0/16")
    deployment = world.deploy_debian()
    vm = world.add_vm("uefi")
    process = vm.power_on()
    apply = "Apply Operating System Image"
    dep.wait_row(
        site, deployment, vm, lambda r: r["step_name"] == apply and r["percent"] >= 5, DEPLOY_SECONDS, "applying"
    )
    site.stop()
    say("the site is away")
    process.wait_line("login:", DEPLOY_SECONDS)
    say("the installed operating system runs; the site comes back")
    site.start()
    dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)


def step_xml(kind: str, name: str, run_in: str, **values) -> str:
    settings = "".join(f'<variable name="{key}" property="{key}">{value}</variable>' for key, value in values.items())
    return (
        f'<step type="SMS_TaskSequence_{kind}Action" name="{name}" runIn="{run_in}" successCodeList="0">'
        f"<action/><defaultVarList>{settings}</defaultVarList></step>"
    )


def make_package(world: World) -> str:
    """A package with a program that looks whether all of the package is there."""
    source = world.folder / "package"
    (source / "data").mkdir(parents=True)
    (source / "data/numbers").write_text("".join(f"{n}\n" for n in range(400000)), encoding="utf-8")
    digest = hashlib.sha256((source / "data/numbers").read_bytes()).hexdigest()
    (source / "latest").symlink_to("data/numbers")
    script = source / "check.sh"
    script.write_text(
        '#!/bin/sh\ncd "$(dirname "$0")" || exit 1\n'
        f'echo "{digest}  latest" | sha256sum -c || exit 2\n'
        'echo "the package is whole in $PWD"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    site = world.site
    site.cli("package", "create", "Checks", "--source", source, timeout=120)
    return newest(site, "package")


def newest(site, noun: str) -> str:
    deadline = time.monotonic() + 60
    while not any(item["state"] == "ready" for item in site.ask(noun, "list")):
        if time.monotonic() > deadline:
            raise LabError(f"no {noun} is ready")
        time.sleep(0.5)
    return dep.newest_package(site, noun)


def packages_sequence(image: str, package: str) -> str:
    """The example, with a program of a package before there is a volume, on the volume, and in the installed system."""
    check = {"PackageID": package, "CommandLine": "./check.sh"}
    xml = dep.task_sequence_xml(image)
    first = '<step type="SMS_TaskSequence_PartitionDiskAction"'
    settings = '<step type="SMS_TaskSequence_ApplyWindowsSettingsAction"'
    xml = xml.replace(first, step_xml("RunCommandLine", "From memory", "WinPE", **check) + first, 1)
    xml = xml.replace(settings, step_xml("RunCommandLine", "From the volume", "WinPE", **check) + settings, 1)
    after = step_xml("RunCommandLine", "In the system", "FullOS", **check)
    check["WorkingDirectory"] = "data"
    check["CommandLine"] = "../check.sh"
    after += step_xml("RunCommandLine", "Once more", "FullOS", **check)
    return xml.replace("</group>\n</sequence>", after + "</group>\n</sequence>")


def deploy_with_package(world: World):
    site = world.start_site()
    world.lab.start_dhcp()
    xml = packages_sequence(dep.newest_package(site, "os-image"), make_package(world))
    deployment = dep.deploy(site, dep.import_task_sequence(site, xml, "Packages", dep.default_boot_image(site)))
    vm = world.add_vm("uefi-secureboot")
    process = vm.power_on()
    row = dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)
    states = {phase["name"]: phase["state"] for phase in row["phases"]}
    for name in ("From memory", "From the volume", "In the system", "Once more"):
        expect(states.get(name), "succeeded", f"step {name!r} of {states}")
    process.wait_line("login:", 60)


def deploy_all_first(world: World):
    """Before anything is written all is there: then the distribution point goes away, and comes back at the end."""
    site = world.start_site()
    world.lab.start_dhcp()
    xml = packages_sequence(dep.newest_package(site, "os-image"), make_package(world))
    sequence = dep.import_task_sequence(site, xml, "Packages", dep.default_boot_image(site))
    deployment = dep.deploy(site, sequence, content_option="download-all-first")
    vm = world.add_vm("uefi-secureboot")
    process = vm.power_on()
    dep.wait_row(site, deployment, vm, lambda r: len(r["phases"]) > 0, DEPLOY_SECONDS, "the first step")
    site.stop()
    say("site and distribution point are away")
    process.wait_line("login:", DEPLOY_SECONDS)
    say("the installed operating system runs; they come back")
    site.start()
    row = dep.wait_succeeded(site, deployment, vm, DEPLOY_SECONDS)
    states = {phase["name"]: phase["state"] for phase in row["phases"]}
    for name in ("In the system", "Once more"):  # what the boot image had to say is lost with its memory
        expect(states.get(name), "succeeded", f"step {name!r} of {states}")


TESTS = {
    "boot-bios": boot_bios,
    "boot-uefi-pxe": boot_uefi_pxe,
    "boot-uefi-http": boot_uefi_http,
    "boot-secureboot-http": boot_secureboot_http,
    "boot-secureboot-pxe": boot_secureboot_pxe,
    "boot-x86": boot_x86,
    "deploy-uefi-ia32": lambda world: deploy_x86(world, "uefi-ia32"),
    "deploy-bios-x86": lambda world: deploy_x86(world, "bios-x86"),
    "boot-uefi-ia32-http": lambda world: refused_on_32_bits(world, "uefi-ia32-http"),
    "deploy-bios": deploy_bios,
    "deploy-bad-image": deploy_bad_image,
    "deploy-with-package": deploy_with_package,
    "deploy-all-first": deploy_all_first,
    "capture-and-deploy": lambda world: capture_deploy.capture_and_deploy(world, say),
    "capture-to-folders": lambda world: capture_deploy.capture_to_folders(world, say),
    "site-restart": site_restart,
    "deploy-from-remote-dp": deploy_from_remote_dp,
}


def expect(got, want, what: str):
    if got != want:
        raise LabError(f"{what}: {got!r}, but it must be {want!r}")


def play(test, build: Path, name: str):
    CACHE.mkdir(exist_ok=True)
    with World(build, name) as world:
        test(world)


def main(tests=None) -> int:
    return suite.run(tests or TESTS, __doc__, missing_for_lab(), play, ("*.img", "state"))


if __name__ == "__main__":
    sys.exit(main())
