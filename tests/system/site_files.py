#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site as documents in files: slipway get, apply, diff, delete, export-site. No virtual machine.

usage: site_files.py BUILD_DIR site-as-files
"""

import json
import sys
from pathlib import Path

import yaml

from security_test import PASSWORD, Cli, Site, expect, run_in_namespace

SEQUENCE = """\
sequence: "3.10"
steps:
  - step: Say it
    type: SMS_TaskSequence_RunCommandLineAction
    description: ""
    runIn: WinPEandFullOS
    successCodeList: "0 3010"
    action: osdrunner.exe
    variables:
      CommandLine:
        property: CommandLine
        text: "echo %WHAT%"
"""
DOCUMENTS = """\
# What a small school has.
kind: Collection
name: Lab 1
limiting: Lab machines          # which stands further down
comment: Room 17
variable_priority: 5
windows:
  - {name: Nights, applies_to: task-sequences, schedule: {start: "2026-11-22T22:00", repeat: days, every: 1, duration_min: 300}}
rules:
  - {type: query, name: Named so, filter: "name startswith 'lab1-'"}
  - {type: direct, device: lab1-01}
  - {type: exclude, collection: Teachers}
variables:
  - {name: WHAT, value: "a lab"}
  - {name: JoinPassword, value: "secret words", is_secret: true}
---
kind: Collection
name: Lab machines
rules: [{type: query, name: Labs, filter: "name startswith 'lab'"}]
---
kind: Collection
name: Teachers
variables: [{name: OtherPassword, value: "more secret words", is_secret: true}]
---
kind: Device
name: lab1-01
mac: 52:54:00:77:00:01
smbios_uuid: 4c4c4544-0000-1000-8000-525400770001
variables: [{name: Desk, value: "1"}]
users: ['SCHOOL\\ada', 'SCHOOL\\bob']
---
kind: Device
name: lab1-02
mac: 52:54:00:77:00:02
is_blocked: true
block_reason: broken
---
- kind: Boundary
  name: Ground floor
  type: ipv4-subnet
  value: 10.77.0.0/24
- kind: BoundaryGroup
  name: Here
  boundaries: [Ground floor]
  neighbours: [{boundary_group: There, fallback_minutes: 30}]
- kind: BoundaryGroup
  name: There
  comment: The other house
  neighbours: [{boundary_group: Here, fallback_minutes: 60}]
- kind: DistributionPointGroup
  name: All of them
- kind: DuplicateHardwareId
  name: 00:00:5e:00:53:01
  comment: A dongle
- kind: SecurityScope
  name: School
  objects: [{class: task-sequence, object: Deploy}, {class: boundary-group, object: Here}]
- kind: SecurityRole
  name: Desk
  comment: Looks
  permissions: [collection.read, device.read]
- kind: Administrator
  name: ada
  grants:
    - {role: Desk, scope: School}
    - {role: Desk, collection: Lab 1}
- kind: TaskSequence
  name: Deploy
  description: Says what it is
  document: |
SEQUENCE
- kind: PhasedDeployment
  name: In two steps
  task_sequence: Deploy
  comment: First a few
  phases:
    - {name: First, collection: Lab 1, purpose: available}
    - {name: Then, collection: Teachers, purpose: available, begins: by-hand, begin_after_devices: 2}
- kind: Deployment
  task_sequence: Deploy
  collection: Lab 1
  purpose: available
  comment: For whoever wants it
  lost_contact_s: 3600
  is_run_outside_windows: true
  max_run_min: 90
  is_wake_on_lan: false
  is_progress_shown: false
  is_neighbour_allowed: false
  available_over_days: 3
"""


def states(cli: Cli, *argv, status=0):
    text = cli.run(*argv, "--output", "json", status=status)
    return {row["object"]: row["state"] for row in json.loads(text)}


def login(site: Site, name: str) -> Cli:
    site.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    cli = Cli(site, name)
    cli.run("login", cli.url, "--user", "administrator", "--password", "@-", given=PASSWORD + "\n")
    return cli


def check_apply(cli: Cli, site: Site, path: Path):
    """What is missing is created, whatever its order in the file; a second time nothing is done."""
    planned = states(cli, "apply", "--file", str(path), "--dry-run")
    expect(set(planned.values()) == {"missing"}, f"a dry run on an empty site: {planned}")
    expect(site.must("GET", "/devices")["items"] == [], "a dry run has made a device")
    done = states(cli, "apply", "-f", str(path))
    expect(set(done.values()) == {"created"}, f"applied to an empty site: {done}")
    again = states(cli, "apply", "-f", str(path))
    expect(set(again.values()) == {"same"}, f"applied twice: {again}")
    expect(set(states(cli, "diff", "-f", str(path)).values()) == {"same"}, "there is a difference at once")
    members = site.must("GET", "/collections/Lab%201")["members"]
    expect([member["name"] for member in members] == ["lab1-01", "lab1-02"], f"members: {members}")


def check_change(cli: Cli, work: Path):
    """Only what a document says is changed; lists become what they say."""
    part = work / "part.yaml"
    part.write_text(
        "kind: Collection\nname: Lab 1\ncomment: Room 18\n"
        "rules: [{type: query, name: Named so, filter: \"name startswith 'lab1'\"}]\n",
        encoding="utf-8",
    )
    told = cli.run("diff", "-f", str(part), status=1)
    for words in ('comment: "Room 17" -> "Room 18"', "rules: remove", "rules: change"):
        expect(words in told, f"{words!r} is not in {told!r}")
    expect(states(cli, "apply", "-f", str(part)) == {'Collection "Lab 1"': "changed"}, "it was not changed")
    got = yaml.safe_load(cli.run("get", "collection", "Lab 1"))
    expect(got["comment"] == "Room 18" and len(got["rules"]) == 1, f"after the change: {got}")
    expect(got["variable_priority"] == 5 and len(got["variables"]) == 2, f"what was not said has changed: {got}")
    scope = work / "scope.yaml"
    scope.write_text("kind: SecurityScope\nname: School\nobjects: [{class: task-sequence, object: Deploy}]\n", encoding="utf-8")
    expect("objects: remove" in cli.run("diff", "-f", str(scope), status=1), "what would be taken out of the scope")
    expect(states(cli, "apply", "-f", str(scope)) == {'SecurityScope "School"': "changed"}, "the scope was not changed")
    expect(states(cli, "apply", "-f", str(scope)) == {'SecurityScope "School"': "same"}, "the scope was changed twice")
    got = yaml.safe_load(cli.run("get", "SecurityScope", "School"))
    expect(got["objects"] == [{"class": "task-sequence", "object": "Deploy"}], f"what is in the scope: {got}")
    half = work / "half.yaml"
    half.write_text(
        "[{kind: Device, name: lab1-03}, {kind: Collection, name: Lab 1, rules: [{type: direct, device: nobody}]}]",
        encoding="utf-8",
    )
    told = cli.fails("apply", "-f", str(half))
    expect('slipway: Device "lab1-03": ' in told, f"which document it stopped at: {told!r}")
    half.write_text("{kind: Collection, name: Lab 1, rules: [{type: direct, device: nobody}]}", encoding="utf-8")
    told = cli.fails("apply", "-f", str(half), status=3)
    expect('slipway: Collection "Lab 1": ' in told and "nobody" in told, f"which document it stopped at: {told!r}")
    fixed = work / "fixed.yaml"
    fixed.write_text("kind: Device\nname: lab1-01\nmac: 52:54:00:77:00:09\n", encoding="utf-8")
    cli.run("apply", "-f", str(fixed), status=4)


def check_refusals(cli: Cli, work: Path):
    """What cannot be understood changes nothing, and says where and what."""
    bad = work / "bad.yaml"
    cases = {
        "kind: Collection\nname: New\n---\nkind: Collektion\nname: X\n": 'document 2: there is no kind "Collektion"',
        "kind: Collection\nname: New\ncoment: x\n": 'has no member "coment"',
        "kind: Collection\nnome: New\n": "name is missing",
        "kind: Collection\nname: New\nrules: [x]\n": "item 1 of rules is no mapping",
        "kind: Collection\nname: &a New\ncomment: *a\n": "line 2: anchors and tags",
        "kind: Collection\nname: [\n": "line 3",
        "": "there is no document",
    }
    for text, words in cases.items():
        bad.write_text(text, encoding="utf-8")
        told = cli.fails("apply", "-f", str(bad))
        expect(words in told and "bad.yaml" in told, f"{text!r}: {told!r}")
    expect(cli.run("get", "Collection", "New", status=3) == "", "something was created")
    cli.run("get", "Collektion", status=2)


def check_move(cli: Cli, site: Site, build: Path):
    """What was exported makes another site the same, but for what is secret."""
    folder = site.work / "repository"
    cli.run("export-site", "--folder", str(folder))
    text = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml"))
    expect("secret words" not in text and "JoinPassword" in text, "what is secret, or its name")
    whole = cli.run("export-site")
    expect(len(list(yaml.safe_load_all(whole))) == len(list(folder.rglob("*.yaml"))), "the folder has not all of it")
    expect(set(states(cli, "diff", "-f", str(folder)).values()) == {"same"}, "the export differs from its site")
    site.stop()  # two would want the same ports
    with Site(build) as other:
        other.first_login()
        there = login(other, "there")
        done = states(there, "apply", "-f", str(folder), status=7)
        expect(done.get('Collection "Lab 1"') == "created", f"what was done before it stopped is not told: {done}")
        told = there.fails("apply", "-f", str(folder), status=4)
        expect("JoinPassword" in told and "SLW-0715" in told, f"the missing secret: {told!r}")
        expect("OtherPassword" in told and told.count("SLW-0715") == 2, f"every missing secret: {told!r}")
        there.run("admin", "show", "ada")
        expect(there.json("deployment", "list") == [], "something is deployed without its secrets")
        there.run("collection", "variable", "set", "Teachers", "OtherPassword=@-", "--secret", given="another")
        there.run("collection", "variable", "set", "Lab 1", "JoinPassword=@-", "--secret", given="other")
        there.run("apply", "-f", str(folder))
        left = states(there, "diff", "-f", str(folder))
        expect(set(left.values()) == {"same"}, f"the other site: {left}")
        expect(there.run("export-site") == whole, "the other site's export is another one")
    site.start()


def check_alike(cli: Cli, folder: Path):
    """Deployments of one task sequence to one collection: an export of them is applied to a site without them, and to that with them."""
    same = ("deployment", "create", "--task-sequence", "Deploy", "--collection", "Lab 1")
    cli.run(*same, "--purpose", "available")
    cli.run(*same, "--purpose", "available")
    cli.run(*same, "--purpose", "required", "--comment", "Each night", "--available-from", "2030-01-01T00:00")
    expect("SLW-0712" not in cli.fails("export-site", "--folder", str(folder), status=0), "they are told apart")
    expect(set(states(cli, "diff", "-f", str(folder)).values()) == {"same"}, "four alike differ from their site")
    before = [one["id"] for one in cli.json("deployment", "list") if not one["phased_deployment_id"]]
    file = next(one for one in (folder / "Deployment").iterdir() if "Each night" in one.read_text(encoding="utf-8"))
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "priority: high\n" if "priority:" not in text else text.replace("priority: normal", "priority: high"), encoding="utf-8")
    cli.run("apply", "-f", str(folder))
    after = {one["id"]: one for one in cli.json("deployment", "list") if not one["phased_deployment_id"]}
    expect(list(after) == before, f"another one was made: {before} {list(after)}")
    expect([one["comment"] for one in after.values() if one["priority"] == "high"] == ["Each night"], f"another one was changed: {after}")
    for ident in before:
        cli.run("deployment", "delete", ident)
    cli.run("apply", "-f", str(folder))
    made = [one["purpose"] for one in cli.json("deployment", "list") if not one["phased_deployment_id"]]
    expect(sorted(made) == ["available"] * 3 + ["required"], f"made anew: {made}")
    expect(set(states(cli, "diff", "-f", str(folder)).values()) == {"same"}, "what was made anew differs")


def check_export_again(cli: Cli, site: Site):
    """What was deleted at the site is not brought back by a former export."""
    folder = site.work / "again"
    cli.run("export-site", "--folder", str(folder))
    expect((folder / "Deployment" / "Deploy-Lab-1.yaml").is_file(), "the deployment was not exported")
    check_alike(cli, folder)
    for one in cli.json("deployment", "list"):
        if not one["phased_deployment_id"]:
            cli.run("deployment", "delete", one["id"])
    cli.run("export-site", "--folder", str(folder))
    expect(not list((folder / "Deployment").iterdir()), "a deleted deployment is still in the folder")
    expect(set(states(cli, "apply", "-f", str(folder)).values()) == {"same"}, "applied after the export")
    (folder / "Deployment" / "by-hand.yml").write_text("kind: Deployment\n", encoding="utf-8")
    told = cli.fails("export-site", "--folder", str(folder), status=4)
    expect("SLW-0719" in told and "Deployment/by-hand.yml" in told, f"another's document: {told!r}")


def check_delete(cli: Cli, path: Path):
    cli.run("deployment", "delete", cli.json("deployment", "list")[0]["id"])
    done = states(cli, "delete", "-f", str(path))
    expect(done['Collection "Lab 1"'] == "deleted" and done['Device "lab1-01"'] == "deleted", f"{done}")
    expect(set(states(cli, "diff", "-f", str(path), status=1).values()) == {"missing"}, "something is left")


def site_as_files(site: Site):
    cli = login(site, "chief")
    path = site.work / "school.yaml"
    text = DOCUMENTS.replace("SEQUENCE", "".join(f"    {line}\n" for line in SEQUENCE.splitlines())[:-1])
    path.write_text(text, encoding="utf-8")
    check_apply(cli, site, path)
    check_change(cli, site.work)
    check_refusals(cli, site.work)
    check_move(cli, site, Path(sys.argv[1]).resolve())
    check_export_again(cli, site)
    check_delete(cli, path)


TESTS = {"site-as-files": site_as_files}

if __name__ == "__main__":
    sys.exit(run_in_namespace(TESTS[sys.argv[2]]))
