#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Tests of udhcpc.sh, with an ip that notes what it is asked for. usage: test_udhcpc.sh

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A copy whose files are all in the scratch folder: this computer's own resolv.conf is none of its business.
mkdir "$scratch/etc"
sed "s|/etc/|$scratch/etc/|g" "$here/udhcpc.sh" >"$scratch/udhcpc.sh"

cat >"$scratch/ip" <<'END'
#!/bin/sh
echo "$*" >>"$SCRATCH/asked"
case "$*" in
*show*) cat "$SCRATCH/addresses" ;;
esac
END
chmod 755 "$scratch/ip"

call() { # EVENT
    : >"$scratch/asked"
    SCRATCH=$scratch PATH=$scratch:$PATH interface=eth0 ip=10.0.0.5 mask=24 \
        router="10.0.0.1 10.0.0.2" dns="10.0.0.53" domain=example.org sh "$scratch/udhcpc.sh" "$1"
}

fail() {
    echo "$*"
    cat "$scratch/asked"
    exit 1
}

: >"$scratch/addresses"
call bound
grep -qx 'addr add 10.0.0.5/24 dev eth0' "$scratch/asked" || fail "bound sets no address"
grep -qx 'route add default via 10.0.0.1 dev eth0 metric 0' "$scratch/asked" || fail "bound sets no route"
printf 'search example.org\nnameserver 10.0.0.53\n' | cmp - "$scratch/etc/resolv.conf" || fail "bound sets no names"

# An address that goes away for a moment stops transfers that are on their way.
echo "    inet 10.0.0.5/24 scope global eth0" >"$scratch/addresses"
call renew
! grep -q flush "$scratch/asked" || fail "renew takes away the address"

echo "    inet 10.0.0.55/24 scope global eth0" >"$scratch/addresses"
call renew
grep -qx 'addr add 10.0.0.5/24 dev eth0' "$scratch/asked" || fail "renew does not set a new address"

call deconfig
grep -q flush "$scratch/asked" || fail "deconfig leaves the address"
