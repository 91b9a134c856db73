/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A TCP connection that ends at its time, whoever waits for it: libldap waits without end for a server that takes a connection
 * and then says nothing in the TLS handshake
 */

#include <stdbool.h>
#include <stdint.h>

struct directory_dog;

/**
 * directory_dial() - connect to the first address of a host that answers
 * @until_us: of clock_monotonic_us()
 *
 * Return: a blocking socket, or -errno.
 */
int directory_dial(const char *host, uint16_t port, uint64_t until_us);

/**
 * directory_dog_new() - shut the socket down when the time comes: who reads from it then reads its end
 * @fd: stays open until directory_dog_free()
 */
int directory_dog_new(int fd, uint64_t until_us, struct directory_dog **ret);
void directory_dog_wait_until(struct directory_dog *dog, uint64_t until_us);
void directory_dog_free(struct directory_dog *dog);

/* Whether it has done so. */
bool directory_dog_has_bitten(struct directory_dog *dog);
