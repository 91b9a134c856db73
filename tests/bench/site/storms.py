# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that are switched on together, and the part of it that dnsmasq does too."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from boot import FILES
from data import add_devices, expect
from measure import Row
from place import CLIENTS_ADDRESS, SERVER_ADDRESS, TICKS, Bench, clients_network, in_clients, run_sim, storm_words

LIMIT_S = 240
TFTP_EACH = 4
BOOTING = ["--tftp-each", 1, "--spread", 10, "--limit", LIMIT_S]


def total(cpu: dict) -> float:
    return sum(cpu.values())


def words(found: dict) -> str:
    return (f"{found['n_done']} of {found['n_machines']} in {found['elapsed_s']:.1f} s; half of them in "
            f"{found['done']['p50_us'] / 1e6:.1f} s, 99 % in {found['done']['p99_us'] / 1e6:.1f} s each")


def measure_storm(bench):
    """All of it: DHCP, boot file, menu, registration, order."""
    n = bench.sizes.machines
    with clients_network(), Bench(bench.build, SERVER_ADDRESS) as site:
        boot_file = site.add_boot_image()
        add_devices(site, 0, n)
        site.deploy()
        found = site.storm("--boot-file", boot_file, "--count", n, "--spread", bench.sizes.spread_s, "--tftp-each", TFTP_EACH, "--limit", LIMIT_S)
    why = (f"processor: {', '.join(f'{what} {spent:.1f} s' for what, spent in found['cpu_s'].items() if spent >= 0.05)}, "
           f"slipway-sim {found['sim_cpu_s']:.1f} s; {found['n_dhcp_again']} DHCP and {found['n_tftp_again']} TFTP packets sent again")
    yield Row(f"storm: {n} machines to their order", words(found), "60 s", found["elapsed_s"] / 60, 1.0, True, why=why)
    yield Row("storm: machines lost", str(found["n_lost"]), "0", float(found["n_lost"]), 0.0, True)


def boot_ours(bench, n: int) -> dict:
    with Bench(bench.build, SERVER_ADDRESS) as site:
        boot_file = site.add_boot_image()
        add_devices(site, 0, n)
        site.deploy()
        found = site.storm("--boot-file", boot_file, "--count", n, *BOOTING, register=False)
    return {"cpu_s": total(found["cpu_s"]), **{key: found[key] for key in ("n_done", "n_machines", "elapsed_s", "done")}}


def serving(folder: Path) -> list:
    return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file=", "--log-facility=/dev/null",
            "--enable-tftp", f"--tftp-root={folder}", "--tftp-max=512", f"--dhcp-range={SERVER_ADDRESS.rsplit('.', 1)[0]}.0,proxy",
            f"--pxe-service=7,Boot,{FILES[0]},{SERVER_ADDRESS}", "--dhcp-leasefile=/dev/null", "--interface=eth0", "--bind-interfaces"]


def boot_dnsmasq(bench, n: int) -> dict:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / FILES[0]).write_bytes(bytes(range(256)) * 4096)
        process = subprocess.Popen(serving(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            expect(process.poll() is None, "dnsmasq does not start")
            sim = [str(bench.build / "tests/bench/slipway-sim"), "storm", *storm_words(), "--boot-file", folder / FILES[0], "--count", n, *BOOTING]
            found = run_sim(in_clients([str(word) for word in sim]))
            fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        finally:
            process.terminate()
            process.wait(10)
    return {"cpu_s": (int(fields[11]) + int(fields[12])) / TICKS, **found}


def measure_dnsmasq(bench):
    """DHCP and TFTP only, all by PXE, one after the other in the same run."""
    n = bench.sizes.machines // TFTP_EACH
    with clients_network():
        peer = boot_dnsmasq(bench, n)
        ours = boot_ours(bench, n)
    cost = "{:.1f} s of processor".format
    yield Row(f"boot: {n} machines by DHCP and TFTP, dnsmasq", f"{words(ours)}; {cost(ours['cpu_s'])}", f"{words(peer)}; {cost(peer['cpu_s'])}",
              ours["elapsed_s"] / peer["elapsed_s"], None)
