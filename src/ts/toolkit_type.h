/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* The step types of the Microsoft Deployment Toolkit, BDD_..., which are scripts for Windows, and what does their work here */

/**
 * ts_toolkit_type_advice() - what to do with a step
 *
 * Return: words behind "; ", for a person; NULL: it is no type of the toolkit.
 */
const char *ts_toolkit_type_advice(const char *type);
