-- SPDX-License-Identifier: GPL-3.0-or-later

-- Of each kind: raise what is so and was not before, and end what is so no more. ?1: now

-- name: alert_raise_success
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'deployment-success', d.id, 'warning', format('Of the deployment %s of "%s" to "%s" %s of %s devices have succeeded, and at least %s per cent should have by now.',
    d.id, t.name, c.name, u.n_succeeded, u.n_begun + c.n_computers - u.n_begun_members, d.alert_success_percent), ?1, ?1
FROM deployment d JOIN deployment_summary u ON u.deployment_id = d.id JOIN collection c ON c.id = d.collection_id
JOIN task_sequence t ON t.id = d.task_sequence_id
WHERE @is_behind(d, u, c) AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'deployment-success' AND a.object = d.id AND a.is_over = 0);

-- name: alert_end_success
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'deployment-success' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM deployment d JOIN deployment_summary u ON u.deployment_id = d.id JOIN collection c ON c.id = d.collection_id
    WHERE d.id = alert.object AND @is_behind(d, u, c));

-- name: alert_raise_failed
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'deployment-failed', d.id, 'error', format('The deployment %s of "%s" to "%s" has failed on %s devices.', d.id, t.name, c.name, u.n_failed), ?1, ?1
FROM deployment d JOIN deployment_summary u ON u.deployment_id = d.id JOIN collection c ON c.id = d.collection_id
JOIN task_sequence t ON t.id = d.task_sequence_id
WHERE d.deleted_us IS NULL AND u.n_failed > 0
    AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'deployment-failed' AND a.object = d.id AND a.is_over = 0);

-- name: alert_end_failed
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'deployment-failed' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM deployment d JOIN deployment_summary u ON u.deployment_id = d.id
    WHERE d.id = alert.object AND d.deleted_us IS NULL AND u.n_failed > 0);

-- name: alert_raise_lost
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'lost-contact', d.id, 'error', format('Contact was lost with %s devices that ran the deployment %s.', count(*), d.id), ?1, ?1
FROM orders o JOIN deployment_device s ON s.order_id = o.id AND s.deployment_id = o.deployment_id AND s.device_id = o.device_id
JOIN deployment d ON d.id = o.deployment_id
WHERE o.error_id IN ('SLW-0205', 'SLW-0209') AND d.deleted_us IS NULL
    AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'lost-contact' AND a.object = d.id AND a.is_over = 0)
GROUP BY d.id;

-- name: alert_end_lost
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'lost-contact' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM orders o JOIN deployment_device s ON s.order_id = o.id AND s.deployment_id = o.deployment_id AND s.device_id = o.device_id
    JOIN deployment d ON d.id = o.deployment_id
    WHERE o.error_id IN ('SLW-0205', 'SLW-0209') AND o.deployment_id = alert.object AND d.deleted_us IS NULL);

-- ?2: not heard since
-- name: alert_raise_silent
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'distribution-point-silent', p.id, 'error', format('Nothing was heard of the distribution point %s (%s) for 15 minutes.', p.name, p.id), ?1, ?1
FROM distribution_point p WHERE p.is_disabled = 0 AND p.seen_us < ?2
    AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'distribution-point-silent' AND a.object = p.id AND a.is_over = 0);

-- name: alert_end_silent
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'distribution-point-silent' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM distribution_point p WHERE p.id = alert.object AND p.is_disabled = 0 AND p.seen_us < ?2);

-- name: alert_raise_content
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'content-failed', format('%s %s', x.dp_id, x.package_id), 'error',
    format('"%s" (%s) could not be brought to the distribution point %s: %s', p.name, p.id, x.dp_id, x.message), ?1, ?1
FROM distribution x JOIN package p ON p.id = x.package_id WHERE x.state = 'failed' AND NOT EXISTS (
    SELECT 1 FROM alert a WHERE a.kind = 'content-failed' AND a.object = format('%s %s', x.dp_id, x.package_id) AND a.is_over = 0);

-- name: alert_end_content
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'content-failed' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM distribution x WHERE x.state = 'failed' AND format('%s %s', x.dp_id, x.package_id) = alert.object);

-- Phases that the site cannot begin, and that nobody has looked after.
-- name: alert_raise_phased
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'phased-deployment', f.id, 'error', @phase_alert(p, f), ?1, ?1
FROM phase p JOIN phased_deployment f ON f.id = p.phased_deployment_id
WHERE p.state IN ('stalled', 'blocked') AND f.deleted_us IS NULL AND f.is_suspended = 0
    AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'phased-deployment' AND a.object = f.id AND a.is_over = 0);

-- name: alert_end_phased
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'phased-deployment' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM phase p JOIN phased_deployment f ON f.id = p.phased_deployment_id
    WHERE f.id = alert.object AND p.state IN ('stalled', 'blocked') AND f.deleted_us IS NULL AND f.is_suspended = 0
        AND substr(alert.text, 1, length(@phase_words(p, f))) = @phase_words(p, f));

-- It is the same phase, for another reason.
-- name: alert_renew_phased
UPDATE alert SET changed_us = ?1, text = (
    SELECT @phase_alert(p, f) FROM phase p JOIN phased_deployment f ON f.id = p.phased_deployment_id
    WHERE f.id = alert.object AND p.state IN ('stalled', 'blocked')
        AND substr(alert.text, 1, length(@phase_words(p, f))) = @phase_words(p, f) ORDER BY p.number LIMIT 1)
WHERE kind = 'phased-deployment' AND is_over = 0 AND EXISTS (
    SELECT 1 FROM phase p JOIN phased_deployment f ON f.id = p.phased_deployment_id
    WHERE f.id = alert.object AND p.state IN ('stalled', 'blocked')
        AND substr(alert.text, 1, length(@phase_words(p, f))) = @phase_words(p, f) AND @phase_alert(p, f) <> alert.text);

-- name: alert_raise_held
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'deployment-held', d.id, 'warning', format('The site was restored from a backup, and no device begins the required deployment %s of "%s" to "%s" since: make sure that none that has run it does so again, and let it begin by slipway deployment enable %s.',
    d.id, t.name, c.name, d.id), ?1, ?1
FROM deployment d JOIN collection c ON c.id = d.collection_id JOIN task_sequence t ON t.id = d.task_sequence_id
WHERE @is_held(d) AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'deployment-held' AND a.object = d.id AND a.is_over = 0);

-- name: alert_end_held
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'deployment-held' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM deployment d WHERE d.id = alert.object AND @is_held(d));

-- name: alert_raise_not_confirmed
INSERT INTO alert (kind, object, severity, text, raised_us, changed_us)
SELECT 'deployment-not-confirmed', d.id, 'warning', @grown_alert(d, c, t), ?1, ?1
FROM deployment d JOIN collection c ON c.id = d.collection_id JOIN task_sequence t ON t.id = d.task_sequence_id
WHERE @is_grown(d, c) AND d.is_disabled = 0
    AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'deployment-not-confirmed' AND a.object = d.id AND a.is_over = 0);

-- It has as many others now.
-- name: alert_renew_not_confirmed
UPDATE alert SET changed_us = ?1, text = (
    SELECT @grown_alert(d, c, t) FROM deployment d JOIN collection c ON c.id = d.collection_id JOIN task_sequence t ON t.id = d.task_sequence_id
    WHERE d.id = alert.object)
WHERE kind = 'deployment-not-confirmed' AND is_over = 0 AND EXISTS (
    SELECT 1 FROM deployment d JOIN collection c ON c.id = d.collection_id JOIN task_sequence t ON t.id = d.task_sequence_id
    WHERE d.id = alert.object AND @grown_alert(d, c, t) <> alert.text);

-- name: alert_end_not_confirmed
UPDATE alert SET is_over = 1, state = 'closed', changed_us = ?1, changed_by = iif(state = 'closed', changed_by, '')
WHERE kind = 'deployment-not-confirmed' AND is_over = 0 AND NOT EXISTS (
    SELECT 1 FROM deployment d JOIN collection c ON c.id = d.collection_id WHERE d.id = alert.object AND @is_grown(d, c) AND d.is_disabled = 0);

-- Those about deployments to whom may read these, the others to whom may read the status of distribution points.
-- name: alert_list
SELECT a.id, a.id AS number, a.kind, a.object, a.severity, a.state, a.is_over AS "is_over", a.text, a.raised_us AS "raised_at",
    a.changed_us AS "changed_at", a.changed_by
FROM alert a WHERE a.id > ?1 AND (a.state = ?3 OR ?3 IS NULL) AND @may_alert('read', a) ORDER BY a.id LIMIT ?2;

-- name: alert_get
SELECT a.id AS number, a.kind, a.object, a.severity, a.state, a.is_over AS "is_over", a.text, a.raised_us AS "raised_at",
    a.changed_us AS "changed_at", a.changed_by
FROM alert a WHERE a.id = ?1 AND @may_alert('read', a);

-- name: alert_set
UPDATE alert SET state = ?2, changed_us = ?3, changed_by = ?4 WHERE id = ?1 AND state <> 'closed' AND EXISTS (
    SELECT 1 FROM alert a WHERE a.id = ?1 AND @may_alert('modify', a));

-- Those that are over, and were closed before ?1.
-- name: alert_expire
DELETE FROM alert WHERE is_over = 1 AND changed_us < ?1;

-- ?1: now, ?2: the way out. Of an alert that is over only where it was told that it was raised.
-- name: alert_message_add
INSERT INTO alert_message (alert_id, event, channel, next_us)
SELECT a.id, iif(a.is_over = 1, 'over', 'raised'), ?2, ?1 FROM alert a
WHERE (a.is_over = 0 AND a.raised_us = ?1)
    OR (a.is_over = 1 AND a.changed_us = ?1 AND EXISTS (SELECT 1 FROM alert_message m WHERE m.alert_id = a.id AND m.channel = ?2)
        AND NOT EXISTS (SELECT 1 FROM alert_message m WHERE m.alert_id = a.id AND m.channel = ?2 AND m.event = 'over'));

-- ?1: now
-- name: alert_message_next
SELECT m.id, m.channel, m.event, m.n_tries, a.id AS number, a.raised_us, a.changed_us, a.kind, a.object, a.severity, a.text
FROM alert_message m JOIN alert a ON a.id = m.alert_id
WHERE m.state = 'waiting' AND m.next_us <= ?1 ORDER BY m.next_us, m.id LIMIT 1;

-- ?2: until when nobody else takes it
-- name: alert_message_taken
UPDATE alert_message SET n_tries = n_tries + 1, next_us = ?2 WHERE id = ?1 AND state = 'waiting';

-- name: alert_message_ended
UPDATE alert_message SET state = ?2, next_us = ?3, why = ?4 WHERE id = ?1;
