#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Tests of build.sh. usage: test_build.sh arguments | reproducible AGENT
#
# "arguments" takes a second and needs nothing; "reproducible" builds a boot image twice, from Debian's newest cloud
# kernel (or the one below $SLIPWAY_TEST_KERNEL_ROOT).

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
pin=$(printf 'a%.0s' {1..64})
mkdir "$scratch/out" "$scratch/empty"

build() { # OUT ARGUMENT...
    local out=$1
    shift
    bash "$here/build.sh" --package-id SLP00001 --flavour virtual --agent-version 0.1.0 \
        --site-url https://10.77.0.1:443 --pin "$pin" --out "$out" "$@"
}

expect() { # ERROR_ID ARGUMENT...
    local id=$1 answer
    shift
    if answer=$(build "$scratch/out" --agent /bin/true "$@" 2>/dev/null); then
        echo "build.sh took $* but should fail with $id"
        exit 1
    fi
    case $(tail -n 1 <<<"$answer") in
    "{\"error_id\": \"$id\", \"message\": \""*'"}') ;;
    *)
        echo "build.sh $* answered: $answer"
        exit 1
        ;;
    esac
}

test_arguments() {
    expect SLW-0503 --package-id 'SLP00001/../x'
    expect SLW-0503 --arch arm64
    expect SLW-0503 --flavour cloud
    expect SLW-0503 --pin abc
    expect SLW-0503 --site-url 'https://10.77.0.1:443 init=/bin/sh'
    expect SLW-0503 --site-url http://10.77.0.1
    expect SLW-0503 --out "$scratch/missing"
    expect SLW-0503 --unknown x
    expect SLW-0503 --kernel-root
    expect SLW-0502 --agent "$scratch/missing"
    expect SLW-0501 --kernel-root "$scratch/empty"
    expect SLW-0503 --arch x86 --flavour virtual
    expect SLW-0505 --arch x86 --flavour generic
    expect SLW-0505 --arch x86 --flavour generic --x86-root "$scratch/empty"
    [ ! -e "$scratch/out/boot-image.json" ]
}

test_reproducible() { # AGENT
    local root=${SLIPWAY_TEST_KERNEL_ROOT:-} name

    [ -n "$root" ] || root=$(cd "$here/../tools/lab" && python3 -B -c 'import lab; print(lab.kernel_root())')
    mkdir "$scratch/again"
    build "$scratch/out" --agent "$1" --kernel-root "$root" >/dev/null
    build "$scratch/again" --agent "$1" --kernel-root "$root" >/dev/null
    for name in shimx64.efi grubx64-signed.efi grubx64-slipway.efi undionly.kpxe vmlinuz initrd.img \
        ramdisk.img boot-image.json; do
        cmp "$scratch/out/$name" "$scratch/again/$name"
    done
    # The agent runs from its own folder, with nothing from outside it
    mkdir "$scratch/root"
    (cd "$scratch/root" && zstd -dcq "$scratch/out/initrd.img" | cpio -idm --quiet)
    name=$scratch/root/usr/lib/slipway
    "$name/ld.so" --inhibit-cache --library-path "$name/lib" --list "$name/slipway-agent" |
        awk -v folder="$name/" '$2 == "=>" && index($3, folder) != 1 { print "from outside: " $0; bad = 1 } END { exit bad }'
    "$name/ld.so" --inhibit-cache --library-path "$name/lib" "$name/slipway-agent" --version
}

case ${1:-} in
arguments) test_arguments ;;
reproducible) test_reproducible "$2" ;;
*)
    echo "usage: test_build.sh arguments | reproducible AGENT" >&2
    exit 2
    ;;
esac
