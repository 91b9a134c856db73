# SPDX-License-Identifier: GPL-3.0-or-later
"""Network folders for machines under test, from the real servers."""

from pathlib import Path

from lab import SERVER_ADDRESS, run

PASSWORD = "S3cret,pass"


def start_folders(world) -> Path:
    """A Samba and two NFS servers beside the site: \\\\SERVER\\files for root, SERVER:/export, and nfs://SERVER:2050/old of one that knows no
    version but 3."""
    base = world.folder / "folders"
    for name in ("files", "export", "old", "run", "run-old"):
        (base / name).mkdir(parents=True)
    for name in ("files", "export", "old"):
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
    world.smb_server = start_smb(world, base)
    command_line = ("ganesha.nfsd", "-F", "-f", str(ganesha), "-L", f"{base}/ganesha.log", "-p", f"{base}/run/ganesha.pid")
    world.lab.start("ganesha", world.lab.inside(server, *command_line))
    start_old_server(world, base)
    return base


def start_smb(world, base: Path):
    """Whoever ends it ends its connections with it: they are processes of their own."""
    isolated = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    return world.lab.start("smbd", world.lab.inside(world.lab.server, *isolated, "smbd", "--foreground", "--no-process-group", "-s", str(base / "smb.conf")))


def start_old_server(world, base: Path):
    """Version 3 has further services, which a port mapper knows. The two find one another in /run: they have one of their own."""
    ganesha = base / "ganesha-old.conf"
    ganesha.write_text(
        "NFS_CORE_PARAM { Protocols = 3; NFS_Port = 2050; MNT_Port = 20048; Enable_NLM = false; Enable_RQUOTA = false;"
        " Mount_Path_Pseudo = true; }\n"
        f"EXPORT {{ Export_Id = 1; Path = {base}/old; Pseudo = /old; Access_Type = RW; Squash = No_Root_Squash;"
        f" SecType = sys; Protocols = 3; Transports = TCP; FSAL {{ Name = VFS; }} }}\n",
        encoding="utf-8",
    )
    ganesha_line = f"ganesha.nfsd -F -f {ganesha} -L {base}/ganesha-old.log -p {base}/run-old/ganesha.pid"
    script = f"mount -t tmpfs tmpfs /run && rpcbind -w && exec {ganesha_line}"
    # Whoever ends the first process of these ends them all.
    isolated = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script)
    world.lab.start("ganesha-old", world.lab.inside(world.lab.server, *isolated))
