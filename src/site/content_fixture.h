/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Content and its versions for the unit tests: what they do to it in one line
 */

#include "site/content.h"
#include "site/fixture.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define TREE(sha) \
    "{'state': 'succeeded', 'result': {'manifest': '" sha \
    "', 'size_bytes': 7, 'file_count': 2, 'new_bytes': 3}}"
#define IMAGE(sha) \
    "{'state': 'succeeded', 'result': {'new_bytes': 4, 'indexes': [{'index': 1, 'size_bytes': 9," \
    "'languages': 'en-US', 'build': '10.0.20348.1', 'manifest': '" sha "'}]}}"
#define BOOT_IMAGE(kernel) \
    "{'state': 'succeeded', 'result': {'kernel_version': '" kernel \
    "', 'agent_version': '1', 'manifest': '" SHA_A \
    "', 'files': {'vmlinuz': {'size': 1, 'sha256': '" SHA_B \
    "'}, 'initrd.img': {'size': 2, 'sha256': '" SHA_C "'}}}}"

/* Outcomes of the rules, with bodies in JSON with single quotes. @ret_id: room for SITE_ID_MAX, or NULL. */
int fixture_create(struct site *site, enum content_kind kind, const char *text, char *ret_id);
int fixture_update(struct site *site, const char *id, const char *text);
int fixture_set(struct site *site, const char *id, const char *text);
int fixture_roll_back(struct site *site, const char *id, unsigned version);

/* A package "Tools" of /src/tools with the manifest SHA_A, ready. */
void fixture_create_package(struct site *site, char ret_id[static SITE_ID_MAX]);

/* Ready, with this current version and the manifest of that. */
void fixture_assert_current(struct site *site, const char *id, unsigned version, const char *sha);

/* A version, the numbers being without gaps, is in this state. */
void fixture_assert_version(struct site *site, const char *id, unsigned version, const char *state);

/* The next job, which must be a removal. @ret: its manifests; owned by the caller. */
json_t *fixture_claim_removal(struct site *site, char ret_job[static UUID_TEXT_MAX]);

/* No job is to be had. */
void fixture_assert_idle(struct site *site);
