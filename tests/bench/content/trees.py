# SPDX-License-Identifier: GPL-3.0-or-later
"""The two trees that are measured with, and what the peers make of them; kept in .cache for later runs.

Tree `a` is Debian 12 as its last point release has it, `b` the same packages with all updates and security fixes
since: what becomes of an image some weeks later. Both are made by mmdebstrap from the mirror this machine uses.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path

from measure import timed

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools/lab"))
from lab import CACHE, LabError, run  # noqa: E402

PACKAGES = {
    # About 1.9 GB in 50 000 files: compilers, an office suite's core, a database, servers, a kernel.
    "full": "ca-certificates,build-essential,clang,cups,curl,git,imagemagick,libreoffice-core,linux-image-cloud-amd64,nginx,"
            "nodejs,openssh-server,php-cli,postgresql,python3-scipy,samba,vim,wireshark-common",
    "quick": "ca-certificates,curl,git,nginx,openssh-server,perl,vim",
}
LIMIT_S = 3600


def mirrors() -> dict:
    """Release name → line for a sources list, from this machine's own sources."""
    form = "$(RELEASE) $(REPO_URI) $(COMPONENT)"
    found = {}
    for line in run("apt-get", "indextargets", "--format", form, "Created-By: Packages").stdout.splitlines():
        release, uri, component = line.split()
        if re.fullmatch(r"bookworm(-updates|-security)?", release) and component == "main":
            found[release] = f"deb {uri} {release} main"
    if set(found) != {"bookworm", "bookworm-updates", "bookworm-security"}:
        raise LabError(f"the trees need bookworm, bookworm-updates and bookworm-security; /etc/apt has {sorted(found)}")
    return found


def make_tree(target: Path, kind: str, releases: list):
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    lines = mirrors()
    run(
        "mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PACKAGES[kind]}",
        "--aptopt=Acquire::Languages \"none\"", "bookworm", part, "-",
        stdin="\n".join(lines[release] for release in releases) + "\n", timeout=LIMIT_S,
    )
    for useless in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(part / useless, ignore_errors=True)
    part.rename(target)


def tree_bytes(tree: Path) -> tuple:
    """(bytes of regular files, number of them), hard links once."""
    seen, total = set(), 0
    for folder, _, names in os.walk(tree):
        for name in names:
            info = os.lstat(os.path.join(folder, name))
            if (info.st_mode & 0o170000) == 0o100000 and info.st_ino not in seen:
                seen.add(info.st_ino)
                total += info.st_size
    return total, len(seen)


class Trees:
    """Paths below .cache/bench-content/KIND; what is missing is made when it is asked for."""

    def __init__(self, kind: str, say):
        self.kind = kind
        self.folder = CACHE / "bench-content" / kind
        self.folder.mkdir(parents=True, exist_ok=True)
        self._say = say
        self._notes = self.folder / "made.json"

    def _made(self, name: str, what: str, make) -> Path:
        path = self.folder / name
        if not path.exists():
            self._say(f"making {what}")
            part = self.folder / f"part-{name}"
            if part.is_dir():
                shutil.rmtree(part)
            part.unlink(missing_ok=True)
            cost = make(part)
            part.rename(path)
            self._note(name, cost)
        return path

    def _note(self, name: str, cost):
        """What it cost to make it, in seconds: for the tables, never for a ratio."""
        notes = json.loads(self._notes.read_text(encoding="utf-8")) if self._notes.exists() else {}
        notes[name] = {"cpu_s": round(cost.cpu_s, 1), "wall_s": round(cost.wall_s, 1), "peak_mib": cost.peak_bytes >> 20}
        self._notes.write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")

    def cost(self, name: str) -> dict:
        return json.loads(self._notes.read_text(encoding="utf-8"))[name]

    def tree(self, which: str) -> Path:
        path = self.folder / which
        if not path.exists():
            self._say(f"making tree {which} with mmdebstrap (some minutes)")
            releases = ["bookworm"] if which == "a" else ["bookworm", "bookworm-updates", "bookworm-security"]
            make_tree(path, self.kind, releases)
        return path

    def stream(self, which: str) -> Path:
        """The uncompressed pipable WIM: the bytes that the library stores."""
        return self._capture(which, f"{which}.pwm", "uncompressed pipable", "--compress=none", "--pipable")

    def lzx(self, which: str) -> Path:
        return self._capture(which, f"{which}-lzx.wim", "LZX", "--compress=LZX")

    def solid(self, which: str) -> Path:
        """From the LZX WIM, so that it is the same image."""
        source = self.lzx(which)
        return self._made(
            f"{which}-solid.wim", f"a solid LZMS WIM of {which} (many minutes)",
            lambda part: timed("wimlib-imagex", "export", source, "1", part, "--solid", timeout=LIMIT_S),
        )

    def lzx_delta(self) -> Path:
        base = self.lzx("a")
        return self._capture("b", "b-delta-lzx.wim", "LZX --delta-from", "--compress=LZX", f"--delta-from={base}")

    def tar(self, which: str) -> Path:
        tree = self.tree(which)
        return self._made(
            f"{which}.tar.zst", f"tar with zstd of {which}",
            lambda part: timed("tar", "--xattrs", "--acls", "--use-compress-program=zstd -T0", "-C", tree, "-cf", part, ".",
                               timeout=LIMIT_S),
        )

    def _capture(self, which: str, name: str, what: str, *options) -> Path:
        tree = self.tree(which)
        return self._made(
            name, f"a WIM of {which}, {what}",
            lambda part: timed("wimlib-imagex", "capture", tree, part, which, "--unix-data", *options, timeout=LIMIT_S),
        )

    def casync(self, what: str) -> dict:
        """Bytes that casync needs for b once a is there, chunks of 64 KiB on average; what: "tree" or "stream"."""
        result = self.folder / f"casync-{what}.json"
        if not result.exists():
            sources = [self.tree(v) if what == "tree" else self.stream(v) for v in ("a", "b")]
            result.write_text(json.dumps(self._casync(what, sources)), encoding="utf-8")
        return json.loads(result.read_text(encoding="utf-8"))

    def _casync(self, what: str, sources: list) -> dict:
        store = self.folder / f"casync-{what}.castr"
        shutil.rmtree(store, ignore_errors=True)
        found = {"cpu_s": 0.0}
        try:
            for which, source in zip("ab", sources):
                self._say(f"casync make of {which} ({what})")
                before = tree_bytes(store) if store.exists() else (0, 0)
                index = self.folder / f"casync-{which}.{'caidx' if what == 'tree' else 'caibx'}"
                kind = "archive-index" if what == "tree" else "blob-index"
                cost = timed("casync", "make", f"--store={store}", "--chunk-size=65536", f"--what={kind}", index, source,
                             timeout=LIMIT_S)
                after = tree_bytes(store)
                found[which] = after[0] - before[0] + index.stat().st_size
                found[f"{which}_files"] = after[1] - before[1]
                found["cpu_s"] += cost.cpu_s
                index.unlink()
        finally:
            shutil.rmtree(store, ignore_errors=True)
        return found
