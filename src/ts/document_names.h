/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* The limits of names and descriptions; for ts/document.c */

struct ts_diags;
struct ts_document;

/**
 * ts_document_check_names() - those of version 3.10; MDT's 3.00 has none
 * @diags: each that is too long, with the path of its step; and then, since nobody else will look at this document, what
 *         ts_validate() finds
 *
 * Return: 0, TS_E_MALFORMED or -ENOMEM.
 */
int ts_document_check_names(const struct ts_document *doc, struct ts_diags *diags);
