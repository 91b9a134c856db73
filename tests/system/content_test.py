#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content of every kind goes into a site and comes out again, by the programs that an administrator uses.

usage: content_test.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import suite  # noqa: E402
import trees  # noqa: E402
import wim_files  # noqa: E402
from lab import NO_BOOT_IMAGES, SERVER_ADDRESS, Lab, LabError, Site, missing_for_lab, open_folder, run, staged  # noqa: E402

PROGRAMS = (("genisoimage", "genisoimage"), ("mkntfs", "ntfs-3g"), ("ntfs-3g", "ntfs-3g"))


def say(text: str):
    print(text, flush=True)


def check(is_so: bool, text: str):
    if not is_so:
        raise LabError(text)


class World:
    """A site with nothing in it, and a folder for files that its roles can read."""

    def __init__(self, build: Path, name: str, lab_name="slwc"):
        self.folder = open_folder(build / "system") / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.files = self.folder / "files"
        self.files.mkdir(parents=True)
        self.lab = Lab(self.folder, name=lab_name)
        self.build = staged(build, self.folder / "build")
        self.programs = build  # also those that are only for tests
        self.site = None

    def __enter__(self):
        self.lab.__enter__()
        self.site = Site(self.lab, self.build, self.folder / "state", "[site]\nname = Lab\naddress = 10.77.0.1\n" + NO_BOOT_IMAGES)
        self.site.start()
        self.site.log_in()
        return self

    def __exit__(self, *why):
        self.lab.__exit__(*why)

    def add(self, noun: str, *words) -> dict:
        """What was made, as it is shown."""
        self.site.cli(noun, *words)
        newest = max(item["id"] for item in self.site.ask(noun, "list"))
        return self.site.ask(noun, "show", newest)

    def refuse(self, error_id: str, what: str, *words):
        """A command that fails with this error and adds nothing that could be used."""
        before = self.usable()
        done = self.site.cli(*words, check=False)
        said = done.stdout + done.stderr
        check(done.returncode != 0, f"{what}: it was taken")
        check(error_id in said, f"{what}: {error_id} is not said, but: {said}")
        check(self.usable() == before, f"{what}: it was refused, and something of it is there")
        say(f"refused: {what}: " + next(line for line in said.splitlines() if error_id in line))

    def usable(self) -> list:
        packages = [item["id"] for item in self.site.ask("content", "list") if item["state"] == "ready"]
        return packages + sorted(path.name for path in (self.folder / "state/dp/content/manifests").glob("*"))

    def new_bytes(self, package: str) -> int:
        return max(self.site.ask("content", "versions", package), key=lambda item: item["version"])["new_bytes"]

    def export(self, package: str, name: str, *words) -> Path:
        path = self.files / name
        said = json.loads(self.site.cli("os-image", "export", package, path, *words, "--output", "json").stdout)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        check(said["result"]["sha256"] == digest, f"{name}: the hash that was told is not the file's")
        wim_files.verify(path)
        return path


def check_download(world: World, package: str):
    """The file itself: for administrators only, in ranges."""
    path = world.files / "download.wim"
    said = json.loads(world.site.cli("os-image", "export", package, path, "--compress", "none", "--output", "json").stdout)
    url = f"https://{SERVER_ADDRESS}/api/v1/exports/"
    token = json.loads(next((world.site.home / ".config/slipway").glob("*.json")).read_text(encoding="utf-8"))

    def get(name: str, *options) -> subprocess.CompletedProcess:
        header = f'header = "Authorization: Bearer {token["token"]}"\n' if token else ""
        command = world.lab.inside(world.lab.server, "curl", "-sk", "--config", "-", "-w", "%{stderr}%{http_code}", *options, url + name)
        return subprocess.run(command, input=header.encode(), capture_output=True, check=True, timeout=60)

    export_id = said["result"]["export_id"]
    part = get(export_id, "-r", "1000-1999")
    check(part.stderr == b"206" and part.stdout == path.read_bytes()[1000:2000], f"a range: {part.stderr}")
    missing = get("01a1fec0-c5fd-721c-8a5f-000000000000")
    check(missing.stderr == b"404" and b"SLW-0325" in missing.stdout, f"no such export: {missing}")
    check(get(export_id, "-X", "DELETE").stderr == b"403", "an export can be deleted")
    check(get("../../../content/format", "--path-as-is").stderr != b"200", "another file can be had")
    token = None
    check(get(export_id).stderr == b"401", "an export can be had without a token")
    path.unlink()
    say("an export is for administrators, in ranges")


def check_image(shown: dict, kind: str, wim: Path):
    indexes = shown["indexes"]
    info = wim_files.wimlib("info", wim, "1")
    check(len(indexes) == 1 and indexes[0]["name"] == "Tree" and indexes[0]["description"] == "A tree", f"{kind}: {indexes}")
    check(f"File Count:             {indexes[0]['file_count']}\n" in info, f"{kind}: {indexes[0]['file_count']} files, not as in:\n{info}")
    check(indexes[0]["has_unix_data"] and not indexes[0]["is_windows"], f"{kind}: {indexes}")


def content_import_formats(world: World):
    """WIM files of every kind; what is no image, or a bad one, is refused and leaves nothing behind."""
    tree = world.files / "tree"
    tree.mkdir()
    wim_files.make_tree(tree)
    kinds = wim_files.make_kinds(tree, world.files)
    wanted = wim_files.listing(kinds["none"])
    for number, (kind, wim) in enumerate(kinds.items()):
        by_path = kind == "split" or number % 2 == 1
        shown = world.add("os-image", "add", *(("--source", wim) if by_path else (wim,)), "--name", f"Tree {kind}")
        check_image(shown, kind, kinds["none"])
        new, size = world.new_bytes(shown["id"]), shown["indexes"][0]["size_bytes"]
        check(new > size // 2 if number == 0 else new < size // 20, f"{kind}: {new} of {size} bytes are new")
        back = world.export(shown["id"], f"back-{kind}.wim", "--compress", "xpress")
        check(wim_files.listing(back) == wanted, f"{kind}: the image that comes out is another")
        say(f"imported and exported: {kind}, {new} of {size} bytes were new")
    check_split_upload(world, kinds["split"], wanted)
    check_windows(world, tree)
    hostile = wim_files.make_hostile(kinds, world.files)
    for name, (path, error_id) in hostile.items():
        world.refuse(error_id, name, "os-image", "add", "--source", path, "--name", name)
    for name in ("truncated", "encrypted", "not-the-first-part", "part-missing", "part-of-another"):
        path, error_id = hostile[name]
        error_id = "SLW-0709" if error_id == "SLW-0321" else error_id
        world.refuse(error_id, f"{name}, uploaded", "os-image", "add", path, "--name", name)
    closed = world.files / "closed.wim"
    shutil.copy(kinds["lzx"], closed)
    closed.chmod(0o600)
    world.refuse("SLW-0320", "a file of root's only", "os-image", "add", "--source", closed, "--name", "closed")
    check_trees(world, tree)


def check_split_upload(world: World, first: Path, wanted: str):
    """Every part is sent: found beside the first one, or named in any order."""
    parts = sorted(first.parent.glob(f"{first.stem}*{first.suffix}"), reverse=True)
    check(len(parts) > 2, f"the image is not split: {parts}")
    for number, files in enumerate(([first], parts)):
        shown = world.add("os-image", "add", *files, "--name", f"Sent split {number}")
        check(world.new_bytes(shown["id"]) < 65536, "the parts were stored a second time")
        back = world.export(shown["id"], "back-sent.wim", "--compress", "xpress")
        check(wim_files.listing(back) == wanted, "the image of uploaded parts is another")
        back.unlink()
    left = list((world.folder / "state/dp/staging/uploads").glob("*.data"))
    check(not left, f"uploads are kept: {left}")
    say(f"imported: {len(parts)} uploaded parts of a split image")


def check_windows(world: World, tree: Path):
    wim = world.files / "two.wim"
    wim_files.wimlib("capture", tree, wim, "Tree", "--unix-data")
    wim_files.add_second_image(wim, world.files / "windows")
    wim_files.wimlib("info", wim, "2", "--boot")
    shown = world.add("os-image", "add", "--source", wim, "--name", "Two")
    first, second = shown["indexes"]
    check(first["index"] == 1 and not first["is_windows"] and first["build"] == "", f"the first image: {first}")
    wanted = {
        "index": 2, "name": "Server", "arch": "x64", "edition": "ServerStandard", "languages": "de-DE en-US",
        "default_language": "en-US", "build": "10.0.20348.1129", "is_windows": True, "has_unix_data": False,
    }
    for name, value in wanted.items():
        check(second[name] == value, f"{name} of the image of Windows is {second[name]}, not {value}")
    back = world.export(shown["id"], "two-back.wim")
    check(wim_files.facts(back) == wim_files.facts(wim), "what the file says about its images is another")
    one = world.export(shown["id"], "one-back.wim", "--index", "2")
    check(wim_files.listing(one) == wim_files.listing(wim, 2), "the second image is another")
    only = world.add("os-image", "add", "--source", wim, "--name", "Second", "--indexes", "2")["indexes"]
    check([index["index"] for index in only] == [2] and only[0]["manifest"] == second["manifest"], f"only index 2: {only}")
    world.refuse("SLW-0323", "an index that is not there", "os-image", "add", "--source", wim, "--name", "7", "--indexes", "1,7")
    say("what the file says about two images is kept")


def check_trees(world: World, tree: Path):
    """Folders and discs as packages."""
    folder = world.files / "package"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/setup.cmd").write_text("echo", encoding="utf-8")
    (folder / "large.bin").write_bytes(os.urandom(3 * 1024 * 1024))
    shown = world.add("package", "create", "Programs", "--source", folder)
    check(shown["file_count"] == 2, f"the package: {shown}")
    for name, options in (("udf", ("-udf",)), ("9660", ("-R",))):
        disc = world.files / f"{name}.iso"
        run("genisoimage", "-quiet", *options, "-o", disc, folder)
        shown = world.add("package", "create", f"Disc {name}", "--source", disc)
        check(shown["file_count"] == 2 and shown["size_bytes"] == 3 * 1024 * 1024 + 4, f"{name}: {shown}")
        check(world.new_bytes(shown["id"]) < 65536, f"{name}: the disc's files were stored a second time")
    disc.write_bytes(disc.read_bytes()[: 1024 * 1024])
    world.refuse("SLW-0326", "half a disc", "package", "create", "Half", "--source", disc)
    (folder / "sub/setup.cmd").chmod(0o600)
    world.refuse("SLW-0320", "a file that cannot be read", "package", "create", "Closed", "--source", folder)
    world.refuse("SLW-0320", "a folder with a pipe", "package", "create", "Pipe", "--source", tree)
    world.refuse("SLW-0320", "a path that is not there", "package", "create", "None", "--source", "/no/such/folder")
    say("folders and discs are packages")


def content_roundtrip(world: World):
    """What goes in as an image comes out as the same image, of Linux and of Windows, however it is compressed."""
    roundtrip_linux(world)
    roundtrip_ntfs(world)


def roundtrip_linux(world: World):
    tree = world.files / "tree"
    tree.mkdir()
    wim_files.make_tree(tree)
    wim = world.files / "tree.wim"
    wim_files.wimlib("capture", tree, wim, "Tree", "--unix-data")
    package = world.add("os-image", "add", wim, "--name", "Tree")["id"]
    check_download(world, package)
    wanted = trees.tree_of(tree)
    check(len(wanted) > 150, "the tree is too small to prove anything")
    for options in (("lzx",), ("none",), ("xpress",), ("lzms",), ("lzx", "--solid"), ("lzms", "--solid")):
        back = world.export(package, "back.wim", "--compress", *options)
        check(wim_files.listing(back) == wim_files.listing(wim), f"{options}: the image is another")
        out = world.files / "out"
        wim_files.wimlib("apply", back, "1", out, "--unix-data")
        wrong = trees.differences(wanted, trees.tree_of(out))
        check(not wrong, f"{options}: {len(wrong)} differences:\n" + "\n".join(wrong[:20]))
        shutil.rmtree(out)
        back.unlink()
        say(f"ext4: {len(wanted)} files are the same after {' '.join(options)}")
    out.mkdir()
    apply_as_agent(world, package, out)
    wrong = trees.differences(wanted, trees.tree_of(out))
    check(not wrong, f"the agent's writer: {len(wrong)} differences:\n" + "\n".join(wrong[:20]))
    say(f"ext4: {len(wanted)} files are the same after the agent's writer")


def roundtrip_ntfs(world: World):
    volume, other, wim = (world.files / name for name in ("volume.ntfs", "other.ntfs", "windows.wim"))
    wim_files.make_ntfs(volume)
    with wim_files.ntfs(volume, world.files / "mnt") as root:
        wim_files.fill_ntfs(root)
        wim_files.fill_rare(root)
    wim_files.wimlib("capture", volume, wim, "Windows")
    wanted = wim_files.listing(wim)
    for text in ('"PROGRA~1"', '"ARATHE~1.EXE"', "Zone.Identifier", "Reparse Tag         = 0xa000000c",
                 "FILE_ATTRIBUTE_HIDDEN", "FILE_ATTRIBUTE_COMPRESSED", "FILE_ATTRIBUTE_SPARSE_FILE", "Object ID",
                 "Reparse Tag         = 0xa0000003", '"/names/FILE"', '"/names/a:b"', "Link Count          = 2", "Jan 01 00:00:00 2001", "Security Descriptor"):
        check(text in wanted, f"the volume has no {text}: it would prove nothing")
    package = world.add("os-image", "add", wim, "--name", "Windows")["id"]
    for options in (("lzx",), ("lzms", "--solid")):
        back = world.export(package, "back.wim", "--compress", *options)
        check(wim_files.listing(back) == wanted, f"{options}: the image is another")
        wim_files.make_ntfs(other)
        wim_files.wimlib("apply", back, "1", other)
        check_volume(other, wim, str(options))
        back.unlink()
        say(f"NTFS: {len(comparable(wim))} files are the same after {' '.join(options)}")
    wim_files.make_ntfs(other)
    apply_as_agent(world, package, other)
    check_volume(other, wim, "the agent's writer")
    with wim_files.ntfs(other, world.files / "mnt") as root:
        for name, limit in (("Packed/text", 100000), ("holes", 200000)):
            check((root / name).stat().st_blocks * 512 < limit, f"{name} takes {(root / name).stat().st_blocks} blocks")
    say(f"NTFS: {len(comparable(wim))} files are the same after the agent's writer")


def apply_as_agent(world: World, package: str, target: Path):
    """The image as a computer that is deployed gets it: fetched, and written by the agent's writer."""
    index = world.site.ask("os-image", "show", package)["indexes"][0]
    command = (world.programs / "tests/bench/bench_fetch", f"http://{SERVER_ADDRESS}", index["manifest"], index["size_bytes"], target)
    done = subprocess.run(world.lab.inside(world.lab.server, *(str(word) for word in command)),
                          capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
    check(done.returncode == 0 and not done.stderr, f"the agent's writer: {done.stdout}{done.stderr}")


def check_volume(volume: Path, wim: Path, what: str):
    """Everything of the image is in the volume, as wimlib reads it, and ntfs-3g's own checks find nothing wrong."""
    run("ntfsfix", "--no-action", volume)
    run("ntfsresize", "--info", "--force", volume)  # counts the clusters that are in use
    again = volume.with_suffix(".wim")
    wim_files.wimlib("capture", volume, again, "Windows")
    lost = set(comparable(wim)) - set(comparable(again))
    check(sorted(comparable(again)) == sorted(comparable(wim)), f"{what}: the volume is another: " + "\n".join(sorted(lost)[:3]))
    again.unlink()


def comparable(wim: Path) -> list:
    """Files as text; numbers of groups of links and the times of the root depend on the volume."""
    out = []
    for part in wim_files.listing(wim).split("-" * 76):
        lines = [line for line in part.splitlines() if not line.startswith("Link Group ID")]
        if lines and 'Full Path           = "/"' not in lines:
            out.append("\n".join(line for line in lines if line))
    return out


def capture(world: World, source: Path, *words, check_code=True) -> subprocess.CompletedProcess:
    """As on the computer with the tree, which reaches the site through nginx."""
    token = json.loads(next((world.site.home / ".config/slipway").glob("*.json")).read_text(encoding="utf-8"))["token"]
    pin = (world.folder / "state/keys/pin").read_text(encoding="utf-8").strip()
    command = (world.build / "src/prog/slipway-agent", "capture", source, "--site", f"https://{SERVER_ADDRESS}", "--pin", pin, *words)
    done = subprocess.run(
        world.lab.inside(world.lab.server, *(str(word) for word in command)), capture_output=True, text=True, timeout=300,
        check=False, env={**os.environ, "SLIPWAY_TOKEN": token})  # fmt: skip
    check(not check_code or done.returncode == 0, f"capture: {done.stdout}{done.stderr}")
    return done


def sent_bytes(done: subprocess.CompletedProcess) -> int:
    return int(done.stdout.split(" bytes were sent")[0].split()[-1])


def check_captured(world: World, package: str, tree: Path):
    """What comes out is what was captured."""
    back, out = world.export(package, "back.wim", "--compress", "xpress"), world.files / "out"
    wim_files.wimlib("apply", back, "1", out, "--unix-data")
    wrong = trees.differences(trees.tree_of(tree), trees.tree_of(out))
    check(not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong[:20]))
    shutil.rmtree(out)
    back.unlink()


def content_capture(world: World):
    """A tree is captured into the library; again, changed, it sends what changed; a volume of Windows likewise."""
    tree, volume = world.files / "tree", world.files / "volume.ntfs"
    tree.mkdir()
    wim_files.make_tree(tree)
    (tree / "large").write_bytes(os.urandom(24 << 20))
    first = sent_bytes(capture(world, tree, "--name", "Captured", "--version", "1"))
    package = max(item["id"] for item in world.site.ask("os-image", "list"))
    shown = world.site.ask("os-image", "show", package)
    check(shown["indexes"][0]["has_unix_data"] and shown["indexes"][0]["file_count"] > 100, f"described wrongly: {shown}")
    check_captured(world, package, tree)
    say(f"captured: {first} bytes were sent")
    with open(tree / "large", "r+b") as file:
        file.seek(12 << 20)
        file.write(os.urandom(1000))
    (tree / "added").write_bytes(os.urandom(5000))
    again = sent_bytes(capture(world, tree, "--name", "Captured", "--update", package))
    check(0 < again < first // 20, f"{again} bytes were sent for a small change, {first} at first")
    check(len(world.site.ask("content", "versions", package)) == 2, "there is no second content version")
    check_captured(world, package, tree)
    say(f"captured again after a change: {again} bytes were sent")
    check_capture_interrupted(world, tree)
    check_capture_refused(world, tree)
    wim_files.make_ntfs(volume)
    with wim_files.ntfs(volume, world.files / "mnt") as root:
        wim_files.fill_ntfs(root)
    wim_files.wimlib("capture", volume, world.files / "windows.wim", "Windows")
    capture(world, volume, "--name", "Windows")
    package = max(item["id"] for item in world.site.ask("os-image", "list"))
    back = world.export(package, "back.wim")
    check(sorted(comparable(back)) == sorted(comparable(world.files / "windows.wim")), "NTFS: the image is another")
    say("a volume of NTFS is captured with everything it has")


def check_capture_interrupted(world: World, tree: Path):
    """A capture that ends before there is an image; the next one finds what was sent."""
    (tree / "more").write_bytes(os.urandom(32 << 20))
    before = len(world.usable())
    done = capture(world, tree, "--name", "Captured", "--version", "2", "--update", "SLP00001", check_code=False)
    check(done.returncode == 2, "both --version and --update are taken")
    done = capture(world, tree, "--name", "Nothing", "--update", "SLPFFFFF", check_code=False)
    check(done.returncode == 1 and "SLW-0367" in done.stderr, f"an image that is not there was updated: {done.stderr}")
    check(len(world.usable()) == before, "it was refused, and something of it is there")
    sent = sent_bytes(capture(world, tree, "--name", "Repeated"))
    check(sent < 1 << 20, f"{sent} bytes were sent again")
    say(f"what a capture without an end had sent was found: {sent} bytes were sent")


def check_capture_refused(world: World, tree: Path):
    for what, source, words, error_id in (
        ("a folder that is not there", tree / "nowhere", ("--name", "None"), "SLW-0366"),
        ("a file that is no volume", tree / "large", ("--name", "None"), "SLW-0366"),
        ("a name that is there", tree, ("--name", "Captured", "--version", "1"), "SLW-0367"),
    ):
        before = world.usable()
        done = capture(world, source, *words, check_code=False)
        check(done.returncode == 1 and error_id in done.stderr, f"{what}: {done.stdout}{done.stderr}")
        check(world.usable() == before, f"{what}: it was refused, and something of it is there")
        say(f"refused: {what}")


TESTS = {
    "content-capture": content_capture,
    "content-import-formats": content_import_formats,
    "content-roundtrip": content_roundtrip,
}


def lacking() -> list:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lacks = [
        f"the program {program} is missing: install the package {package}"
        for program, package in PROGRAMS
        if not shutil.which(program, path=path)
    ]
    if not Path("/dev/fuse").exists():
        lacks.append("there is no /dev/fuse: NTFS volumes cannot be mounted")
    return lacks + missing_for_lab()


def play(test, build: Path, name: str):
    with World(build, name) as world:
        test(world)


def main(tests: dict, usage: str, lacks: list) -> int:
    """Run the one that is named, in a World of its own."""
    return suite.run(tests, usage, lacks, play, ("files", "state"))


if __name__ == "__main__":
    sys.exit(main(TESTS, __doc__, lacking()))
