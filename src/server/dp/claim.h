/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a distribution point says of itself when it asks for a job (docs/protocol/content.md)
 */

#include <jansson.h>

#include "server/dp/slots.h"

struct role_options;

#define CLAIM_X86 "x86"

/**
 * claim_body() - {"free_bytes", "total_bytes", "version", "agent_version", "x86_agent_version", "kernels", "kinds",
 *                "http_base", "macs"}
 * @slots: which kinds of jobs have a place
 *
 * Return: owned; NULL if there is no memory.
 */
json_t *claim_body(const struct role_options *options, struct slots *slots);

/**
 * claim_macs() - addresses of the network adapters of this computer
 * @folder: /sys/class/net; what has no hardware behind it is none, nor what has no address of six bytes
 *
 * Return: owned; at most 64 texts, none if the folder cannot be read; NULL if there is no memory.
 */
json_t *claim_macs(const char *folder);

/**
 * claim_newest_kernel() - the version that a boot image of a flavour would be made from
 * @roots:   separated by spaces
 * @flavour: "generic" or "virtual", both for x64; or CLAIM_X86
 *
 * The same choice as bootimage/build.sh makes: the newest of the first root that has one. One that is still being
 * unpacked is none.
 *
 * Return: owned; NULL if there is none.
 */
char *claim_newest_kernel(const char *roots, const char *flavour);
