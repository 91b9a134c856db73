# SPDX-License-Identifier: GPL-3.0-or-later
"""Capturing a tree into the library, through nginx as from another computer, beside a WIM file of the same tree."""

import shutil

from library import Server, inside
from lab import SERVER_ADDRESS
from measure import Cost, Row, timed
from trees import LIMIT_S

MIB = 1 << 20


def capture(server: Server, tree, *words) -> Cost:
    """slipway-agent capture; the processor time is the agent's alone, the wall time has the server's in it."""
    token = server.folder / "token"
    if not token.exists():
        server.site.log_in()
        server.site.cli("token", "save", token)
    pin = (server.folder / "state/keys/pin").read_text(encoding="utf-8").strip()
    return timed(server.programs / "src/prog/slipway-agent", "capture", tree, "--site", f"https://{SERVER_ADDRESS}", "--pin", pin,
                 "--name", "Captured", "--token-file", token, *words, timeout=LIMIT_S, inside=inside(server.lab.server))


def sent_bytes(cost: Cost) -> int:
    return int(cost.out.split(" bytes were sent")[0].split()[-1])


def stages(cost: Cost) -> str:
    """What the agent says it was bound by."""
    return next(line for line in cost.out.splitlines() if ", bound by " in line)


def measure_capture(bench):
    """Tree a into an empty library, then tree b as the next content version; each beside wimlib, which uses all processors."""
    found = {}
    with Server(bench.build, bench.folder / "capture", name="slwbk") as server:
        for which, words in (("a", ()), ("b", ("--update", "SLP00001"))):
            wim = bench.folder / "captured.wim"
            found[which] = capture(server, bench.trees.tree(which), *words)
            peer = timed("wimlib-imagex", "capture", bench.trees.tree(which), wim, which, "--unix-data", "--compress=LZX", timeout=LIMIT_S)
            size = wim.stat().st_size
            wim.unlink()
            yield Row(f"capture: {'first version' if which == 'a' else 'second version'}, wimlib-imagex capture --compress=LZX",
                      f"{found[which].wall_s:.1f} s, {sent_bytes(found[which]) / 1e6:.1f} MB sent",
                      f"{peer.wall_s:.1f} s, {size / 1e6:.1f} MB", peer.wall_s / found[which].wall_s, 4.0,
                      why=f"processor time of the agent {found[which].cpu_s:.1f} s, of wimlib {peer.cpu_s:.1f} s; {stages(found[which])}; "
                          f"memory {found[which].peak_bytes / MIB:.0f} MiB")
    shutil.rmtree(bench.folder / "capture", ignore_errors=True)
