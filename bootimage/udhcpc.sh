#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=dash disable=SC2154 # udhcpc sets the variables
#
# Called by udhcpc with what the DHCP server gave in the environment.

has_address() {
    ip -4 addr show dev "$interface" | grep -qF " $ip/"
}

set_address() {
    ip -4 addr flush dev "$interface"
    ip addr add "$ip/${mask:-24}" dev "$interface"
    metric=0
    for gateway in $router; do
        # A gateway outside the network of the address is reached through the interface itself.
        ip route add default via "$gateway" dev "$interface" metric $metric 2>/dev/null || {
            ip route add "$gateway" dev "$interface"
            ip route add default via "$gateway" dev "$interface" metric $metric
        }
        metric=$((metric + 1))
    done
    if [ -n "$mtu" ] && [ "$mtu" -ge 576 ]; then
        ip link set dev "$interface" mtu "$mtu"
    fi
}

set_names() {
    {
        [ -z "$domain" ] || echo "search $domain"
        for server in $dns; do
            echo "nameserver $server"
        done
    } >/etc/resolv.conf.new
    mv /etc/resolv.conf.new /etc/resolv.conf
}

case $1 in
deconfig)
    ip -4 addr flush dev "$interface"
    ip link set dev "$interface" up
    ;;
bound | renew)
    has_address || set_address
    set_names
    ;;
esac
