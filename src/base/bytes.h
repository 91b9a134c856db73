/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Byte views and sinks
 *
 * A `struct bytes` is a borrowed view: it owns nothing, need not end in NUL, and is passed by value,
 * so a pointer never travels without its length. A `struct sink` is the writing twin: it remembers
 * that it overflowed, so a writer checks once, at the end, instead of after every field.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *ptr;
    size_t len;
};

struct sink {
    uint8_t *ptr; /* borrowed */
    size_t cap;   /* bytes at ptr */
    size_t len;   /* bytes written; never above cap */
    bool full;    /* something did not fit; nothing is written from then on */
};

/**
 * bytes_of() - view of a C string, without its NUL
 */
struct bytes bytes_of(const char *str);

/**
 * bytes_take() - split off the first @n bytes
 * @ret: borrows from @src
 *
 * Return: false if @src is shorter; then neither argument is changed. The same for the numbers below,
 *         which are unsigned, big-endian ("be", network order) or little-endian ("le").
 */
bool bytes_take(struct bytes *src, size_t n, struct bytes *ret);
bool bytes_take_u8(struct bytes *src, uint8_t *ret);
bool bytes_take_u16be(struct bytes *src, uint16_t *ret);
bool bytes_take_u32be(struct bytes *src, uint32_t *ret);
bool bytes_take_u16le(struct bytes *src, uint16_t *ret);
bool bytes_take_u32le(struct bytes *src, uint32_t *ret);
bool bytes_take_u64le(struct bytes *src, uint64_t *ret);

/**
 * bytes_eq() - same length and same content
 */
bool bytes_eq(struct bytes a, struct bytes b);

/**
 * bytes_take_cstr() - split off the first NUL-terminated string
 * @src: view to read from; on success it starts behind the NUL
 * @ret: the string, without its NUL; borrows from @src
 *
 * Return: false if @src has no NUL; then neither argument is changed.
 */
bool bytes_take_cstr(struct bytes *src, struct bytes *ret);

/**
 * bytes_eq_nocase() - compare with a C string, folding ASCII letters only
 *
 * The locale has no say, unlike in strcasecmp().
 */
bool bytes_eq_nocase(struct bytes a, const char *b);

/**
 * bytes_parse_u64() - read an unsigned decimal number
 * @src: the whole of it must be digits: no sign, no space, not empty
 * @min: smallest accepted value
 * @max: largest accepted value
 * @ret: the number; unchanged unless true is returned
 *
 * Return: whether @src is such a number and in range. Overflow counts as out of range.
 */
bool bytes_parse_u64(struct bytes src, uint64_t min, uint64_t max, uint64_t *ret);

/* Append to @dst: bytes as they are; numbers in the byte order named. */
void sink_bytes(struct sink *dst, struct bytes src);
void sink_u8(struct sink *dst, uint8_t n);
void sink_u16be(struct sink *dst, uint16_t n);
void sink_u32be(struct sink *dst, uint32_t n);
void sink_u16le(struct sink *dst, uint16_t n);
void sink_u32le(struct sink *dst, uint32_t n);
void sink_u64le(struct sink *dst, uint64_t n);

/* Append @n zero bytes. */
void sink_zero(struct sink *dst, size_t n);

/* Append a string with its NUL; a decimal number with a NUL. */
void sink_cstr(struct sink *dst, const char *str);
void sink_decimal(struct sink *dst, uint64_t n);
