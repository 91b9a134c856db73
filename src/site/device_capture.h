/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a device makes an OS image of, because the task sequence of its order has a step that captures
 * (docs/protocol/client-api.md, Capturing)
 *
 * The right is the order's: one new OS image for each order, of a name that the task sequence says, for as long as the
 * order is in progress. Beside that the device may send chunks, and the one upload that is called like its capture.
 */

#include <stdbool.h>

#include <jansson.h>

struct site;

/**
 * device_capture_begin() - POST /client/captures
 * @body: {"order_id", "name", "version", "comment"}
 * @ret:  {"capture_id", "state", "package_id", "error_id", "error"}; owned by the caller, as everywhere here
 *
 * Asked again it answers the same; what was published and has failed is begun anew.
 */
int device_capture_begin(struct site *site,
                         const char *device_id,
                         const json_t *body,
                         json_t **ret);

/* GET /client/captures/{id}: the same answer. */
int device_capture_get(struct site *site, const char *device_id, const char *id, json_t **ret);

/* POST /client/captures/{id}/publication: the upload of that id becomes the OS image; again: the same answer. */
int device_capture_publish(struct site *site, const char *device_id, const char *id, json_t **ret);

/**
 * device_capture_authorize() - may this device send that to the distribution point?
 * @method, @path: of the request, as they came
 *
 * Return: 0, SITE_E_REFUSED, or -errno.
 */
int device_capture_authorize(struct site *site,
                             const char *device_id,
                             const char *method,
                             const char *path);
