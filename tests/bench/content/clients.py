# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads: one client on a shaped and an unshaped link, and many at once, beside iperf3 and curl."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from library import SERVER_ADDRESS, SOURCE, inside
from measure import Row, in_turns, median, timed
from volumes import MEMORY, Fetches

N_CLIENTS = 64
LINK = "1gbit"
IPERF_S = 5
LIMIT_S = 900


def rate_text(bytes_per_s: float) -> str:
    return f"{bytes_per_s / 1e6:.1f} MB/s"


def iperf_rate(server) -> float:
    """Bytes a second that TCP gets from the server to the client."""
    lab = server.lab
    listener = lab.start("iperf3", [*inside(lab.server), "iperf3", "-s", "-1", "--forceflush"])
    listener.wait_line("Server listening", 10)
    out = server.on_client("iperf3", "-c", SERVER_ADDRESS, "-R", "-J", "-t", str(IPERF_S)).out
    listener.popen.wait(20)
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 8


def keep_command(bench, manifest: str, folder: Path) -> tuple:
    """The agent's download into its cache, packs as they come."""
    return (bench.build / "tests/bench/bench_fetch", "--keep", folder, SOURCE, manifest)


def curl_command(url: str, target: Path) -> tuple:
    return ("curl", "-sf", "-o", target, url)


def measure_download(bench):
    """One client. Both sides write what comes to files in memory; rates are of the bytes over the wire, without headers."""
    fetches = Fetches(bench)
    server = fetches.server

    def ours():
        with tempfile.TemporaryDirectory(dir=MEMORY, prefix="slwbc-") as folder:
            cost = fetches.timed(*keep_command(bench, fetches.image["manifest"], Path(folder)))
        return fetches.reports[-1]["network"]["bytes"] / cost.wall_s

    def delivered():
        return fetches.image["size_bytes"] / fetches.timed(*fetches.command()).wall_s

    server.shape(LINK)
    try:
        rates = in_turns({"ours": ours, "iperf3": lambda: iperf_rate(server)}, bench.rounds)
    finally:
        server.shape("")
    yield row_of_rates("download, link of 1 Gbit/s, iperf3", rates, 0.97, fetches.why())
    stored = fetches.reports[-1]["network"]["bytes"]
    plain = fetches.image["size_bytes"]
    stream = bench.trees.stream("a")

    def curl(url, size):
        with tempfile.TemporaryDirectory(dir=MEMORY, prefix="slwbc-") as folder:
            return size / server.on_client(*curl_command(url, Path(folder) / "file")).wall_s

    url = server.one_file(stored, stream)
    rates = in_turns({"ours": ours, "curl": lambda: curl(url, stored)}, bench.rounds)
    yield row_of_rates("download, unshaped; curl of the same bytes as one file", rates, 0.9, fetches.why())
    url = server.one_file(plain, stream)
    rates = in_turns({"ours": delivered, "curl": lambda: curl(url, plain)}, bench.rounds)
    yield row_of_rates("streaming, unshaped: unpacked and checked, dropped; curl of the plain content as one file", rates, None,
                       fetches.why())


def row_of_rates(name: str, rates: dict, target: float | None, why: str) -> Row:
    mine, theirs = rates.values()
    ratios = [a / b for a, b in zip(mine, theirs)]
    return Row(name, rate_text(median(mine)), rate_text(median(theirs)), median(ratios), target, ratios=ratios, why=why)


def all_at_once(command_of, n_clients: int, namespace: str) -> list:
    """Seconds that each took; they are started together."""
    with tempfile.TemporaryFile() as errors:
        begin = time.monotonic()
        left = {}
        for i in range(n_clients):
            child = subprocess.Popen([*inside(namespace), *map(str, command_of(i))], stdout=subprocess.DEVNULL, stderr=errors)
            left[child] = begin
        took = []
        while left:
            for child in [child for child in left if child.poll() is not None]:
                took.append(time.monotonic() - left.pop(child))
                if child.returncode != 0:
                    errors.seek(0)
                    for other in left:
                        other.kill()
                    raise RuntimeError(f"{child.args}: exit {child.returncode}\n{errors.read().decode()[-1000:]}")
            if time.monotonic() - begin > LIMIT_S:
                for child in left:
                    child.kill()
                raise RuntimeError(f"{len(left)} clients were not done in {LIMIT_S} s")
            time.sleep(0.005)
    return took


def many(server, command_of, size: int) -> dict:
    nginx = server.nginx_cpu_s()
    took = all_at_once(command_of, N_CLIENTS, server.client)
    mean = sum(size / t for t in took) / len(took)
    return {"rate": N_CLIENTS * size / max(took), "slowest": size / max(took) / mean, "nginx_s": server.nginx_cpu_s() - nginx,
            "wall_s": max(took)}


def nginx_words(runs: list) -> str:
    return f"{median(run['nginx_s'] for run in runs):.2f} s in {median(run['wall_s'] for run in runs):.1f} s"


def rows_of_many(name: str, found: dict):
    mine, theirs = found.values()
    why = (f"nginx took {nginx_words(mine)}, for one file {nginx_words(theirs)}; the clients have the rest of {os.cpu_count()} "
           "processors")
    ratios = [a["rate"] / b["rate"] for a, b in zip(mine, theirs)]
    yield Row(name, rate_text(median(m["rate"] for m in mine)), rate_text(median(t["rate"] for t in theirs)), median(ratios), 0.9,
              ratios=ratios, why=why)
    slowest = [m["slowest"] for m in mine]
    yield Row(f"{name}: the slowest, the mean", f"{median(slowest):.2f} of the mean",
              f"{median(t['slowest'] for t in theirs):.2f} of the mean", median(slowest), 0.5, ratios=slowest)


def measure_clients(bench):
    """64 at once, unshaped and on a link of 1 Gbit/s. Each keeps a part of the tree: whole images of 64 do not fit into memory."""
    server = bench.serve()
    wim = bench.folder / "part.wim"
    timed("wimlib-imagex", "capture", bench.trees.tree("a") / "usr/bin", wim, "part", "--unix-data", "--compress=LZX")
    _, part = server.library.import_wim(wim)
    size = sum(stored for _, stored in server.library.packs_of(part["manifest"]))
    url = server.one_file(size, bench.trees.lzx("a"))

    def agents():
        with tempfile.TemporaryDirectory(dir=MEMORY, prefix="slwbc-") as folder:
            return many(server, lambda i: keep_command(bench, part["manifest"], Path(folder) / str(i)), size)

    def curls():
        with tempfile.TemporaryDirectory(dir=MEMORY, prefix="slwbc-") as folder:
            return many(server, lambda i: curl_command(url, Path(folder) / str(i)), size)

    for link, words in (("", "unshaped"), (LINK, "link of 1 Gbit/s")):
        server.shape(link)
        try:
            found = in_turns({"agents": agents, "file": curls}, bench.rounds)
        finally:
            server.shape("")
        yield from rows_of_many(f"{N_CLIENTS} agents, {words}; curls of one file", found)
