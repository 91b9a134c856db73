/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* slipway-agent facts: print the facts of this computer (docs/protocol/sequencer.md). Return: the exit code. */
int facts_command(void);
