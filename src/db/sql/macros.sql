-- SPDX-License-Identifier: GPL-3.0-or-later

-- What an administrator is granted (docs/security-roles.md), joined to every statement that finds, lists or shows something.
-- It is here and nowhere else. :principal is '' where the site acts by itself, for a device or for a role.

-- Himself, and the groups of a directory that he is in; their ids.
-- macro: selves()
(SELECT :principal UNION ALL SELECT sm.group_id FROM administrator_member sm JOIN administrator sa ON sa.id = sm.group_id
WHERE sm.administrator_id = :principal AND sa.is_disabled = 0)

-- macro: granted(class, verb)
SELECT 1 FROM administrator_grant ag JOIN security_role_permission rp ON rp.role_id = ag.role_id
WHERE ag.administrator_id IN @selves() AND rp.class IN ('*', $class) AND rp.verb IN ('*', $verb)

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
$device.is_blocked, $device.created_us, $device.seen_us, $device.tpm_key

-- How an order (a row of the table orders) stands, and in which category its device is; docs/monitoring.md.
-- macro: is_unfit(o)
($o.state = 'failed' AND $o.is_cancelled = 0 AND coalesce($o.error_id, '') IN ('SLW-0441', 'SLW-0458'))

-- macro: order_state(o)
CASE WHEN $o.is_cancelled <> 0 THEN 'cancelled' WHEN @is_unfit($o) THEN 'requirements-not-met'
WHEN $o.state <> 'in-progress' THEN $o.state WHEN $o.is_paused <> 0 THEN 'paused' WHEN $o.is_restarting <> 0 THEN 'restarting' ELSE $o.state END

-- macro: order_category(o)
CASE WHEN $o.state = 'in-progress' THEN 'in-progress' WHEN $o.state = 'succeeded' THEN 'success'
WHEN @is_unfit($o) THEN 'requirements-not-met' ELSE 'error' END

-- The last order of its device under its deployment.
-- macro: is_latest(o)
NOT EXISTS (SELECT 1 FROM orders lo WHERE lo.deployment_id = $o.deployment_id AND lo.device_id = $o.device_id
AND (lo.created_us > $o.created_us OR (lo.created_us = $o.created_us AND lo.id > $o.id)))

-- The columns of one device of a deployment: x is who (device_id, order_id, category), v the device, o its latest order or NULL.
-- macro: deployment_device_columns()
v.id AS id, v.id AS device_id, v.name AS device_name,
coalesce((SELECT min(mac) FROM device_mac a WHERE a.device_id = v.id), '') AS mac, x.category,
CASE WHEN o.id IS NULL THEN 'waiting' WHEN o.is_cancelled <> 0 THEN 'cancelled' WHEN o.state <> 'in-progress' THEN o.state
WHEN o.is_paused <> 0 THEN 'paused' WHEN o.is_restarting <> 0 THEN 'restarting' ELSE o.state END AS state,
coalesce(o.is_debug, 0) AS "is_debug", coalesce(o.wish, 'run') AS wish, o.pause_until_us AS "pause_until:time",
coalesce(o.environment, '') AS environment, coalesce(o.attempt, 0) AS attempt, coalesce(o.step, 0) AS step,
coalesce(o.n_steps, 0) AS n_steps, coalesce(o.step_name, '') AS step_name, coalesce(o.percent, 0) AS percent,
coalesce(o.rate_bytes_per_s, 0) AS rate_bytes_per_s,
coalesce(o.downloaded_bytes, 0) AS downloaded_bytes, coalesce(o.reused_bytes, 0) AS reused_bytes, o.error_id, o.exit_code,
CASE o.state WHEN 'failed' THEN o.message END AS cause, o.started_us AS "started_at",
coalesce(o.step_group, '') AS step_group,
CASE WHEN o.n_steps > 0 THEN format('%s of %s', min(coalesce(o.step, 0) + 1, o.n_steps), o.n_steps) ELSE '' END AS position,
CASE o.state WHEN 'in-progress' THEN coalesce(o.message, '') ELSE '' END AS activity,
o.ended_us AS "finished_at", o.heard_us AS "last_status_at", o.id AS "order_id"

-- A deployment (its id), by its collection.
-- macro: may_deployment(id)
EXISTS (SELECT 1 FROM deployment pd WHERE pd.id = $id AND @may_collection('deployment', 'read', pd.collection_id))

-- A phased deployment (its id), by the collections of all of its phases.
-- macro: may_phased(class, verb, id)
(EXISTS (SELECT 1 FROM phase fp WHERE fp.phased_deployment_id = $id) AND NOT EXISTS (SELECT 1 FROM phase fp
WHERE fp.phased_deployment_id = $id AND NOT @may_collection($class, $verb, fp.collection_id)))

-- A phased deployment (a row of its table): how its next phase stands.
-- macro: phased_state(f)
coalesce((SELECT iif($f.is_suspended = 1, 'suspended', sp.state) FROM phase sp WHERE sp.phased_deployment_id = $f.id AND sp.state <> 'begun'
ORDER BY sp.number LIMIT 1), 'all-begun')

-- The phased deployment that a deployment (a row of its table) is a phase of, or NULL.
-- macro: phased_of(d)
(SELECT dp.phased_deployment_id FROM phase dp JOIN phased_deployment df ON df.id = dp.phased_deployment_id
WHERE dp.deployment_id = $d.id AND df.deleted_us IS NULL AND @may_phased('deployment', 'read', df.id))

-- The counts of the deployment that a phase has made (d, u) to the collection c, and whether devices may begin it.
-- macro: phase_counts(d, u, c)
CASE WHEN $d.deleted_us IS NULL AND $d.is_cancelled = 0 THEN 1 ELSE 0 END AS "is_alive", CASE WHEN $d.is_disabled = 1
    OR EXISTS (SELECT 1 FROM task_sequence dt WHERE dt.id = $d.task_sequence_id AND dt.is_disabled = 1) THEN 1 ELSE 0 END AS "is_disabled",
CASE $d.is_cancelled WHEN 0 THEN $c.n_computers - $u.n_begun_members ELSE 0 END AS n_waiting,
coalesce($u.n_begun, 0) AS n_begun, coalesce($u.n_in_progress, 0) AS n_in_progress, coalesce($u.n_restarting, 0) AS n_restarting,
coalesce($u.n_paused, 0) AS n_paused, coalesce($u.n_succeeded, 0) AS n_succeeded, coalesce($u.n_failed, 0) AS n_failed,
coalesce($u.n_cancelled, 0) AS n_cancelled, coalesce($u.n_requirements_not_met, 0) AS n_requirements_not_met

-- A deployment (d, with its counts u and its collection c) fewer devices of which have succeeded than should have; ?1: now
-- macro: is_behind(d, u, c)
($d.alert_success_percent > 0 AND $d.deleted_us IS NULL AND $d.is_cancelled = 0 AND $d.created_us <= ?1 - $d.alert_after_s * 1000000
AND $u.n_begun + $c.n_computers - $u.n_begun_members > 0
AND 100 * $u.n_succeeded < $d.alert_success_percent * ($u.n_begun + $c.n_computers - $u.n_begun_members))

-- A required deployment (a row of its table) that nobody has enabled since the site was restored from a backup.
-- macro: is_held(d)
($d.held_us IS NOT NULL AND $d.purpose = 'required' AND $d.deleted_us IS NULL AND $d.is_cancelled = 0)

-- A required deployment (a row of its table) that wipes disks, and whose collection c has more devices than it was confirmed for.
-- Until somebody has looked at its task sequence it may wipe them.
-- macro: is_grown(d, c)
($d.purpose = 'required' AND coalesce($d.is_high_risk, 1) = 1 AND coalesce($d.confirmed_n, $c.n_computers) < $c.n_computers
AND $d.deleted_us IS NULL AND $d.is_cancelled = 0)

-- An alert (a row of the table alert).
-- macro: may_alert(verb, a)
(EXISTS (SELECT 1 FROM deployment ad WHERE ad.id = $a.object AND $a.kind IN ('deployment-success', 'deployment-failed', 'lost-contact', 'deployment-held', 'deployment-not-confirmed')
AND @may_collection('deployment', $verb, ad.collection_id))
OR ($a.kind = 'phased-deployment' AND @may_phased('deployment', $verb, $a.object)) OR ($a.kind IN ('distribution-point-silent', 'content-failed')
AND EXISTS (SELECT 1 FROM distribution_point ap WHERE ap.id = substr($a.object, 1, 7) AND @may('distribution-point', $verb, ap.id))))

-- What an event (a row of the table event) is about; what is gone, by who saw it then.
-- macro: may_event(e)
CASE WHEN $e.class IN ('site', 'boundary', 'administrator', 'security-role', 'security-scope') THEN (:principal = ''
    OR EXISTS (@granted($e.class, 'read')))
WHEN $e.change = 'deleted' AND $e.class NOT IN ('deployment', 'phased-deployment') THEN (:principal = '' OR EXISTS (@granted($e.class, 'read')
    AND (ag.target_id = 'SLP00ALL' OR $e.places LIKE '% ' || ag.target_id || ' %' ESCAPE '!'
        OR $e.places LIKE '% ' || ag.administrator_id || ' %' ESCAPE '!')))
WHEN $e.class = 'device' THEN EXISTS (SELECT 1 FROM device ev WHERE ev.id = $e.object_id AND @may_device('device', 'read', ev))
WHEN $e.class = 'collection' THEN @may_collection('collection', 'read', $e.object_id)
WHEN $e.class = 'deployment' THEN @may_deployment($e.object_id)
WHEN $e.class = 'phased-deployment' THEN @may_phased('deployment', 'read', $e.object_id)
WHEN $e.class = 'operation' THEN EXISTS (SELECT 1 FROM job ej WHERE ej.id = $e.object_id
    AND @may('operation', 'read', coalesce(ej.package_id, ej.id)))
WHEN $e.class = 'alert' THEN EXISTS (SELECT 1 FROM alert ea WHERE ea.id = CAST($e.object_id AS INTEGER) AND @may_alert('read', ea))
ELSE @may($e.class, 'read', $e.object_id) END

-- How the alert about a phase (p) of a phased deployment (f) begins, by which it is known again; all of it.
-- macro: phase_words(p, f)
format('The phase "%s" of the phased deployment %s (', $p.name, $f.id)

-- macro: phase_alert(p, f)
format('The phase "%s" of the phased deployment %s ("%s") does not begin: %s', $p.name, $f.id, $f.name, $p.reason)

-- What is said of a deployment (d) of the task sequence t to the collection c that is_grown() is true of.
-- macro: grown_alert(d, c, t)
format('The collection "%s" has %s devices, and the required deployment %s of "%s", which wipes their disks, may begin on %s: it begins on none any more. Look who has come into the collection, then let it begin by slipway deployment enable %s --confirm %s.',
    $c.name, $c.n_computers, $d.id, $t.name, $d.confirmed_n, $d.id, $c.n_computers)
