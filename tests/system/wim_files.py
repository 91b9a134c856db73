# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees to capture, WIM files of every kind made of them by wimlib's own program, and files that no program makes."""

import contextlib
import hashlib
import os
import random
import shutil
import struct
import subprocess
from pathlib import Path

from lab import LabError, run

HEADER_TABLE = 48  # where the header says where the table of blobs lies
HEADER_XML = 72
ENTRY_BYTES = 50  # of the table
SIZE_MASK = (1 << 56) - 1
METADATA = 0x02

# What an NTFS volume keeps of a file and no other file system does, in the words of ntfs-3g.
MOUNT_POINT_TAG = 0xA0000003
SYMLINK_TAG = 0xA000000C
ATTRIBUTE_COMPRESSED = 0x800
ATTRIBUTE_HIDDEN = 0x22


def wimlib(*words) -> str:
    return run("wimlib-imagex", *words, timeout=300).stdout


def make_tree(root: Path, n_files=150):
    """Everything a Linux file system keeps: owners, modes, links, devices, times, attributes, long and strange names."""
    noise = random.Random(7)
    for i in range(n_files):
        folder = root.joinpath(f"folder {i % 12}", *["d"] * (i % 3))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"file-{i}"
        path.write_bytes(noise.randbytes(noise.randrange(90000)) if i % 2 else b"text %d\n" % i * noise.randrange(4000))
        os.chmod(path, noise.choice((0o644, 0o600, 0o755, 0o4755, 0o2711)))
        os.chown(path, noise.randrange(70000), noise.randrange(70000))
        os.utime(path, ns=(10**18 + i * 12345678900, 10**18 + i * 98765432100))
    special = root / "special"
    special.mkdir(mode=0o1777)
    (special / "empty").touch()
    (special / ("long name " + "x" * 200)).write_text("long", encoding="utf-8")
    (special / "\u00fcml\u00e4ut \u65e5\u672c").write_text("name", encoding="utf-8")
    (special / "sparse").write_bytes(b"")
    os.truncate(special / "sparse", 3 * 1024 * 1024)
    os.symlink("../folder 0", special / "relative link")
    os.symlink("/nowhere/at/all", special / "absolute link")
    os.link(special / "empty", special / "second name")
    os.link(root / "folder 3/file-15", special / "another name")
    os.mkfifo(special / "pipe", 0o620)
    os.mknod(special / "device", 0o600 | 0o020000, os.makedev(1, 3))
    os.setxattr(root / "folder 3/file-15", "user.note", b"of the user")
    os.setxattr(root / "folder 0", "trusted.note", b"\0binary\xff")
    (special / "empty folder").mkdir()


def make_kinds(tree: Path, folder: Path) -> dict:
    """One image in files of every kind: name -> path."""
    kinds = {
        "none": ("--compress=none",),
        "xpress": ("--compress=xpress", "--check"),
        "lzx": ("--compress=lzx",),
        "lzms": ("--compress=lzms",),
        "solid-lzms": ("--solid",),
        "solid-lzx": ("--solid", "--solid-compress=lzx"),
        "pipable-lzx": ("--compress=lzx", "--pipable"),
    }
    files = {name: folder / f"{name}.wim" for name in kinds}
    for name, options in kinds.items():
        if name == "none":
            wimlib("capture", tree, files[name], "Tree", "A tree", "--unix-data", *options)
        else:
            wimlib("export", files["none"], "1", files[name], *options)
    wimlib("split", files["lzx"], folder / "split.swm", "1")
    files["split"] = folder / "split.swm"
    if not (folder / "split3.swm").exists():
        raise LabError("the image was not split into three parts or more")
    return files


def add_second_image(wim: Path, tree: Path):
    """An image that says it is of Windows."""
    windows = tree / "Windows/System32"
    windows.mkdir(parents=True)
    (windows / "ntoskrnl.exe").write_bytes(b"MZ")
    properties = {
        "WINDOWS/ARCH": "9",
        "WINDOWS/EDITIONID": "ServerStandard",
        "WINDOWS/LANGUAGES/LANGUAGE[1]": "de-DE",
        "WINDOWS/LANGUAGES/LANGUAGE[2]": "en-US",
        "WINDOWS/LANGUAGES/DEFAULT": "en-US",
        "WINDOWS/VERSION/MAJOR": "10",
        "WINDOWS/VERSION/MINOR": "0",
        "WINDOWS/VERSION/BUILD": "20348",
        "WINDOWS/VERSION/SPBUILD": "1129",
    }
    wimlib("append", tree, wim, "Server", *(f"--image-property={k}={v}" for k, v in properties.items()))


def place(data: bytes, at: int) -> tuple:
    """Offset and stored size of a resource."""
    size, offset = struct.unpack_from("<QQ", data, at)
    return offset, size & SIZE_MASK


def metadata_entry(data: bytes) -> int:
    """Where the table of blobs has the metadata."""
    table, size = place(data, HEADER_TABLE)
    for at in range(table, table + size, ENTRY_BYTES):
        if data[at + 7] & METADATA:
            return at
    raise LabError("the file has no metadata")


def rename_inside(wim: Path, old: str, new: str):
    """Another name in the metadata of an uncompressed file, with the hash that it needs."""
    data = bytearray(wim.read_bytes())
    entry = metadata_entry(data)
    offset, size = place(data, entry)
    at = data.index(old.encode("utf-16-le"), offset, offset + size)
    data[at : at + 2 * len(old)] = new.encode("utf-16-le")
    data[entry + 30 : entry + 50] = hashlib.sha1(data[offset : offset + size]).digest()
    wim.write_bytes(data)


def replace_xml(wim: Path, xml: str):
    data = bytearray(wim.read_bytes())
    text = b"\xff\xfe" + xml.encode("utf-16-le")
    struct.pack_into("<QQQ", data, HEADER_XML, len(text) | METADATA << 56, len(data), len(text))
    wim.write_bytes(data + text)


def make_hostile(files: dict, folder: Path) -> dict:
    """Files that must not be imported: name -> (path, error id)."""
    good = files["lzx"].read_bytes()
    out = {}

    def put(name: str, data: bytes, error_id="SLW-0304") -> Path:
        path = folder / f"{name}.wim"
        path.write_bytes(data)
        out[name] = (path, error_id)
        return path

    put("text", b"This is no WIM file.\n" * 1000)
    put("header-only", good[:208])
    put("truncated", good[: len(good) // 2])
    put("end-missing", good[:-1])
    put("content-damaged", good[:5000] + bytes(byte ^ 0x55 for byte in good[5000:5100]) + good[5100:])
    huge = struct.pack("<QQQ", SIZE_MASK | METADATA << 56, place(good, HEADER_TABLE)[0], SIZE_MASK)
    put("table-is-huge", good[:HEADER_TABLE] + huge + good[HEADER_TABLE + len(huge) :])
    replace_xml(put("xml-is-none", good), "<WIM><IMAGE INDEX='1'>")
    replace_xml(put("encrypted", good, "SLW-0322"), "<WIM><ESD><ENCRYPTED/></ESD><IMAGE INDEX='1'/></WIM>")
    second = folder / "second-damaged.wim"
    shutil.copy(files["lzx"], second)
    extra = folder / "extra"
    extra.mkdir()
    (extra / "of the second image").write_bytes(random.Random(1).randbytes(50000))
    wimlib("append", extra, second, "Second", "--rebuild")
    at = second.read_bytes().index((extra / "of the second image").read_bytes()[:1000])
    put("second-damaged", second.read_bytes()[: at + 500] + b"damage" + second.read_bytes()[at + 506 :])
    tree = folder / "hostile-tree"
    (tree / "ab").mkdir(parents=True)
    (tree / "ab/passwd").write_text("root::0:0\n", encoding="utf-8")
    (tree / "cd").mkdir()
    for name, old, new in (("dotdot", "ab", ".."), ("slash", "ab", "a/"), ("twice", "ab", "cd")):
        path = put(name, b"")
        wimlib("capture", tree, path, "--compress=none", "--no-acls")
        rename_inside(path, old, new)
    shutil.copy(folder / "split.swm", folder / "lost.swm")
    out["part-missing"] = (folder / "lost.swm", "SLW-0321")
    out["not-the-first-part"] = (folder / "split2.swm", "SLW-0321")
    for name in ("split.swm", "split2.swm", "split3.swm"):
        shutil.copy(folder / name, folder / name.replace("split", "mixed"))
    wimlib("split", files["xpress"], folder / "other.swm", "1")
    shutil.copy(folder / "other2.swm", folder / "mixed2.swm")
    out["part-of-another"] = (folder / "mixed.swm", "SLW-0321")
    out["missing"] = (folder / "no-such-file.wim", "SLW-0320")
    out["folder"] = (folder, "SLW-0304")
    return out


@contextlib.contextmanager
def ntfs(volume: Path, mount: Path):
    mount.mkdir(exist_ok=True)
    run("ntfs-3g", "-o", "streams_interface=xattr", volume, mount)
    try:
        yield mount
    finally:
        run("umount", mount)


def make_ntfs(volume: Path, megabytes=40):
    volume.write_bytes(b"")
    os.truncate(volume, megabytes * 1024 * 1024)
    run("mkntfs", "-F", "-Q", "-q", volume)


def symlink_data(target: str) -> bytes:
    name = target.encode("utf-16-le")
    names = struct.pack("<HHHHI", 0, len(name), len(name), len(name), 1) + name + name
    return struct.pack("<IHH", SYMLINK_TAG, len(names), 0) + names


def security_of_nobody() -> bytes:
    """A security descriptor: of the administrators, an access list without entries."""
    administrators = struct.pack("<BB6sII", 1, 2, b"\0\0\0\0\0\5", 32, 544)
    header = struct.pack("<BBHIIII", 1, 0, 0x8004, 20, 36, 0, 52)
    return header + administrators * 2 + struct.pack("<BBHHH", 2, 0, 8, 0, 0)


def fill_ntfs(root: Path):
    """Streams, short names, attributes, security descriptors, reparse points, hard links, times."""
    (root / "Program Files/Vendor").mkdir(parents=True)
    for i in range(60):
        (root / f"Program Files/Vendor/library {i}.dll").write_bytes(random.Random(i).randbytes(3000 * (i % 9)))
    file = root / "Program Files/Vendor/A rather long name.exe"
    file.write_bytes(b"MZ" * 3000)
    os.setxattr(file, "user.Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n")
    os.setxattr(file, "user.note", b"x" * 5000)
    os.setxattr(root / "Program Files", "system.ntfs_dos_name", b"PROGRA~1")
    os.setxattr(file, "system.ntfs_dos_name", b"ARATHE~1.EXE")
    os.setxattr(file, "system.ntfs_attrib_be", struct.pack(">I", ATTRIBUTE_HIDDEN))
    os.setxattr(root / "Program Files/Vendor/library 3.dll", "system.ntfs_acl", security_of_nobody())
    os.link(file, root / "second name.exe")
    link = root / "link to it"
    link.touch()
    os.setxattr(link, "system.ntfs_reparse_data", symlink_data("second name.exe"))
    for path in (file, root / "Program Files"):
        os.setxattr(path, "system.ntfs_times_be", struct.pack(">QQQ", *(126227808000000000 + i * 10**7 for i in range(3))))


def mount_point_data(target: str) -> bytes:
    name = ("\\??\\" + target).encode("utf-16-le")
    shown = target.encode("utf-16-le")
    data = struct.pack("<HHHH", 0, len(name), len(name) + 2, len(shown)) + name + b"\0\0" + shown + b"\0\0"
    return struct.pack("<IHH", MOUNT_POINT_TAG, len(data), 0) + data


def fill_rare(root: Path):
    """What Windows has less often: compression, holes, streams of folders, names that differ by case or that it refuses."""
    packed = root / "Packed"
    packed.mkdir()
    os.setxattr(packed, "system.ntfs_attrib_be", struct.pack(">I", ATTRIBUTE_COMPRESSED))
    (packed / "text").write_bytes(b"the same words again " * 20000)
    (packed / "noise").write_bytes(random.Random(1).randbytes(200000))
    with open(root / "holes", "wb") as file:
        file.seek(1 << 20)
        file.write(b"x" * 70000)
        file.truncate(3 << 20)
    for number, path in enumerate((root, packed, root / "Program Files/Vendor/library 5.dll")):
        os.setxattr(path, "user.stream", random.Random(number).randbytes(3000 * (number + 1)))
        os.setxattr(path, "user.without anything", b"")
        if number > 0:
            os.setxattr(path, "system.ntfs_object_id", bytes([number]) * 16)
    names = root / "names"
    names.mkdir()
    for name in ("a", "A", "File", "FILE", "con", "aux.txt", "dot.", "space ", "a:b", "star*", "ä", "😀", "x" * 255):
        (names / name).write_bytes(name.encode())
        os.link(names / name, root / f"link to {len(name.encode())} {ord(name[0])} {ord(name[-1])}")
    for number in range(40):
        path = root / "Program Files" / f"Document number {number}.text"
        path.write_bytes(b"d" * number)
        os.setxattr(path, "system.ntfs_dos_name", f"DOCUME~{number}.TEX"[-12:].encode())
    (root / "readme.txt").touch()
    os.setxattr(root / "readme.txt", "system.ntfs_dos_name", b"README.TXT")
    junction = root / "junction"
    junction.mkdir()
    os.setxattr(junction, "system.ntfs_reparse_data", mount_point_data("C:\\Program Files"))
    (root / "somebody's").touch()
    os.setxattr(root / "somebody's", "system.ntfs_reparse_data", struct.pack("<IHH", 0x123, 5, 7) + bytes(16) + b"hello")
    for attributes in (0x1, 0x4, 0x20, 0x2000, 0x2027, 0x1000, 0x100):
        (root / f"attributes {attributes:x}").write_bytes(b"few")
        os.setxattr(root / f"attributes {attributes:x}", "system.ntfs_attrib_be", struct.pack(">I", attributes))
    (root / "large").write_bytes(random.Random(3).randbytes(3 << 20))
    (root / "as large").write_bytes(random.Random(3).randbytes(3 << 20))


def listing(wim: Path, index=1) -> str:
    """What wimlib's program says of an image, without where things lie in the file."""
    skip = ("Compressed size", "Offset in WIM", "Part Number", "Flags", "Solid ", "Reference Count")
    lines = wimlib("dir", wim, index, "--detailed").splitlines()
    return "\n".join(line for line in lines if not line.startswith(skip))


def facts(wim: Path) -> list:
    """What a file says about its images, without what is about the file."""
    own = ("Path:", "GUID:", "Size:")
    return [line for line in wimlib("info", wim).splitlines() if not line.startswith(own)]


def verify(wim: Path):
    done = subprocess.run(["wimlib-imagex", "verify", str(wim)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"wimlib-imagex verify: {done.stdout}{done.stderr}")
