-- SPDX-License-Identifier: GPL-3.0-or-later

-- What an administrator is granted (docs/security-roles.md), joined to every statement that finds, lists or shows something.
-- It is here and nowhere else. :principal is '' where the site acts by itself, for a device or for a role.

-- macro: granted(class, verb)
SELECT 1 FROM administrator_grant ag JOIN security_role_permission rp ON rp.role_id = ag.role_id
WHERE ag.administrator_id = :principal AND rp.class IN ('*', $class) AND rp.verb IN ('*', $verb)

-- Without regard to any object: what belongs to the whole site, and the short way for those who may everything.
-- macro: may_all(class, verb)
(:principal = '' OR EXISTS (@granted($class, $verb) AND ag.target_id = 'SLP00ALL'))

-- An object with security scopes; one without any is in the scope Default.
-- macro: may(class, verb, id)
(@may_all($class, $verb) OR EXISTS (@granted($class, $verb)
AND (ag.target_id IN (SELECT so.scope_id FROM security_scope_object so WHERE so.object_id = $id)
OR (ag.target_id = 'SLP00UNA' AND NOT EXISTS (SELECT 1 FROM security_scope_object so WHERE so.object_id = $id)))))

-- A collection (its id), by itself.
-- macro: may_collection(class, verb, id)
(@may_all($class, $verb) OR EXISTS (@granted($class, $verb) AND ag.target_id = $id))

-- A device (a row of the table device), by the collections that it is a member of.
-- macro: may_device(class, verb, device)
(@may_all($class, $verb) OR EXISTS (@granted($class, $verb) AND EXISTS (SELECT 1 FROM collection_member gm
WHERE gm.collection_id = ag.target_id AND gm.device_id = $device.id)))

-- What filters look at, of a row of the table device. In the order of device_properties (src/site/device_facts.c), those with
-- several values left out.
-- macro: facts(device)
$device.id, $device.name, NULL, $device.smbios_uuid, $device.serial, $device.manufacturer, $device.model, $device.asset_tag,
$device.firmware, $device.arch, $device.secure_boot, $device.tpm, $device.cpu, $device.n_cpus, $device.memory_bytes,
$device.n_disks, $device.disk_bytes, NULL, NULL, $device.agent_version, $device.is_imported, $device.is_unknown,
$device.is_blocked, $device.created_us, $device.seen_us
