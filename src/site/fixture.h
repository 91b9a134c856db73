/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A site in memory for the unit tests, with a boot image, an OS image and a task sequence ready
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "site/boot_decision.h"
#include "site/site.h"

#define FIXTURE_START_US   UINT64_C(1795000000000000)
#define FIXTURE_MINUTE_US  (UINT64_C(60) * 1000000)
#define FIXTURE_MAC        "52:54:00:77:00:01"
#define FIXTURE_UUID       "4c4c4544-0000-1111-2222-333344445555"
#define FIXTURE_SHA256     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FIXTURE_BOOT_IMAGE "SLP00001"
#define FIXTURE_OS_IMAGE   "SLP00002"
#define FIXTURE_SEQUENCE   "SLP00003"

/* Everything below asserts that it works. */
struct site *fixture_new(void);

/* A site on its first day. */
struct site *fixture_new_empty(void);
void fixture_free(struct site *site);
void fixture_freep(struct site **site);

/* JSON made of text with single quotes; owned by the caller. */
json_t *fixture_json(const char *text);

/* The distribution point takes the next job; reports about it (JSON with single quotes); or both at once. */
void fixture_claim(struct site *site, char ret[static UUID_TEXT_MAX]);
void fixture_tell(struct site *site, const char *job, const char *text);
void fixture_finish_job(struct site *site, const char *text);

/* A boot image for x86, beside that for x64. @ret: room for SITE_ID_MAX */
void fixture_add_x86_image(struct site *site, char *ret);

/* Deploy the fixture's task sequence; @ret: room for SITE_ID_MAX. */
void fixture_deploy(struct site *site, const char *collection, const char *purpose, char *ret);

/* An administrator makes this device known. */
void fixture_import(struct site *site, const char *name, const char *mac);

/* What it is answered by PXE with option 93 = @arch. */
struct boot_decision fixture_ask(struct site *site, const char *mac, unsigned arch);

/* {"public", "challenge", "signature"}: a proof by this key, new and not used. @secret: SIGNATURE_KEY_BYTES; NULL: another key each time */
json_t *
fixture_prove(struct site *site, const uint8_t *secret, const char *purpose, const char *subject);

/* registration_take(), with the proof that it wants. @secret: as above */
int fixture_enlist(struct site *site, json_t *body, const uint8_t *secret, json_t **ret);

/* Boot and register; @ret: room for ACCESS_DEVICE_ID_MAX. Return: outcome of registration_take(). */
int fixture_register(struct site *site, const char *mac, char *ret);
int fixture_register_from(struct site *site, const char *mac, const char *boot_image, char *ret);

/* The device's order; @ret: its id, "" if there is none. Return: the attempt. */
unsigned fixture_order(struct site *site, const char *device_id, char ret[static UUID_TEXT_MAX]);

/* Report; Return: outcome of order_report(). */
int fixture_report(struct site *site,
                   const char *device_id,
                   const char *order_id,
                   unsigned seq,
                   const char *state,
                   const char *environment);

/* State, error id and cause of the first device of a deployment; owned by the caller. */
json_t *fixture_progress(struct site *site, const char *deployment_id);

/* Time goes by, with what it does. */
void fixture_wait(struct site *site, uint64_t us);
