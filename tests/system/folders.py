# SPDX-License-Identifier: GPL-3.0-or-later
"""Network folders for machines under test, from the real servers."""

from pathlib import Path

from lab import SERVER_ADDRESS, run

PASSWORD = "S3cret,pass"


def start_folders(world) -> Path:
    """A Samba and an NFS server beside the site: \\\\SERVER\\files for root, and SERVER:/export."""
    base = world.folder / "folders"
    for name in ("files", "export", "run"):
        (base / name).mkdir(parents=True)
    for name in ("files", "export"):
        (base / name / "hello").write_text("hello\n", encoding="utf-8")
    smb = base / "smb.conf"
    places = "".join(f"{kind} = {base}/run\n" for kind in ("private dir", "lock directory", "state directory", "cache directory", "pid directory"))
    smb.write_text(
        f"[global]\nserver role = standalone server\ninterfaces = {SERVER_ADDRESS}/16\nbind interfaces only = yes\n"
        f"disable netbios = yes\nsmb ports = 445\n{places}ncalrpc dir = {base}/run/ncalrpc\nlog file = {base}/smbd.log\n"
        f"passdb backend = tdbsam:{base}/run/passdb.tdb\n[files]\npath = {base}/files\nread only = no\nforce user = root\n",
        encoding="utf-8",
    )
    run("pdbedit", "-s", smb, "-a", "-u", "root", "-t", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    ganesha = base / "ganesha.conf"
    ganesha.write_text(
        f"NFS_CORE_PARAM {{ Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; }}\n"
        f"NFSv4 {{ Graceless = true; Minor_Versions = 0; RecoveryBackend = fs; RecoveryRoot = {base}/run; }}\n"
        f"EXPORT {{ Export_Id = 1; Path = {base}/export; Pseudo = /export; Access_Type = RW; Squash = No_Root_Squash;"
        f" SecType = sys; Protocols = 4; Transports = TCP; FSAL {{ Name = VFS; }} }}\n",
        encoding="utf-8",
    )
    server = world.lab.server
    world.lab.start("smbd", world.lab.inside(server, "smbd", "--foreground", "--no-process-group", "-s", str(smb)))
    command_line = ("ganesha.nfsd", "-F", "-f", str(ganesha), "-L", f"{base}/ganesha.log", "-p", f"{base}/run/ganesha.pid")
    world.lab.start("ganesha", world.lab.inside(server, *command_line))
    return base
