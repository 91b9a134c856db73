# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment network on one machine: namespaces, a bridge, somebody else's DHCP server, slipwayd, and
virtual machines with real firmware. Used by the demonstration, the system tests and the benchmarks.

Everything lives in a Lab, which ends what it started, in any case: each child is told by the kernel to die
with us, and is ended by its pid; namespaces are ours by their name.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from quick_start import quick_start_hooks

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
SERVER_ADDRESS = "10.77.0.1"
DHCP_ADDRESS = "10.77.0.2"
OVMF = Path("/usr/share/OVMF")
PR_SET_PDEATHSIG = 1
NO_BOOT_IMAGES = "[boot-image]\nkernel-root = /nonexistent\nx86-root = /nonexistent\n" # for who has no use for them
KERNEL = re.compile(r"^\[ *[0-9]+\.[0-9]+\]")
RESTARTING = re.compile(r"reboot: (machine restart|Restarting system)")
START_SECONDS = 240 # that the firmware may take, beside other machines, until something is on the screen again
ESCAPES = re.compile(r"\x1b(\[[0-9;=?]*[A-Za-z]|[()][A-Z0-9]|[=>78cDEHM])")


class LabError(Exception):
    """Something did not happen; the text says what, where and what to look at. @screen: what a machine or a program said last."""

    def __init__(self, text: str, screen: str = ""):
        super().__init__(text)
        self.screen = screen


def die_with_parent():
    """In a child, before its program starts: SIGKILL it when this process goes, whatever the reason."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(*command, timeout=120, env=None, stdin=None, check=True):
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env=env,
        input=stdin,
        check=False,
        preexec_fn=die_with_parent,
    )
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def missing_for_lab() -> list:
    """What this machine lacks for a lab, each as a sentence; empty when all is there."""
    lacks = []
    if os.geteuid() != 0:
        lacks.append("it must run as root: network namespaces, ports 67, 69, 80 and 443 and mounts need it")
    for program, package in (
        ("ip", "iproute2"),
        ("dnsmasq", "dnsmasq-base"),
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("swtpm", "swtpm"),
        ("mmdebstrap", "mmdebstrap"),
        ("wimlib-imagex", "wimtools"),
        ("nginx", "nginx-light"),
    ):
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            lacks.append(f"the program {program} is missing: install the package {package}")
    for name, package in ((CODE["secureboot"], "ovmf"), (CODE["ia32"], "ovmf-ia32")):
        if not (OVMF / name).exists():
            lacks.append(f"UEFI firmware is missing: install the package {package}")
    if not lacks and run("ip", "netns", "add", f"slwtry{os.getpid()}", check=False).returncode != 0:
        lacks.append("network namespaces cannot be made here (is this an unprivileged container?)")
    run("ip", "netns", "del", f"slwtry{os.getpid()}", check=False)
    return lacks


class Process:
    """A program in the background, its output in a file and, line by line, to who waits for one."""

    def __init__(self, command, log: Path, env=None, on_line=None, stdin=subprocess.DEVNULL):
        self.command = [str(part) for part in command]
        self.log = log
        self.on_line = on_line
        self.lines = []
        self.started = self.heard = time.monotonic()
        self._changed = threading.Condition()
        self.popen = subprocess.Popen(
            self.command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        rest = b""
        with open(self.log, "ab") as log:
            while True:
                piece = self.popen.stdout.read1(65536)
                if not piece:
                    break
                self.heard = time.monotonic()
                log.write(piece)
                log.flush()
                *whole, rest = (rest + piece).split(b"\n")
                for raw in whole:
                    self._add(raw)
                # A prompt has no newline behind it; it is matched but not kept as a line.
                with self._changed:
                    self._tail = clean(rest)
                    self._changed.notify_all()
        if rest:
            self._add(rest)

    _tail = ""

    def _add(self, raw: bytes):
        line = clean(raw)
        with self._changed:
            self.lines.append((time.monotonic() - self.started, line))
            self._changed.notify_all()
        if self.on_line:
            self.on_line(self, line)

    def wait_line(self, pattern: str, timeout: float, since: int = 0):
        """The first line at or after number @since that matches; LabError after @timeout seconds."""
        regex = re.compile(pattern)
        deadline = time.monotonic() + timeout
        at = since
        with self._changed:
            while True:
                while at < len(self.lines):
                    when, line = self.lines[at]
                    at += 1
                    found = regex.search(line)
                    if found:
                        return found
                found = regex.search(self._tail)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or (self.trouble() if self.is_running() else not self._reader.is_alive()):
                    break
                self._changed.wait(min(left, 0.5))
        ended = self.trouble() or ("" if self.is_running() else f"; it ended with {self.popen.returncode}")
        text = f"{self.command[0]}: no line like /{pattern}/ in {timeout:.0f} s{ended}; see {self.log}"
        raise LabError(text, self.screen())

    def screen(self) -> str:
        return "\n".join(f"{at:7.1f} s  {line}" for at, line in self.lines[-25:])

    def is_starting(self) -> bool:
        """It went down for a restart, and no kernel has said anything since."""
        for _, line in reversed(self.lines):
            if RESTARTING.search(line):
                return True
            if KERNEL.search(line):
                return False
        return False

    def trouble(self) -> str:
        """Why nothing more is to be expected of a machine, where it is not the machine's own doing."""
        code = self.popen.poll()
        if code not in (None, 0, -signal.SIGKILL, -signal.SIGTERM):
            return f"; it ended with {code} by itself"
        silent = time.monotonic() - self.heard
        if code is None and silent > START_SECONDS and self.is_starting():
            return f"; it was to restart, and its firmware or boot loader has not said a word for {silent:.0f} s"
        return ""

    def when(self, pattern: str):
        """Seconds from the start to the first line that matches, or None."""
        regex = re.compile(pattern)
        return next((when for when, line in list(self.lines) if regex.search(line)), None)

    def is_running(self) -> bool:
        return self.popen.poll() is None

    def stop(self, sig=signal.SIGTERM, timeout=6.0):
        if self.popen.poll() is None:
            self.popen.send_signal(sig)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self._reader.join(2)

    def kill(self):
        self.stop(signal.SIGKILL)


def clean(raw: bytes) -> str:
    return ESCAPES.sub("", raw.decode("utf-8", "replace")).replace("\r", "")


class Lab:
    """One private network. Use as a context manager."""

    def __init__(self, folder: Path, name="slw"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = f"{name}{os.getpid()}"
        self.switch = f"{self.name}-sw"
        self.server = f"{self.name}-srv"
        self.dhcp_host = f"{self.name}-dhcp"
        self._exit = contextlib.ExitStack()
        self._n_taps = 0

    def __enter__(self):
        try:
            self._make_network()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *why):
        self._exit.close()

    def add_namespace(self, name: str):
        run("ip", "netns", "add", name)
        self._exit.callback(run, "ip", "netns", "del", name, check=False)
        run("ip", "-n", name, "link", "set", "lo", "up")

    def add_host(self, name: str, interface: str, address: str):
        """A namespace with one leg on the switch."""
        self.add_namespace(name)
        port = f"p-{interface}"
        run("ip", "link", "add", interface, "netns", name, "type", "veth", "peer", "name", port, "netns", self.switch)
        run("ip", "-n", self.switch, "link", "set", port, "master", "br0", "up")
        run("ip", "-n", name, "addr", "add", address, "dev", interface)
        run("ip", "-n", name, "link", "set", interface, "up")

    def _make_network(self):
        self.add_namespace(self.switch)
        run("ip", "-n", self.switch, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        run("ip", "-n", self.switch, "link", "set", "br0", "up")
        self.add_host(self.server, "srv0", f"{SERVER_ADDRESS}/16")
        self.add_host(self.dhcp_host, "dhcp0", f"{DHCP_ADDRESS}/16")

    def inside(self, namespace: str, *command) -> list:
        return ["ip", "netns", "exec", namespace, *command]

    def start(self, name: str, command, **more) -> Process:
        process = Process(command, self.folder / f"{name}.log", **more)
        self._exit.callback(process.stop)
        return process

    def start_dhcp(self, *more) -> Process:
        """Somebody else's DHCP server: addresses only, and it names itself as next server as most do."""
        command = self.inside(
            self.dhcp_host,
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=dhcp0",
            "--bind-interfaces", "--dhcp-range=10.77.8.1,10.77.9.250,255.255.0.0,10m", "--dhcp-option=3",
            "--dhcp-option=6", f"--dhcp-leasefile={self.folder}/leases", "--dhcp-no-override", "--log-dhcp",
            "--log-facility=-", "--dhcp-authoritative", "--no-ping", "--user=root", "--pid-file=", *more,
        )
        process = self.start("dhcp", command)
        process.wait_line("DHCP, IP range", 10)
        return process

    def add_tap(self) -> str:
        self._n_taps += 1
        tap = f"tap{self._n_taps}"
        run("ip", "-n", self.switch, "tuntap", "add", "dev", tap, "mode", "tap")
        run("ip", "-n", self.switch, "link", "set", tap, "master", "br0", "up")
        return tap


def staged(build: Path, folder: Path) -> Path:
    """A copy of what slipwayd needs of a build folder, where the users of its roles can read it."""
    programs = folder / "src/prog"
    programs.mkdir(parents=True)
    for name in ("slipwayd", "slipway", "slipway-agent"):
        shutil.copy2(build / "src/prog" / name, programs / name)
    shutil.copytree(
        build / "bootimage", folder / "bootimage", symlinks=True, ignore=shutil.ignore_patterns("*.p")
    )
    return folder


def closed_folder(path: Path):
    """The roles of slipwayd are users of their own: the first folder that keeps them out, or None."""
    path = path.resolve()
    return next((f for f in (path, *path.parents) if f.exists() and not f.stat().st_mode & 0o001), None)


def open_folder(preferred: Path) -> Path:
    """@preferred, or, where a home folder keeps the roles' users out, one of the same meaning in /var/tmp."""
    if not closed_folder(preferred):
        return preferred
    name = hashlib.sha256(str(preferred.resolve()).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"slipway-lab-{name}"


def check_others_may_enter(path: Path):
    if closed_folder(path):
        raise LabError(
            f"the users of the server's roles cannot enter {closed_folder(path)}: keep the source tree in a "
            "folder that everyone may enter, such as /srv"
        )


class Site:
    """slipwayd in the server's namespace, and the command line talking to it."""

    def __init__(self, lab: Lab, build: Path, state: Path, config: str = ""):
        self.lab = lab
        self.build = Path(build).resolve()
        self.state = Path(state)
        check_others_may_enter(self.build)
        check_others_may_enter(self.state.parent.resolve())
        self.home = self.state.parent / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.config = self.state.parent / "slipway.conf"
        self.config.write_text(config, encoding="utf-8")
        self.process = None
        self._n_starts = 0
        self.env = dict(os.environ, HOME=str(self.home), NO_COLOR="1", LC_ALL="C.UTF-8")
        self.env.pop("XDG_CONFIG_HOME", None)

    def start(self, on_line=None) -> Process:
        self._n_starts += 1
        command = self.lab.inside(
            self.lab.server, str(self.build / "src/prog/slipwayd"), "--state", self.state, "--config", self.config
        )
        self.process = self.lab.start(f"slipwayd-{self._n_starts}", command, env=self.env, on_line=on_line)
        self.process.wait_line("info slipwayd: ready", 60)
        return self.process

    def log_in(self):
        """With the one-time token that the first start prints."""
        token = self.process.wait_line(r"(slw_once_[A-Za-z0-9_-]+)", 20).group(1)
        pin = (self.state / "keys/pin").read_text(encoding="utf-8").strip()
        self.cli("login", f"https://{SERVER_ADDRESS}", "--pin", pin, "--token-file", "-", stdin=token + "\n")

    def command(self, *words) -> list:
        return self.lab.inside(self.lab.server, str(self.build / "src/prog/slipway"), *map(str, words))

    def cli(self, *words, stdin=None, check=True, timeout=900):
        return run(*self.command(*words), stdin=stdin, env=self.env, check=check, timeout=timeout)

    def ask(self, *words):
        """A command's answer as JSON."""
        return json.loads(self.cli(*words, "--output", "json").stdout)

    def stop(self):
        self.process.stop()

    def kill_9(self):
        """The parent is killed; the kernel ends its children."""
        self.process.kill()


FIRMWARE = {
    "bios": {"firmware": "bios", "boot": "pxe"},
    "uefi": {"firmware": "uefi", "boot": "pxe"},
    "uefi-http": {"firmware": "uefi", "boot": "http"},
    "uefi-secureboot": {"firmware": "secureboot", "boot": "http"},
    "uefi-secureboot-pxe": {"firmware": "secureboot", "boot": "pxe"},
    # Processors of 32 bits
    "bios-x86": {"firmware": "bios", "boot": "pxe", "processor": "pentium3"},
    "uefi-ia32": {"firmware": "ia32", "boot": "pxe", "processor": "max"},
    "uefi-ia32-http": {"firmware": "ia32", "boot": "http", "processor": "max"},
}
CODE = {
    "uefi": "OVMF_CODE_4M.fd",
    "secureboot": "OVMF_CODE_4M.secboot.fd",
    "ia32": "OVMF32_CODE_4M.secboot.fd",
}
VARS = {
    "uefi": "OVMF_VARS_4M.fd",
    "secureboot": "OVMF_VARS_4M.ms.fd",
    "ia32": "OVMF32_VARS_4M.fd",
}


class Vm:
    """A virtual machine whose disk and firmware variables outlive its power."""

    def __init__(self, lab: Lab, name: str, firmware: str, disk_bytes=4 << 30, memory_mib=1024, number=1, other_macs=(), has_tpm=False):
        self.lab = lab
        self.name = name
        self.kind = FIRMWARE[firmware]
        self.memory_mib = memory_mib
        self.mac = f"52:54:00:77:00:{number:02x}"
        self.other_macs = other_macs # of network cards that have a link to nobody
        self.uuid = f"5115be00-0000-4000-8000-0000000000{number:02x}"
        self.serial_number = f"DISK{number:04d}"
        self.tap = lab.add_tap()
        self.disk = lab.folder / f"{name}.img"
        self.vars = lab.folder / f"{name}.vars"
        self.tpm = lab.folder / f"{name}.tpm" if has_tpm else None
        self.process = None
        self.is_network_first = False
        self._n_starts = 0
        with open(self.disk, "wb") as disk:
            disk.truncate(disk_bytes)
        self._make_variables()

    def _make_variables(self):
        if self.kind["firmware"] != "bios":
            shutil.copy(OVMF / VARS[self.kind["firmware"]], self.vars)

    def set_firmware(self, firmware: str):
        """As somebody who changes it in the setup of the computer: it has another one from its next start on, with nothing in its variables."""
        self.kind = FIRMWARE[firmware]
        self._make_variables()

    def _firmware_arguments(self) -> list:
        kind = self.kind["firmware"]
        if kind == "bios":
            return ["-M", "q35"]
        is_guarded = "secboot" in CODE[kind] # its variables are for SMM only
        out = ["-M", "q35,smm=on" if is_guarded else "q35"]
        if is_guarded:
            out += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        out += ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF / CODE[kind]}"]
        out += ["-drive", f"if=pflash,format=raw,file={self.vars}"]
        out += ["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=no"]
        if self.kind["boot"] == "http":
            out += ["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=no"]
        return out

    def power_on(self, on_line=None, console=None, is_off_at_restart=False) -> Process:
        """With @console, a path, the serial console is a Unix socket there too; it is always in the log. @is_off_at_restart: it does not come up again
        by itself."""
        self._n_starts += 1
        self.console = console
        rom = "" if self.kind["firmware"] == "bios" else ",romfile="
        disk_turn, network_turn = (2, 1) if self.is_network_first else (1, 2)
        command = self.lab.inside(
            self.lab.switch,
            "qemu-system-i386" if "processor" in self.kind else "qemu-system-x86_64",
            "-accel", "tcg,thread=multi", "-cpu", self.kind.get("processor", "max"), "-smp", "1",
            "-m", str(self.memory_mib), "-nodefaults", "-vga", "none", "-display", "none", "-monitor", "none",
            *(["-no-reboot"] if is_off_at_restart else []), *self._console_arguments(console), "-device", "virtio-rng-pci", "-uuid", self.uuid,
            *self._firmware_arguments(),
            "-netdev", f"tap,id=n,ifname={self.tap},script=no,downscript=no",
            "-device", f"virtio-net-pci,netdev=n,mac={self.mac},bootindex={network_turn}{rom}",
            *self._other_cards(),
            *self._tpm_arguments(),
            *self._disk_arguments(),
            "-device", f"virtio-blk-pci,drive=d,bootindex={disk_turn},serial={self.serial_number}",
        )
        self.process = self.lab.start(f"{self.name}-{self._n_starts}", command, on_line=on_line)
        return self.process

    def _other_cards(self) -> list:
        out = []
        for i, mac in enumerate(self.other_macs):
            out += ["-netdev", f"hubport,id=n{i},hubid={i}", "-device", f"virtio-net-pci,netdev=n{i},mac={mac},romfile="]
        return out

    def _tpm_arguments(self) -> list:
        """A TPM 2.0, whose seeds stay as the disk does; it ends with the machine."""
        if not self.tpm:
            return []
        self.tpm.mkdir(exist_ok=True)
        socket = self.tpm / f"socket-{self._n_starts}"
        control = ("--ctrl", f"type=unixio,path={socket}", "--terminate")
        process = self.lab.start(f"{self.name}-tpm-{self._n_starts}", ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.tpm}", *control])
        until = time.monotonic() + 20
        while not socket.exists():
            if time.monotonic() > until:
                raise LabError(f"swtpm does not start; see {process.log}")
            time.sleep(0.05)
        return ["-chardev", f"socket,id=tpm,path={socket}", "-tpmdev", "emulator,id=chip,chardev=tpm", "-device", "tpm-tis,tpmdev=chip"]

    def _disk_arguments(self) -> list:
        return ["-drive", f"if=none,id=d,format=raw,file={self.disk},cache=unsafe,discard=unmap,aio=threads"]

    def _console_arguments(self, console) -> list:
        if not console:
            return ["-serial", "stdio"]
        return [
            "-chardev", f"socket,id=console,path={console},server=on,wait=off,logfile=/dev/stdout",
            "-serial", "chardev:console",
        ]

    def power_cut(self):
        self.process.kill()


@contextlib.contextmanager
def alone(name: str):
    """What tests that run at the same time share is made by one of them."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kernel_root() -> Path:
    """Debian's newest cloud kernel package, unpacked beside the build: nothing is installed."""
    with alone("kernel"):
        return make_kernel_root(CACHE / "kernel")


def make_kernel_root(folder: Path) -> Path:
    depends = run("apt-cache", "depends", "linux-image-cloud-amd64").stdout
    package = re.search(r"Depends: (linux-image-[0-9][^\s]*-cloud-amd64)", depends)
    if not package:
        raise LabError("apt does not know linux-image-cloud-amd64: run 'apt-get update'")
    name = package.group(1)
    root = folder / name
    if not root.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.deb"):
            old.unlink()
        subprocess.run(
            ["apt-get", "download", "-q", name], cwd=folder, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deb = next(folder.glob(f"{name}_*.deb"))
        part = folder / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        run("dpkg", "-x", deb, part)
        deb.unlink()
        part.rename(root)
    return root


def x86_tool():
    """tools/make-x86-root as a module."""
    loader = importlib.machinery.SourceFileLoader("make_x86_root", str(ROOT / "tools/make-x86-root"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def x86_root(target: Path):
    """In @target what boot images for 32-bit computers are built from, of the sources as they are; packages are kept for later."""
    root = CACHE / "x86/root"
    with alone("x86"):
        run(ROOT / "tools/make-x86-root", "--cache", CACHE / "x86", root, timeout=900)
        shutil.copytree(root, target, symlinks=True)


IMAGE_PACKAGES = "systemd-sysv,initramfs-tools,udev,zstd"
IMAGE_KERNELS = {"amd64": "linux-image-cloud-amd64", "i386": "linux-image-686"}


def debian_image(progress=lambda text: None, arch="amd64", more="") -> Path:
    """A real Debian 12 as a WIM, with the package @more, made with mmdebstrap and captured with wimlib-imagex; kept for
    later runs."""
    wim = CACHE / "image" / f"debian-12{'' if arch == 'amd64' else '-' + arch}{'-' + more if more else ''}.wim"
    with alone("image"):
        if not wim.exists():
            make_debian_image(wim, progress, arch, more)
    return wim


def make_debian_image(wim: Path, progress, arch: str, more: str):
    wim.parent.mkdir(parents=True, exist_ok=True)
    tree = wim.parent / f"tree{'-' + more if more else ''}"
    shutil.rmtree(tree, ignore_errors=True)
    progress("making a Debian 12 with mmdebstrap (about a minute)")
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--architectures={arch}", "--skip=check/qemu"]
    command += [f"--include={IMAGE_KERNELS[arch]},{IMAGE_PACKAGES}{',' + more if more else ''}"]
    command += ["--aptopt=Acquire::Languages \"none\""]
    command += [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "locale", "man")]
    command += [f"--customize-hook={hook}" for hook in quick_start_hooks()]
    # Not every mirror has the later updates for i386 whole.
    sources = apt_sources() if arch == "amd64" else [x86_tool().archive([Path(path) for path in apt_sources()])]
    run(*command, "bookworm", tree, *sources, timeout=900)
    progress("capturing it as a WIM")
    part = wim.with_suffix(".part")
    run("wimlib-imagex", "capture", tree, part, "Debian 12", "--unix-data", "--compress=XPRESS", timeout=900)
    shutil.rmtree(tree)
    part.rename(wim)


def apt_sources() -> list:
    """The Debian source lists of this machine: whatever mirror it uses is right for the image too."""
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    found = []
    for path in lists:
        text = path.read_text(encoding="utf-8") if path.suffix in (".list", ".sources") and path.exists() else ""
        if re.search(r"^\s*(deb |Suites:).*\bbookworm", text, re.M) and "debian" in text:
            found.append(str(path))
    if not found:
        raise LabError("no Debian 12 (bookworm) package source in /etc/apt: is this Debian 12?")
    return found
