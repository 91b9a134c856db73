#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prestaged content: exported to a file at the site, carried, extracted at a remote distribution point.

usage: content_prestage.py SLIPWAYD

What travels over the cable is counted by the network card. Exit status 77: this machine lacks something, which is said; never
where CI is set.
"""

import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from two_dps import MIB, Content, Pair, expect, main  # noqa: E402

PARTIAL = 25  # exit status: not all of it was extracted


class Counts:
    """What `slipwayd extract` says that it did."""

    def __init__(self, done: subprocess.CompletedProcess):
        found = re.search(r"(\d+) contents, (\d+) packs extracted, (\d+) packs were there", done.stdout)
        expect(found is not None, f"extracting: {done}")
        self.contents, self.packs, self.present = (int(text) for text in found.groups())
        self.status = done.returncode
        self.said = done.stderr

    def __str__(self):
        return f"status {self.status}, {self.contents} contents, {self.packs} packs, {self.present} there; {self.said}"


class Archive:
    """The members of a file of prestaged content."""

    def __init__(self, path: Path):
        self.path = path
        with tarfile.open(path) as tar:
            self.members = [(member.name, member.offset_data, member.size) for member in tar]

    def packs(self) -> list:
        return [member for member in self.members if member[0].startswith("packs/")]

    def manifests(self) -> list:
        return [Path(name).name for name, _, _ in self.members if name.startswith("manifests/")]


class Test(Pair):
    def __init__(self, *words):
        super().__init__(*words)
        self.first = self.second = ""
        self.file = None

    def extract(self, path: Path) -> Counts:
        return Counts(self.remote.extract(path))

    def has(self, manifest: str) -> bool:
        return (self.remote.state / "dp/content/manifests" / manifest).exists()

    def test_join(self):
        self.join(self.begin())

    def test_extract(self):
        """One content, then two that share most of their packs' chunks: what is there is skipped, and counted."""
        source = Content(self.folder / "source", MIB, 3)
        self.first = self.api.make_package("First", source.folder)
        one = Archive(self.export([self.first]))
        before = self.network.received()
        got = self.extract(one.path)
        expect((got.status, got.contents, got.packs, got.present) == (0, 1, len(one.packs()), 0), f"first: {got}")
        source.write(7)
        (source.folder / "more.bin").write_bytes(os.urandom(3 * MIB))
        self.second = self.api.make_package("Second", source.folder)
        self.file = Archive(self.export([self.first, self.second]))
        expect(self.file.packs()[: len(one.packs())] == one.packs(), "a content has other packs in another file")
        new = len(self.file.packs()) - len(one.packs())
        expect(0 < new < len(one.packs()), f"{new} packs are new")
        got = self.extract(self.file.path)
        expect((got.status, got.contents, got.packs, got.present) == (0, 2, new, len(one.packs())), f"both: {got}")
        got = self.extract(self.file.path)
        expect((got.status, got.packs, got.present) == (0, 0, len(self.file.packs())), f"again: {got}")
        expect(self.network.received() - before < MIB, "extracting asks somebody else")
        self.compare()

    def forget(self):
        """The distribution point has nothing any more."""
        self.remote.end()
        for path in self.remote.packs().values():
            path.unlink()
        for path in (self.remote.state / "dp/content/manifests").iterdir():
            path.unlink()
        (self.remote.state / "dp/content/index.db").unlink(missing_ok=True)
        self.remote.start()

    def test_damaged(self):
        """A pack of the second content has a wrong byte: it is named, the first content is there, the second is not."""
        self.forget()
        first, second = self.file.manifests()
        name, offset, size = self.file.packs()[-1]
        bad = self.folder / "damaged.tar"
        content = bytearray(self.file.path.read_bytes())
        content[offset + size // 2] ^= 1
        bad.write_bytes(content)
        got = self.extract(bad)
        expect(got.status == PARTIAL and got.contents == 1, f"a damaged file: {got}")
        expect("SLW-0353" in got.said and Path(name).name in got.said and second in got.said, f"what is named: {got}")
        expect(got.packs == len(self.file.packs()) - 1 and Path(name).name not in self.remote.packs(), f"what is kept: {got}")
        expect(self.has(first) and not self.has(second), "which contents are there")
        got = self.extract(self.file.path)
        expect((got.status, got.contents, got.packs) == (0, 2, 1), f"the good file after it: {got}")
        self.compare()

    def test_truncated(self):
        """Cut off within a pack: what came before is kept, and counts when the whole file comes."""
        self.forget()
        at = len(self.file.packs()) // 2
        offset = self.file.packs()[at][1]
        cut = self.folder / "cut.tar"
        cut.write_bytes(self.file.path.read_bytes()[: offset + 1000])
        got = self.extract(cut)
        expect(got.status == PARTIAL and "SLW-0355" in got.said and got.packs == at, f"a file that is cut off: {got}")
        expect(got.contents == 0 and not any(map(self.has, self.file.manifests())), f"half a content is offered: {got}")
        got = self.extract(self.file.path)
        expect((got.status, got.present) == (0, at), f"the whole file after it: {got}")
        self.compare()

    def test_wrong_kind(self):
        """Files that are something else change nothing."""
        other = io.BytesIO()
        with tarfile.open(fileobj=other, mode="w") as tar:
            member = tarfile.TarInfo("etc/passwd")
            tar.addfile(member)
        newer = bytearray(self.file.path.read_bytes())
        newer[512:532] = b"slipway-prestage 9\n\n"
        cases = {"nothing": b"", "text": b"text\n" * 1000, "another archive": other.getvalue(), "a newer one": bytes(newer)}
        before = sorted(self.remote.packs())
        for what, content in cases.items():
            path = self.folder / "wrong"
            path.write_bytes(content)
            got = self.extract(path)
            expect(got.status == PARTIAL and "SLW-0354" in got.said and got.contents + got.packs == 0, f"{what}: {got}")
        expect(sorted(self.remote.packs()) == before, "a file of another kind has left something")

    def test_kill(self):
        """Killed while it extracts: nothing half is offered, and the same again brings everything."""
        self.forget()
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        content = self.file.path.read_bytes()
        half = self.file.packs()[len(self.file.packs()) // 2][1]
        words = self.remote.command("extract", "--state", str(self.remote.state), str(pipe))
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with open(pipe, "wb") as feed:
            writer = threading.Thread(target=feed.write, args=(content[:half],))
            writer.start()
            writer.join(60)  # all but what lies in the pipe has been taken
            expect(not writer.is_alive(), "it does not read on")
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        process.communicate()
        expect(process.returncode == -signal.SIGKILL, f"it was over before it was killed: {process.returncode}")
        expect(not any(map(self.has, self.file.manifests())), "half a content is offered")
        got = self.extract(self.file.path)
        expect((got.status, got.contents) == (0, 2) and got.packs + got.present == len(self.file.packs()), f"again: {got}")
        expect(not list((self.remote.state / "dp/content/tmp").iterdir()), "something is left in tmp")
        self.compare()

    def test_distribute(self):
        """The content is the distribution point's now, and none of it has travelled."""
        before = self.network.received()
        for package in (self.first, self.second):
            self.api.call("POST", f"/content/{package}/distribution", {"distribution_points": [self.dp]})
        for package in (self.first, self.second):
            self.api.wait_state(package, self.dp, lambda row: row.get("state") == "success", "the copy")
        travelled = self.network.received() - before
        expect(travelled < MIB, f"{travelled} bytes travelled for what had been carried")
        self.compare()


STEPS = ("join", "extract", "damaged", "truncated", "wrong_kind", "kill", "distribute")

if __name__ == "__main__":
    sys.exit(main(Test, STEPS, "prestage"))
