#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capturing a folder: everything that a file system of Linux can hold, and every moment at which somebody may be killed.

usage: content_capture.py BUILD_DIR TEST [--keep]

Exit status 77: this machine lacks something, which is said; never where CI is set. Logs of the last run of
each test are in BUILD_DIR/system/TEST/.
"""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import trees  # noqa: E402
import wim_files  # noqa: E402
from content_test import World, capture, check, check_captured, main, say, sent_bytes  # noqa: E402
from lab import SERVER_ADDRESS, LabError, missing_for_lab, run  # noqa: E402

SOURCE = f"http://{SERVER_ADDRESS}"
N_IN_ONE_FOLDER = 65_600
LARGE = 96 << 20
LIMIT_S = 120


def acl(*entries) -> bytes:
    """A POSIX ACL as the kernel has it in an extended attribute."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
ACL = acl((1, 6, NOBODY), (2, 4, 1000), (4, 4, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY))
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # cap_net_raw=ep


def make_everything(tree: Path):
    """What make_tree() has, and what is rare."""
    tree.mkdir()
    wim_files.make_tree(tree)
    rare = tree / "rare"
    rare.mkdir()
    (rare / "acl").write_text("acl", encoding="utf-8")
    os.setxattr(rare / "acl", "system.posix_acl_access", ACL)
    os.setxattr(rare, "system.posix_acl_default", ACL)
    (rare / "capability").write_text("program", encoding="utf-8")
    os.setxattr(rare / "capability", "security.capability", CAPABILITY)
    for i in range(12):
        os.setxattr(rare / "capability", f"user.number-{i}", b"x" * i)
    os.symlink("a\\b/c", rare / "link with a backslash")
    os.symlink("//two/slashes/", rare / "odd link")
    os.setxattr(rare / "odd link", "trusted.of-a-link", b"1", follow_symlinks=False)
    os.mknod(rare / "block", 0o640 | 0o060000, os.makedev(259, 70000))
    os.setxattr(rare / "block", "trusted.of-a-device", b"2")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(rare, os.O_PATH)
        listening.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    for name in ("x" * 255, "\u65e5" * 85, "back\\slash", "a:b", "tail ", "\u00e4", "a\u0308", "CON", "*?\"<>|", "new\nline"):
        (rare / name).write_text(name, encoding="utf-8")
    for name in ("case", "Case", "CASE"):
        (rare / name).write_text(name, encoding="utf-8")
    deep = rare
    for i in range(48):
        deep = deep / f"{i:02} {'deep' * 13}"
    deep.mkdir(parents=True)
    (deep / "at the end").write_text("deep", encoding="utf-8")
    with open(rare / "sparse and large", "wb") as file:
        file.truncate(40 << 20)
        file.seek(20 << 20)
        file.write(b"in the middle")
    (rare / "large").write_bytes(os.urandom(9 << 20))
    shutil.copy2(rare / "large", rare / "large again")
    os.utime(rare / "acl", ns=(-(10**18) // 3, -(10**18) // 3))  # before 1970
    many = tree / "many"
    many.mkdir()
    for i in range(N_IN_ONE_FOLDER):
        (many / f"{i:x}").touch()


@contextlib.contextmanager
def mounts(tree: Path):
    """Other file systems, and a part of the same one, mounted on folders and on a file."""
    places = [tree / "mounted", tree / "bound", tree / "bound file"]
    places[0].mkdir()
    places[1].mkdir()
    places[2].write_text("hidden by what is mounted on it", encoding="utf-8")
    try:
        run("mount", "-t", "tmpfs", "none", places[0])
        (places[0] / "not ours").write_text("x", encoding="utf-8")
        run("mount", "--bind", tree / "rare", places[1])
        run("mount", "--bind", tree / "rare/large", places[2])
        yield
    finally:
        for place in places:
            run("umount", place, check=False)


def exact_times(tree: Path) -> dict:
    """Times in the unit that an image has, of everything."""
    return {path.relative_to(tree): path.lstat().st_mtime_ns // 100 for path in sorted(tree.rglob("*"))}


def check_same(tree: Path, out: Path, how: str):
    wrong = trees.differences(trees.tree_of(tree), trees.tree_of(out))
    check(not wrong, f"{how}: {len(wrong)} differences:\n" + "\n".join(wrong[:20]))
    ours, theirs = exact_times(tree), exact_times(out)
    wrong = [path for path in ours if ours[path] != theirs[path]]
    check(not wrong, f"{how}: {len(wrong)} times are others: {wrong[:5]}")


def content_capture_everything(world: World):
    """What a tree with everything becomes, by wimlib after an export and by the agent's own writer."""
    tree, out = world.files / "tree", world.files / "out"
    make_everything(tree)
    with mounts(tree):
        done = capture(world, tree, "--name", "Everything")
    check(", bound by " in done.stdout, f"it does not say what it was bound by: {done.stdout}")
    say(f"captured: {done.stdout}")
    (tree / "bound file").write_bytes(b"")  # what is kept of it
    times = (tree / "bound file").parent.stat()
    package = max(item["id"] for item in world.site.ask("os-image", "list"))
    index = world.site.ask("os-image", "show", package)["indexes"][0]
    back = world.export(package, "back.wim", "--compress", "xpress")
    wim_files.wimlib("apply", back, "1", out, "--unix-data")
    for path in ("mounted", "bound"):
        check(list((out / path).iterdir()) == [], f"{path}: what is mounted there was captured")
    check((out / "bound file").stat().st_size == 0, "what is mounted on a file was captured")
    for place in (tree, out):
        for path in ("mounted", "bound", "bound file"):
            shutil.rmtree(place / path) if (place / path).is_dir() else (place / path).unlink()
        os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    check_same(tree, out, "wimlib")
    shutil.rmtree(out)
    say("wimlib verifies the export, and applies what was captured")
    manifest = max((world.folder / "state/dp/content/manifests").iterdir(), key=lambda path: path.stat().st_mtime)
    out.mkdir()
    program = Path(sys.argv[1]).resolve() / "tests/bench/bench_fetch"
    run(*world.lab.inside(world.lab.server, str(program), SOURCE, manifest.name, str(index["size_bytes"]), str(out)), timeout=300)
    for path in ("mounted", "bound", "bound file"):
        shutil.rmtree(out / path) if (out / path).is_dir() else (out / path).unlink()
    os.utime(out, ns=(times.st_atime_ns, times.st_mtime_ns))
    check_same(tree, out, "the agent")
    say("the agent applies what was captured")
    check_changed(world, tree, package)
    check_unkeepable(world, tree)


def check_changed(world: World, tree: Path, package: str):
    """A small change is little to send, whatever surrounds it."""
    (tree / "rare/added").write_text("little", encoding="utf-8")
    sent = sent_bytes(capture(world, tree, "--name", "Everything", "--update", package))
    check(sent < 3 << 20, f"{sent} bytes were sent for one small file")
    say(f"captured again with a small file more: {sent} bytes were sent")


def check_unkeepable(world: World, tree: Path):
    """What an image cannot keep is an error with its path, and nothing is added."""
    for name, make in (
        (b"not \xff UTF-8", lambda path: open(path, "wb").close()),
        (b"link", lambda path: os.symlink(b"to \xff", path)),
    ):
        path = os.path.join(os.fsencode(tree / "rare"), name)
        make(path)
        before = world.usable()
        done = subprocess.run(
            world.lab.inside(world.lab.server, *agent(world, tree, "Bad")), capture_output=True, timeout=LIMIT_S, check=False)  # fmt: skip
        check(done.returncode == 1 and b"SLW-0366" in done.stderr and b"/rare/" + name in done.stderr, f"{name}: {done.stderr}")
        check(world.usable() == before, f"{name}: it was refused, and something of it is there")
        os.unlink(path)
        say(f"refused: {name}")


def token_file(world: World) -> Path:
    """As an administrator makes it, once."""
    path = world.files / "capture.token"
    if not path.exists():
        said = world.site.cli("token", "save", path).stdout
        check(f"--token-file {path}" in said and "--pin " in said, f"the command is not said: {said}")
        check(path.stat().st_mode & 0o777 == 0o600, "others can read the token")
        check(path.read_text(encoding="utf-8").strip() not in said, "the token is shown")
        done = world.site.cli("token", "save", path, check=False)
        check(done.returncode != 0 and "SLW-0710" in done.stderr, f"it was written over: {done.stderr}")
    return path


def agent(world: World, tree: Path, name: str, *words) -> list:
    pin = (world.folder / "state/keys/pin").read_text(encoding="utf-8").strip()
    command = (world.build / "src/prog/slipway-agent", "capture", tree, "--site", f"https://{SERVER_ADDRESS}", "--pin", pin, "--name", name,
               "--token-file", token_file(world), *words)  # fmt: skip
    return [str(word) for word in command]


def packs(world: World) -> int:
    return sum(1 for path in (world.folder / "state/dp/content/packs").rglob("*") if path.is_file())


def begin(world: World, tree: Path, name: str) -> subprocess.Popen:
    """Without "ip netns exec" in between: what is signalled is the agent."""
    return subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{world.lab.server}", *agent(world, tree, name)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def wait_for(what: str, is_so, running: subprocess.Popen) -> bool:
    """False if the process ended before."""
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        check(time.monotonic() < deadline, f"{what}: not in time")
        if running.poll() is not None:
            return False
        time.sleep(0.005)
    return True


def noise(tree: Path, n_bytes: int):
    """New files, some of them large: nothing of them is in the library."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    (tree / "large").write_bytes(os.urandom(n_bytes // 2))
    for i in range(64):
        (tree / f"file {i}").write_bytes(os.urandom(n_bytes // 128))


def kill_agent(world: World, tree: Path):
    """At several moments; what was sent and is durable is not sent again, and at last there is an image."""
    noise(tree, LARGE)
    n_before = packs(world)
    n_killed = 0
    for n_packs in (1, 4, 9):
        running = begin(world, tree, "Killed")
        if wait_for("a pack", lambda n=n_packs: packs(world) >= n_before + n, running):
            running.kill()
            n_killed += 1
        running.communicate(timeout=LIMIT_S)
    check(n_killed >= 2, "the capture was over before it could be killed")
    check(world.site.ask("os-image", "list") == [], "there is an image of a capture that was killed")
    done = begin(world, tree, "Killed")
    said, errors = done.communicate(timeout=LIMIT_S)
    check(done.returncode == 0, f"the repeated capture failed: {errors}")
    sent = int(said.split(" bytes were sent")[0].split()[-1])
    check(sent < LARGE, f"all {sent} bytes were sent again")
    check_captured(world, "SLP00001", tree)
    say(f"killed {n_killed} times, then repeated: {sent} of {LARGE} bytes were left to send")


def stop_agent(world: World, tree: Path):
    """SIGTERM while it sends, and while the site imports: no image, no upload, no job."""
    uploads = world.folder / "state/dp/staging"
    noise(tree, LARGE)
    before, n_before = world.usable(), packs(world)
    images = world.site.ask("os-image", "list")
    running = begin(world, tree, "Stopped")
    check(wait_for("a pack", lambda: packs(world) > n_before, running), "it was over before it could be stopped")
    running.send_signal(signal.SIGTERM)
    _, errors = running.communicate(timeout=LIMIT_S)
    check(running.returncode == 128 + signal.SIGTERM and "stopped" in errors, f"exit {running.returncode}: {errors}")
    left = [path for path in uploads.rglob("*") if path.is_file()]
    check(world.usable() == before and not left, f"something is left of it: {left}")
    say("a capture that is stopped leaves nothing")
    running = begin(world, tree, "Stopped")
    begun = wait_for("the recipe", lambda: any(path.is_file() for path in uploads.rglob("*")), running)
    running.send_signal(signal.SIGTERM)
    said, errors = running.communicate(timeout=LIMIT_S)
    if running.returncode == 0:
        say(f"a capture was over before it could be stopped: {said}")
        return
    check(begun and running.returncode == 128 + signal.SIGTERM, f"exit {running.returncode}: {errors}")
    deadline = time.monotonic() + LIMIT_S
    while world.usable() != before or any(path.is_file() for path in uploads.rglob("*")) or world.site.ask("os-image", "list") != images:
        check(time.monotonic() < deadline, f"what the site had begun is not undone: {world.site.ask('os-image', 'list')}")
        time.sleep(0.2)
    say("an import that a stopped capture had begun is cancelled")


def role(world: World, name: str) -> int:
    """The process of a role of this site."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if f"--role={name}".encode() in words and f"--state={world.folder / 'state'}".encode() in words:
                return int(path.parent.name)
    raise LabError(f"no process of the role {name}")


def kill_dp(world: World, tree: Path):
    """The distribution point is killed while it is sent to: the capture goes on, and is whole."""
    for n_packs in (1, 3, 7, 11):
        noise(tree, LARGE)
        n_before = packs(world)
        running = begin(world, tree, f"Over {n_packs}")
        is_killed = wait_for("a pack", lambda n=n_packs, m=n_before: packs(world) >= m + n, running)
        if is_killed:
            os.kill(role(world, "dp"), signal.SIGKILL)
        said, errors = running.communicate(timeout=2 * LIMIT_S)
        check(running.returncode == 0, f"after {n_packs} packs: {said}{errors}")
        package = max(item["id"] for item in world.site.ask("os-image", "list"))
        check_captured(world, package, tree)
        say(f"{'killed' if is_killed else 'not killed: it was over'} after {n_packs} packs: {said.splitlines()[0]}")


def content_capture_kill(world: World):
    """The agent and the distribution point are killed in the middle of a capture."""
    tree = world.files / "tree"
    kill_agent(world, tree)
    stop_agent(world, tree)
    kill_dp(world, tree)


TESTS = {
    "content-capture-everything": content_capture_everything,
    "content-capture-kill": content_capture_kill,
}


if __name__ == "__main__":
    sys.exit(main(TESTS, __doc__, missing_for_lab()))
