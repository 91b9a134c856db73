# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying an image to an empty volume: from the library over HTTP, and by the peers from a local file."""

import contextlib
import json
import shutil
import tempfile
from pathlib import Path

from library import SOURCE
from measure import Cost, Row, in_turns, median, timed

import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools/lab"))
from lab import LabError, run  # noqa: E402

VOLUME_BYTES = 6 << 30
MEMORY = Path("/dev/shm")  # volumes lie there: what is compared is the programs, not this machine's disk


@contextlib.contextmanager
def volume_file():
    """An empty sparse file for a volume."""
    if shutil.disk_usage(MEMORY).free < VOLUME_BYTES // 2:
        raise LabError(f"{MEMORY} has too little room for a volume: {VOLUME_BYTES >> 31} GiB are wanted")
    with tempfile.NamedTemporaryFile(dir=MEMORY, prefix="slwbc-") as file:
        file.truncate(VOLUME_BYTES)
        yield Path(file.name)


@contextlib.contextmanager
def mounted_ext4():
    """A new ext4, mounted; the folder."""
    with volume_file() as image, tempfile.TemporaryDirectory(prefix="slwbc-") as folder:
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
        run("mount", "-o", "loop", image, folder)
        try:
            yield Path(folder)
        finally:
            run("umount", folder)


@contextlib.contextmanager
def ntfs_volume():
    with volume_file() as image:
        run("mkntfs", "-F", "-Q", "-q", "-p", "2048", "-H", "255", "-S", "63", "-s", "512", image)
        yield image


def then_sync(folder: Path, *command) -> tuple:
    """The command, and then what it wrote is on the volume: that belongs to its time."""
    return ("sh", "-c", '"$@" && sync -f "$0"', folder, *command)


class Fetches:
    """Runs of bench_fetch, with the counters of its stages."""

    def __init__(self, bench):
        self.server = bench.serve()
        self.image = bench.serve_image()
        self.program = bench.build / "tests/bench/bench_fetch"
        self.reports = []

    def command(self, target=None) -> tuple:
        more = () if target is None else (target,)
        return (self.program, SOURCE, self.image["manifest"], self.image["size_bytes"], *more)

    def timed(self, *command) -> Cost:
        cost = self.server.on_client(*command)
        self.reports.append(json.loads(next(line for line in cost.out.splitlines() if line.startswith("{"))))
        return cost

    def why(self) -> str:
        """Where the time went, of the last run."""
        report = self.reports[-1]
        stages = [f"{name} busy {report[name]['busy_us'] / 1e6:.1f} s, waiting {report[name]['waiting_us'] / 1e6:.1f} s"
                  for name in ("network", "unpack", "write")]
        return f"{report['bound_by']}; in {report['elapsed_us'] / 1e6:.1f} s: " + "; ".join(stages)


def wim_apply(source: Path, *more) -> tuple:
    return ("wimlib-imagex", "apply", source, "1", *more)


def rows_of(what: str, costs: dict, peers: dict, why: str):
    """A row for each peer: peers is name → target."""
    ours = costs["ours"]

    def words(side):
        wall, busy = (median(getattr(cost, of) for cost in costs[side]) for of in ("wall_s", "cpu_s"))
        return f"{wall:.1f} s, {busy:.1f} s of processor"

    for name, target in peers.items():
        ratios = [theirs.wall_s / mine.wall_s for mine, theirs in zip(ours, costs[name])]
        yield Row(f"{what}, {name}", words("ours"), words(name), median(ratios), target, ratios=ratios, why=why)


def measure_apply_ext4(bench):
    fetches = Fetches(bench)
    sources = {"LZX": bench.trees.lzx("a"), "solid LZMS": bench.trees.solid("a")}
    tar = bench.trees.tar("a")

    def ours():
        with mounted_ext4() as folder:
            return fetches.timed(*then_sync(folder, *fetches.command(folder)))

    def by_wimlib(name):
        with mounted_ext4() as folder:
            return timed(*then_sync(folder, *wim_apply(sources[name], folder, "--unix-data")))

    def by_tar():
        with mounted_ext4() as folder:
            return timed(*then_sync(folder, "tar", "--xattrs", "--acls", "--zstd", "-xf", tar, "-C", folder))

    sides = {"ours": ours, "wimlib-imagex from LZX": lambda: by_wimlib("LZX"),
             "wimlib-imagex from solid LZMS": lambda: by_wimlib("solid LZMS"), "tar with zstd": by_tar}
    costs = in_turns(sides, bench.rounds)
    targets = {"wimlib-imagex from LZX": 1.3, "wimlib-imagex from solid LZMS": 2.0, "tar with zstd": 1.0}
    yield from rows_of("apply to ext4 over HTTP", costs, targets, fetches.why())


def measure_apply_ntfs(bench):
    fetches = Fetches(bench)
    sources = {"LZX": bench.trees.lzx("a"), "solid LZMS": bench.trees.solid("a")}

    def ours():
        with ntfs_volume() as image:
            return fetches.timed(*fetches.command(image))

    def by_wimlib(name):
        with ntfs_volume() as image:
            return timed(*wim_apply(sources[name], image))

    sides = {"ours": ours, "wimlib-imagex from LZX": lambda: by_wimlib("LZX"),
             "wimlib-imagex from solid LZMS": lambda: by_wimlib("solid LZMS")}
    costs = in_turns(sides, bench.rounds)
    targets = {"wimlib-imagex from LZX": 1.3, "wimlib-imagex from solid LZMS": 2.0}
    yield from rows_of("apply to NTFS over HTTP", costs, targets, fetches.why())
