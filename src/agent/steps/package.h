/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The folder of a package on this computer, for steps that run something from it
 */

#include "agent/fetch/cache.h"
#include "agent/run/order.h"
#include "agent/steps/step.h"
#include "rt/transfer/transfer.h"

/**
 * package_options() - from where, and by which proxy
 * @content: NULL: the order's own sources
 * @ret: all else is zero; borrowed as long as the step's values are
 *
 * The variables SLWProxy and SLWNoProxy say which proxy, as http_proxy and no_proxy do for other programs.
 */
void package_options(struct step_context *c,
                     const struct order_content *content,
                     struct transfer_options *ret);

/* A source was wrong: a line for smsts.log. */
void package_log_bad_source(struct step_context *c, const struct transfer_bad *bad);

/* For the site: what came over the network, and so many bytes that did not have to. For the sequence: from where
   (_SMSTSLastContentDownloadLocation). */
void package_count(struct step_context *c,
                   const struct transfer_report *report,
                   uint64_t reused_bytes);

/**
 * package_is_retried() - whether a download that ended so is begun again, after the time that is to pass before
 * @outcome: of the transfer; only what sources have done wrong is tried again
 * @n_tries: how often it has failed so; counted here, 0 at first
 *
 * A stream goes on where it broke off; whatever else begins again. SMSTSDownloadRetryCount and SMSTSDownloadRetryDelay say how often
 * and after how long: without them twice, 15 seconds apart, as Configuration Manager does. The transfer itself has asked every source
 * twice, and waited for TRANSFER_GIVE_UP_S, each time.
 */
bool package_is_retried(struct step_context *c, int outcome, unsigned *n_tries);

/* How much the cache may hold: the variable SLWCacheSize, in MiB; if that is no such number, the usual. */
uint64_t package_cache_bytes(struct step_context *c);

/**
 * package_get() - the content of a package, downloaded if it is not on this computer yet
 * @id: "SLP00012"; must be in the order, a folder
 * @ret: owned by the caller, cache_release(); NULL if @result was set as a failure
 *
 * In the boot image the cache is beside the state on the volume, or in memory if there is none yet; in the full
 * operating system it is below /var/cache.
 *
 * Return: 0 or -errno.
 */
int package_get(struct step_context *c,
                const char *id,
                struct step_result *result,
                struct cache_use **ret);

/* The same, with the cache in @root. */
int package_get_in(struct step_context *c,
                   const char *root,
                   const char *id,
                   struct step_result *result,
                   struct cache_use **ret);

/* Remove its content from the cache that package_get() uses, unless somebody uses it. Return: 0 or -errno. */
int package_drop(struct step_context *c, const char *id);

/**
 * package_put_files() - the content of a package of any kind, as plain files
 * @folder: made; what is in it is replaced. A package is the folder itself; an operating system image becomes
 *          a file NUMBER.wim for each image in it; a boot image, its files
 *
 * Return: 0, with @result set as a failure if that is one; or -errno.
 */
int package_put_files(struct step_context *c,
                      const char *id,
                      const char *folder,
                      struct step_result *result);
