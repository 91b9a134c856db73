#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task sequences as they are found in the world go into a site, and come out of it as they were.

usage: ts_import.py BUILD_DIR ts-import-real [--keep]

Every file is imported, validated, compared with what is stored, exported as XML, YAML and .zip, imported again from each of
them, and simulated. The files are those of tests/system/ts_samples, variants that are made of them here, and those of the folder
that SLIPWAY_TS_FOLDER names, if it does. Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import suite  # noqa: E402
from content_test import World, check, say  # noqa: E402
from lab import missing_for_lab  # noqa: E402

SAMPLES = Path(__file__).resolve().parent / "ts_samples"
SECRET_TAILS = ("password", "passwd", "pwd", "passphrase", "secret", "pin", "startupkey", "productkey")
FACTS = {
    "version": 1,
    "environment": "boot-image",
    "classes": {
        "Win32_ComputerSystem": [{"Manufacturer": "Lab Maker", "Model": "Desk 7", "TotalPhysicalMemory": 8589934592}],
        "Win32_OperatingSystem": [{"OSType": 36, "Caption": "Debian GNU/Linux 12", "Version": "12"}],
        "Win32_Battery": [],
    },
    "variables": {"_SMSTSMake": "Lab Maker", "_SMSTSModel": "Desk 7"},
}


def canonical(xml: bytes) -> str:
    return ElementTree.canonicalize(xml_data=xml.decode("utf-8"), with_comments=True)


def decode(data: bytes) -> str:
    """The text of an XML file, whatever its declaration says of the encoding."""
    for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if data.startswith(mark):
            return data.decode(name)
    return data.decode("utf-8-sig")


def without_declaration(text: str) -> str:
    text = text.lstrip()
    return text[text.index("?>") + 2 :] if text.startswith("<?xml") else text


def is_sequence_object(name: str) -> bool:
    """Not that of a package beside them."""
    return "SMS_TaskSequencePackage/" in name and name.endswith("/object.xml")


def sequences_of(data: bytes) -> list:
    """The documents in a file, by other means than ours."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = [name for name in packed.namelist() if is_sequence_object(name)]
            return [document for name in names for document in sequences_of(packed.read(name))]
    text = without_declaration(decode(data))
    root = ElementTree.fromstring(text, parser=ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    if root.tag == "sequence":
        return [text.encode()]
    found = [ElementTree.tostring(item) for item in root.iter("sequence")]
    for item in root.iter():
        inner = without_declaration((item.text or "").strip()) if isinstance(item.tag, str) else ""
        if inner.strip().startswith("<") and "<sequence" in inner:
            found.append(inner.strip().encode())
    return found


def blank(xml: bytes, is_family: bool) -> str:
    """The canonical form without what no export has: secrets, and commands that may repeat them; of sequences that came together
    without the ids of those they run, which are new ones here."""
    root = ElementTree.fromstring(xml.decode(), parser=ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    for step in root.iter():
        variables = [item for item in step.findall("defaultVarList/variable") if isinstance(item.tag, str)]
        texts = {item.get("name", ""): item.text or "" for item in variables}
        hides = texts.get("DoNotShowVariableValue", "").lower() == "true"
        has_secret = False
        for item in variables:
            name = item.get("name", "")
            if is_family and name == "OSDSubTasksequencePackageID":
                item.text = None
            if name.lower().endswith(SECRET_TAILS) or (hides and name == "VariableValue"):
                has_secret = has_secret or bool(item.text)
                item.text = None
        for action in step.findall("action") if has_secret or any(n.lower().endswith(SECRET_TAILS) for n in texts) else []:
            action.text = None
    return ElementTree.canonicalize(xml_data=ElementTree.tostring(root, encoding="unicode"), with_comments=True)


OURS = {"Name", "PackageID", "Description", "BootImageID", "TsEnabled", "Sequence", "References", "ReferencesCount", "__PATH", "__RELPATH"}


def properties_of(data: bytes) -> dict:
    """What the only instance in a file says beside what a site changes; none if there is no instance, or more than one."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = [name for name in packed.namelist() if is_sequence_object(name)]
            return properties_of(packed.read(names[0])) if len(names) == 1 else {}
    root = ElementTree.fromstring(without_declaration(decode(data)))
    if root.tag != "INSTANCE":
        return {}
    return {
        (item.tag, item.get("NAME")): "".join(ElementTree.canonicalize(xml_data=ElementTree.tostring(item, encoding="unicode")).split())
        for item in root
        if item.tag.startswith("PROPERTY") and item.get("NAME") not in OURS
    }


class Import:
    """Imports files, each under a name of its own."""

    def __init__(self, world: World):
        self.world = world
        self.site = world.site
        self.facts = world.files / "facts.json"
        self.facts.write_text(json.dumps(FACTS), encoding="utf-8")
        self.n = 0

    def export(self, sequence: str, form: str) -> bytes:
        command = self.site.command("ts", "export", sequence, "--format", form)
        return subprocess.run(command, env=self.site.env, check=True, capture_output=True, timeout=300).stdout

    def take(self, path: Path) -> dict:
        done = self.site.cli("ts", "import", path, "--output", "json", check=False)
        check(done.returncode == 0, f"{path.name}: it is not imported: {done.stdout} {done.stderr}")
        return json.loads(done.stdout)

    def again(self, name: str, data: bytes) -> dict:
        self.n += 1
        path = self.world.files / f"{self.n}-{name}"
        path.write_bytes(data)
        made = self.take(path)
        path.unlink()
        return made

    def check_validation(self, name: str, sequence: str) -> int:
        done = self.site.cli("ts", "validate", sequence, "--output", "json", check=False)
        said = json.loads(done.stdout)
        check(done.returncode == (0 if said["is_valid"] else 1), f"{name}: validate ended with {done.returncode}")
        errors = [item for item in said["diagnostics"] if item["severity"] == "error"]
        check(said["is_valid"] == (not errors), f"{name}: {said}")
        check(all(item["error_id"].startswith("SLW-") and item["message"] for item in said["diagnostics"]), f"{name}: {said}")
        return len(errors)

    def check_simulation(self, name: str, sequence: str) -> str:
        done = self.site.cli("ts", "simulate", sequence, "--facts", self.facts, "--output", "json", check=False)
        check(done.returncode in (0, 1), f"{name}: simulate ended with {done.returncode}: {done.stderr}")
        said = json.loads(done.stdout)
        check(said["outcome"] in ("succeeded", "failed"), f"{name}: {said['outcome']}")
        check(len(said["steps"]) > 0, f"{name}: no decision was made about any step")
        return f"{said['outcome']}, {said['n_run']} of {said['n_run'] + said['n_left_out']} steps would run"

    def check_one(self, name: str, sequence: str, documents: list) -> str:
        """What is stored is one of the documents of the file; and stays that in each spelling."""
        xml = self.export(sequence, "xml")
        mine = canonical(xml)
        is_family = len(documents) > 1
        check(
            any(mine == canonical(document) or blank(xml, is_family) == blank(document, is_family) for document in documents),
            f"{name}: what comes out is not what went in",
        )
        yaml = self.again("again.yaml", self.export(sequence, "yaml"))
        check(self.export(yaml["id"], "xml") == xml, f"{name}: YAML does not come back the same")
        check(b"x&amp;y" not in xml, f"{name}: a password is in the export")
        packed = self.export(sequence, "zip")
        check(zipfile.ZipFile(io.BytesIO(packed)).testzip() is None, f"{name}: the .zip is damaged")
        check(packed == self.export(sequence, "zip"), f"{name}: the .zip is another each time")
        copy = self.again("again.zip", packed)
        if len(copy["imported"]) == 1:
            check(canonical(self.export(copy["id"], "xml")) == mine, f"{name}: the .zip does not come back the same")
        self.delete(yaml)
        self.delete(copy)
        n_errors = self.check_validation(name, sequence)
        return f"{n_errors} errors; {self.check_simulation(name, sequence)}"

    def check_beside(self, path: Path, made: dict):
        """What is no part of the document: the other properties of its package, and names of what it refers to."""
        theirs = properties_of(path.read_bytes())
        ours = properties_of(self.export(made["id"], "zip"))
        lost = {key: value for key, value in theirs.items() if ours.get(key) != value}
        check(not lost, f"{path.name}: of the package is lost or another: {lost}")

    def nobody(self) -> dict:
        """Of somebody who has never logged in."""
        env = {**self.site.env, "XDG_CONFIG_HOME": str(self.world.files / "nobody"), "HOME": str(self.world.files / "nobody")}
        return {name: value for name, value in env.items() if name not in ("SLIPWAY_URL", "SLIPWAY_TOKEN", "SLIPWAY_PIN")}

    def check_without_login(self, path: Path, made: dict):
        env = self.nobody()
        command = self.site.command("ts", "validate", path, "--output", "json")
        done = subprocess.run(command, env=env, check=False, capture_output=True, timeout=300)
        said = json.loads(done.stdout)
        check(said["are_references_checked"] is False and done.returncode == (0 if said["is_valid"] else 1), f"{path.name}: {said}")
        if len(made["imported"]) == 1:
            command = self.site.command("ts", "export", path, "--format", "yaml")
            done = subprocess.run(command, env=env, check=True, capture_output=True, timeout=300)
            check(done.stdout == self.export(made["id"], "yaml"), f"{path.name}: the file converts into another document than the site's")

    def ask_file(self, *words) -> dict:
        """What the command line says by itself: there is no site."""
        command = self.site.command(*words, "--output", "json")
        return json.loads(subprocess.run(command, env=self.nobody(), check=False, capture_output=True, timeout=300).stdout)

    def check_loop(self, name: str, made: dict):
        """Export, nothing is edited, import: no difference, and no secret is lost."""
        path = self.world.files / "loop.yaml"
        path.write_bytes(self.export(made["id"], "yaml"))
        check(self.site.ask("ts", "diff", made["id"], path)["changes"] == [], f"{name}: its own export differs")
        again = self.site.ask("ts", "import", path, "--into", made["id"])
        check(again["version"] == made["version"] + 1, f"{name}: {again['version']}")
        changes = self.site.ask("ts", "diff", made["id"], "--from", made["version"])["changes"]
        check(changes == [], f"{name}: what came back differs: {changes}")
        said = [[item["error_id"], item["step"]] for item in again["diagnostics"]]
        check(said == [[item["error_id"], item["step"]] for item in made["diagnostics"]], f"{name}: other findings: {said}")

    def delete(self, made: dict):
        """Those that run others first."""
        left = list(made["imported"])
        for _ in range(len(left)):
            left = [item for item in left if self.site.cli("ts", "delete", item, check=False).returncode != 0]
        check(left == [], f"cannot be deleted: {left}")

    def check_file(self, path: Path):
        documents = sequences_of(path.read_bytes())
        made = self.take(path)
        ids = made.get("imported") or [made["id"]]
        check(len(ids) == len(documents), f"{path.name}: {len(ids)} task sequences of {len(documents)}")
        for sequence in ids:
            say(f"{path.name}: {sequence}: " + self.check_one(path.name, sequence, documents))
        shown = self.site.ask("ts", "show", made["id"])
        check(len(shown["steps"]) == made["n_steps"] and "properties" in shown, f"{path.name}: {shown['n_steps']} steps")
        self.check_beside(path, made)
        self.check_without_login(path, made)
        self.check_loop(path.name, made)
        self.delete(made)

    def refuse(self, name: str, data: bytes, what: str):
        """With the line and the column of what is wrong."""
        path = self.world.files / name
        path.write_bytes(data)
        done = self.site.cli("ts", "import", path, check=False)
        said = done.stdout + done.stderr
        check(done.returncode != 0, f"{name}: it was taken")
        check("SLW-" in said and ("line " in said.lower()) and ("column " in said.lower()), f"{name}: no place is said: {said}")
        check(what in said, f"{name}: \"{what}\" is not said: {said}")
        say(f"refused: {name}: " + said.strip().splitlines()[0])


def group(inside: str, depth: int) -> str:
    for number in range(depth, 0, -1):
        inside = f'<group name="Level {number}">{inside}</group>'
    return inside


def step(name: str, condition: str = "") -> str:
    return (
        f'<step type="SMS_TaskSequence_RunCommandLineAction" name="{name}"><action>smsswd.exe /run: true</action><defaultVarList>'
        f'<variable name="CommandLine" property="CommandLine" hidden="true">true</variable></defaultVarList>{condition}</step>'
    )


def document(inside: str, version="3.10") -> str:
    return f'<sequence version="{version}">{inside}</sequence>'


def wmi(number: int) -> str:
    return (
        '<condition><expression type="SMS_TaskSequence_WMIConditionExpression"><variable name="Namespace">root\\cimv2</variable>'
        f"<variable name=\"Query\">select * from Win32_ComputerSystem where Model like '%Model {number}%'</variable>"
        "</expression></condition>"
    )


def nest(child: str) -> str:
    return (
        '<subtasksequence type="SMS_TaskSequence_SubTasksequence" name="Run it"><defaultVarList>'
        f'<variable name="OSDSubTasksequencePackageID" property="TsPackageID">{child}</variable></defaultVarList></subtasksequence>'
    )


def instance(number: str, name: str, xml: str) -> str:
    xml = xml.replace("]]>", "]]]]><![CDATA[>")
    values = (
        ("Name", name),
        ("PackageID", number),
        ("Description", "&lt;made&gt;"),
        ("BootImageID", ""),
        ("TsEnabled", ""),
        ("Category", "Desks &amp; labs"),
        ("CustomProgressMsg", ""),
        ("Duration", "360"),
        ("OfTheYear2031", "odd"),
    )
    properties = "".join(f'<PROPERTY NAME="{key}" TYPE="string"><VALUE>{value}</VALUE></PROPERTY>' for key, value in values)
    return (
        f'<INSTANCE CLASSNAME="SMS_TaskSequencePackage">\n{properties}\n<PROPERTY NAME="Sequence" TYPE="string">\n'
        f"<VALUE><![CDATA[{xml}\n]]></VALUE></PROPERTY></INSTANCE>"
    )


def packed_family() -> bytes:
    parts = {"XYZ00003": nest("XYZ00002") + step("a"), "XYZ00002": nest("XYZ00001"), "XYZ00001": step("leaf")}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        for number, inside in parts.items():
            text = "\ufeff" + instance(number, f"Family {number}", document(inside))
            packed.writestr(f"SMS_TaskSequencePackage/{number}/object.xml", text)
            packed.writestr(f"SMS_TaskSequencePackage/{number}/ReferencesInfo.xml", "\ufeff<ArrayOfString/>")
    return data.getvalue()


def pack(sequences: dict) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, xml in sequences.items():
            packed.writestr(f"SMS_TaskSequencePackage/{number}/object.xml", instance(number, f"Name {number}", xml))
    return data.getvalue()


def doubtful(name: str) -> str:
    """A step with which something is the matter."""
    return step(name).replace("<step ", '<step timeout="soon" ')


def packed_cut() -> bytes:
    """The second of two cannot be read."""
    return pack({"XYZ00004": document(doubtful("a")), "XYZ00005": document("\n" + group(step("x"), 70))})


def variants() -> dict:
    plain = (SAMPLES / "refresh.xml").read_text(encoding="utf-8")
    bare = without_declaration(plain)
    declared = '<?xml version="1.0" encoding="utf-16"?>' + bare
    secret = step("s").replace("</defaultVarList>", '<variable name="SMSTSRunCommandLineUserPassword">x&amp;y</variable></defaultVarList>')
    return {
        "utf8-mark.xml": b"\xef\xbb\xbf" + plain.encode(),
        "utf16le-mark.xml": b"\xff\xfe" + declared.encode("utf-16-le"),
        "utf16be-mark.xml": b"\xfe\xff" + declared.encode("utf-16-be"),
        "utf16le.xml": declared.encode("utf-16-le"),
        "declares-utf16.xml": declared.encode(),
        "crlf.xml": plain.replace("\n", "\r\n").encode(),
        "one-line.xml": document(group(step("Ünïcödé €"), 6)).encode(),
        "many-conditions.xml": document("".join(step(f"Model {n}", wmi(n)) for n in range(178))).encode(),
        "deep.xml": document(group(step("down there"), 60)).encode(),
        "spaces.xml": document(step(" two  words ").replace(">true<", ">  true\n\ttrue  <")).encode(),
        "references.xml": document(step("&#x9;tab &#xA; &quot;quoted&quot; &apos;once&apos;")).encode(),
        "secret.xml": document(secret).encode(),
        "wrapper.xml": f"<SmsTaskSequencePackage><PackageID>XYZ00009</PackageID><Name>Wrapped</Name><SequenceData>{bare}</SequenceData></SmsTaskSequencePackage>".encode(),
        "object.xml": instance("XYZ00008", "Instance", bare).encode(),
        "family.zip": packed_family(),
    }


def refusals() -> dict:
    """What is told."""
    return {
        "too-deep.xml": (document("\n" + group(step("x"), 70)).encode(), "64"),
        "too-large.xml": (document("\n" + step("x").replace(">true<", ">" + "y" * (2 << 20) + "<")).encode(), "2"),
        "long-name.xml": (document("\n" + step("n" * 101)).encode(), "100"),
        "doctype.xml": (b'<!DOCTYPE sequence [<!ENTITY a "b">]>\n' + document("").encode(), "DOCTYPE"),
        "cut.xml": (document(step("x"))[:-20].encode(), ""),
        "object-cut.xml": (instance("XYZ00007", "Cut", document("\n\n<step>")).encode(), "line"),
        "packed-cut.zip": (packed_cut(), "SMS_TaskSequencePackage/XYZ00005/object.xml"),
        "large.xml": (b" " * (6 << 20) + b"<sequence/>", "6291456"),
        "html.xml": (b"<html>\n<body/></html>", "html"),
    }


def check_places(take: Import):
    """A finding in a wrapped document has the line of the file."""
    text = instance("XYZ00006", "Lines", document("\n\n\n" + step("n" * 101)))
    path = take.world.files / "lines.xml"
    path.write_text(text, encoding="utf-8")
    said = json.loads(take.site.cli("ts", "validate", path, "--output", "json", check=False).stdout)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if "nnnn" in line]
    check([item["line"] for item in said["diagnostics"] if item["severity"] == "error"][:1] == lines, f"lines.xml: {said}, not {lines}")


def check_several(take: Import):
    """Files of several, by the command line alone: of each its findings, and of the one that was asked for no others."""
    path = take.world.files / "several.zip"
    path.write_bytes(pack({"XYZ00004": document(doubtful("a")), "XYZ00005": document(doubtful("b"))}))
    said = take.ask_file("ts", "show", path, "--sequence", "XYZ00005")["diagnostics"]
    check([item["step"] for item in said] == ["b"], f"several.zip: show XYZ00005: {said}")
    said = take.ask_file("ts", "validate", path)["diagnostics"]
    found = [[item["sequence"], item["step"]] for item in said]
    check(found == [["Name XYZ00004", "a"], ["Name XYZ00005", "b"]], f"several.zip: validate: {said}")
    path.write_bytes(packed_cut())
    said = take.ask_file("ts", "validate", path)
    errors = [item for item in said["diagnostics"] if item["severity"] == "error"]
    others = [[item.get("sequence"), item["step"]] for item in said["diagnostics"] if item["severity"] != "error"]
    check(not said["is_valid"] and len(errors) == 1 and errors[0]["line"] == 5, f"several.zip: {said}")
    check(errors[0]["message"].startswith("SMS_TaskSequencePackage/XYZ00005/object.xml: "), f"several.zip: {errors}")
    check(others == [["Name XYZ00004", "a"]], f"several.zip: what is wrong in the one that can be read is not told: {said}")


def run_command(site, sequence: str, name: str, *words):
    return site.ask("ts", "step", "add", sequence, "--type", "Run Command Line", "--name", name, f"command-line=echo {name}", *words)


def check_steps(take: Import):
    """A task sequence that is made by the command line alone, and what a dry run says of it."""
    site = take.site
    made = take.again("Made here.xml", b'<sequence version="3.10"/>')["id"]
    password = take.world.files / "password"
    password.write_text("hunter2", encoding="utf-8")
    site.ask("ts", "step", "add", made, "--type", "group", "--name", "Install")
    site.ask("ts", "step", "add", made, "--type", "Set Task Sequence Variable", "--name", "Name it", "--in", "Install", "VariableName=Room", "VariableValue=B12")
    run_command(site, made, "last", "--in", "Install", "timeout=5", "success-codes=0 3010 7", "condition=Room equals B12")
    run_command(site, made, "first", "--before", "Install", "run-as=anna", f"run-as-password=@{password}", "retry=2")
    run_command(site, made, "wrong", "--after", "Install")
    site.ask("ts", "step", "move", made, "Install/last", "--before", "Install/Name it")
    site.ask("ts", "step", "move", made, "Install/last", "--in", "Install")
    site.ask("ts", "step", "set", made, "Install/last", "output-variable=Said", "continue-on-error=true")
    site.ask("ts", "copy", made, "first", "--name", "second")
    site.ask("ts", "disable", made, "second")
    site.ask("ts", "step", "remove", made, "wrong")
    site.ask("ts", "disable", made, "Install/Name it")
    site.ask("ts", "enable", made, "Install/Name it")
    shown = site.ask("ts", "show", made)
    check([item["path"] for item in shown["steps"]] == ["first", "second", "Install/Name it", "Install/last"], f"steps: {shown['steps']}")
    steps = {item.get("name"): item for item in ElementTree.fromstring(take.export(made, "xml")).iter("step")}
    check(steps["last"].get("timeout") == "300" and steps["last"].get("successCodeList") == "0 3010 7", f"last: {steps['last'].attrib}")
    check(steps["first"].get("retryCount") == "2", f"first: {steps['first'].attrib}")
    texts = {item.get("name"): item.text for item in steps["first"].iter("variable")}
    check(texts["_SMSTSRunCommandLineAsUser"] == "true" and texts["SMSTSRunCommandLineUserName"] == "anna", f"first: {texts}")
    check(not texts["SMSTSRunCommandLineUserPassword"], "the password is in the export")
    check(not [item for item in shown["diagnostics"] if item["error_id"] in ("SLW-0183", "SLW-0193")], f"{shown['diagnostics']}")
    said = site.ask("ts", "simulate", made, "--facts", take.facts, "--environment", "full-os")  # "first" has an account
    ran = [item["path"] for item in said["steps"] if item["decision"] == "run"]
    check(said["outcome"] == "succeeded" and ran == ["first", "Install/Name it", "Install/last"], f"simulated: {said}")
    notes = [item["note"] for item in site.ask("ts", "history", made)]
    check(len(notes) == 14 and notes[-1] == "imported" and all(note != "nothing changed" for note in notes), f"history: {notes}")
    site.cli("ts", "delete", made)
    say("a task sequence was made by the command line, and runs as it was meant")


def ts_import_real(world: World):
    take = Import(world)
    check_steps(take)
    folder = os.environ.get("SLIPWAY_TS_FOLDER")
    files = sorted(SAMPLES.iterdir())
    for name, data in variants().items():
        path = world.files / name
        path.write_bytes(data)
        files.append(path)
    if folder:
        files += sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in (".xml", ".zip", ".yaml"))
    for path in files:
        take.check_file(path)
    for name, (data, what) in refusals().items():
        take.refuse(name, data, what)
    check_places(take)
    check_several(take)
    say(f"{len(files)} files of task sequences came out as they went in")


TESTS = {"ts-import-real": ts_import_real}


def play(test, build: Path, name: str):
    with World(build, name, lab_name="slwt") as world:
        test(world)


if __name__ == "__main__":
    sys.exit(suite.run(TESTS, __doc__, missing_for_lab(), play, ("files", "state")))
