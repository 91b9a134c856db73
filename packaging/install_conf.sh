#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs a configuration file where there is none, for root alone to read: it may get passwords. meson sets DESTDIR.
#
# usage: install_conf.sh FILE TARGET
set -eu

target=${DESTDIR:-}$2
if [ -e "$target" ]; then
    echo "Keeping $target"
else
    echo "Installing $1 to $target"
    install -D -m 640 "$1" "$target"
fi
