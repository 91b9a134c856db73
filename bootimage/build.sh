#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Build a boot image: everything in the table "Boot files" of docs/protocol/boot.md. One for x64 is made
# of this machine's packages, one for x86 of the folder that tools/make-x86-root has made. Needs no root and
# no network. The same inputs give the same bytes.
#
# Standard output: {"percent", "message"} lines, at last {"result"} or {"error_id", "message"}.
# Standard error: free text.

set -Eeuo pipefail
exec 3>&1 # for messages, wherever standard output goes
export LC_ALL=C TZ=UTC PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
phase="reading the arguments"

json_text() { # escape for a JSON string
    printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g'
}

fail() { # ERROR_ID MESSAGE
    printf '{"error_id": "%s", "message": "%s"}\n' "$1" "$(json_text "$2")" >&3
    trap - ERR
    exit 1
}

trap '[ "$BASH_SUBSHELL" -gt 0 ] || fail SLW-0504 "Building the boot image failed while $phase (line $LINENO): see the log of the worker"' ERR

progress() { # PERCENT MESSAGE
    phase=$2
    printf '{"percent": %d, "message": "%s"}\n' "$1" "$(json_text "$2")" >&3
}

need() { # FILE PACKAGE
    [ -r "$1" ] && return
    case $1 in "${root:-/nowhere}"/*)
        fail SLW-0505 "$1 is missing: run 'make x86-root' in Slipway's source folder again" ;;
    esac
    fail SLW-0502 "$1 is missing: install the package $2"
}

need_program() { # NAME PACKAGE
    command -v "$1" >/dev/null || fail SLW-0502 "The program $1 is missing: install the package $2"
}

read_arguments() {
    package_id='' arch=x64 flavour=generic agent='' agent_version='' pin='' out='' work='' x86_root=''
    kernel_roots=() site_urls=()
    while [ $# -gt 0 ]; do
        [ $# -ge 2 ] || fail SLW-0503 "The argument $1 has no value"
        case $1 in
        --package-id) package_id=$2 ;;
        --arch) arch=$2 ;;
        --flavour) flavour=$2 ;;
        --kernel-root) kernel_roots+=("$2") ;;
        --x86-root) x86_root=$2 ;;
        --agent) agent=$2 ;;
        --agent-version) agent_version=$2 ;;
        --site-url) site_urls+=("$2") ;;
        --pin) pin=$2 ;;
        --out) out=$2 ;;
        --work) work=$2 ;;
        *) fail SLW-0503 "There is no argument $1" ;;
        esac
        shift 2
    done
    [ ${#kernel_roots[@]} -gt 0 ] || kernel_roots=(/)
}

# Where everything comes from, and what it is called.
choose_parts() {
    if [ "$arch" = x64 ]; then
        root='' efi=x64 efi_folder=x86_64-efi kernel_package=linux-image-amd64
        triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 loader_place=lib64
        return
    fi
    root=${x86_root:+$(realpath -m "$x86_root")} efi=ia32 efi_folder=i386-efi kernel_package=linux-image-686
    triplet=i386-linux-gnu loader=ld-linux.so.2 loader_place=lib
    kernel_roots=("$root")
    if [ -z "$x86_root" ] || [ ! -r "$root/usr/lib/slipway/agent-version" ]; then
        fail SLW-0505 "There is nothing to build a boot image for x86 from${x86_root:+ at $x86_root}: run 'make x86-root' in Slipway's source folder"
    fi
    agent=$root/usr/lib/slipway/slipway-agent
    agent_version=$(cat "$root/usr/lib/slipway/agent-version")
}

check_arguments() {
    [[ $package_id =~ ^[A-Z0-9]{3}[0-9A-F]{5}$ ]] || fail SLW-0503 "--package-id is not like SLP00001"
    [[ $arch = x64 || $arch = x86 ]] || fail SLW-0503 "--arch $arch is neither x64 nor x86"
    [[ $flavour = generic || $flavour = virtual && $arch = x64 ]] ||
        fail SLW-0503 "--flavour is neither generic nor virtual (which x86 does not have)"
    [[ $pin =~ ^[0-9a-f]{64}$ ]] || fail SLW-0503 "--pin is not 64 hexadecimal digits"
    [ -d "$out" ] || fail SLW-0503 "--out is not a folder"
    out=$(realpath "$out")
    choose_parts
    [[ $agent_version =~ ^[0-9A-Za-z.+~-]+$ ]] || fail SLW-0503 "--agent-version is missing"
    [ ${#site_urls[@]} -gt 0 ] || fail SLW-0503 "--site-url is missing"
    for url in "${site_urls[@]}"; do
        [[ $url =~ ^https://[][0-9A-Za-z.:-]+$ ]] || fail SLW-0503 "--site-url $url is not https://HOST:PORT"
    done
    agent=$(realpath -m "$agent")
    [ -x "$agent" ] || fail SLW-0502 "The program slipway-agent is missing at $agent"
}

check_inputs() {
    need_program cpio cpio
    need_program zstd zstd
    need_program depmod kmod
    need_program modinfo kmod
    need_program mcopy mtools
    need_program mkfs.vfat dosfstools
    need_program mkfs.ext4 e2fsprogs
    need_program grub-mkimage grub-common
    busybox=$(command -v busybox) || fail SLW-0502 "The program busybox is missing: install the package busybox-static"
    if ldd "$busybox" >/dev/null 2>&1; then
        fail SLW-0502 "$busybox is not static: install the package busybox-static"
    fi
    need "$root/usr/lib/shim/shim$efi.efi.signed" shim-signed
    need "$root/usr/lib/grub/$efi_folder-signed/grubnet$efi.efi.signed" grub-efi-amd64-signed
    need "$root/usr/lib/grub/$efi_folder-signed/gcd$efi.efi.signed" grub-efi-amd64-signed
    need "$root/usr/lib/grub/$efi_folder-signed/grub$efi.efi.signed" grub-efi-amd64-signed
    need "$root/usr/lib/grub/$efi_folder/http.mod" grub-efi-amd64-bin
    need /usr/lib/grub/i386-pc/boot.img grub-pc-bin
    need /usr/lib/ipxe/undionly.kpxe ipxe
}

# The newest kernel of the flavour in the first root that has one. Of its package dpkg puts modules.order in place
# after the modules.
find_kernel() {
    local folder file version

    for folder in "${kernel_roots[@]}"; do
        folder=$(realpath -m "$folder")
        while read -r version; do
            if [ -e "$folder/lib/modules/$version/modules.order" ] && [ -r "$folder/boot/vmlinuz-$version" ]; then
                kernel_root=${folder%/} kernel_version=$version
                return 0
            fi
        done < <(
            for file in "${folder%/}"/boot/vmlinuz-*; do
                case $arch-${file##*/vmlinuz-} in
                x86-*-686) echo "${file##*/vmlinuz-}" ;;
                x86-*) ;;
                *-cloud-amd64) [ "$flavour" = virtual ] && echo "${file##*/vmlinuz-}" ;;
                *-rt-amd64) ;;
                *-amd64) [ "$flavour" = generic ] && echo "${file##*/vmlinuz-}" ;;
                esac
            done | sort -rV
        )
    done
    [ "$flavour" = virtual ] && kernel_package=linux-image-cloud-amd64
    fail SLW-0501 "No $flavour kernel with its modules was found below ${kernel_roots[*]}: install the package $kernel_package"
}

# Time stamps of everything in the image: that of the newest input.
find_epoch() {
    if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
        SOURCE_DATE_EPOCH=$(stat -c %Y "$agent" "$here"/* "$kernel_root/boot/vmlinuz-$kernel_version" | sort -n | tail -1)
    fi
    export SOURCE_DATE_EPOCH
}

# Modules that make wired networks, disks, keyboards and file systems work; extended regular
# expressions on paths below lib/modules/VERSION/kernel. What they depend on comes by itself.
module_patterns() {
    cat <<'PATTERNS'
^arch/x86/crypto/(crc32|crct10dif|sha256|blake2s)
^crypto/(crc32c_generic|crct10dif_generic|crct10dif_common|xxhash_generic|blake2b_generic|sha256_generic|crypto_null)
^crypto/(aes_generic|ccm|cmac|ctr|des_generic|ecb|gcm|ghash-generic|hmac|md4|md5|sha512_generic)\.
^drivers/(ata|hv|nvme/host|virtio|message/fusion|usb/host|usb/storage|hid/usbhid|char/tpm|mmc/core)/
^drivers/block/(virtio_blk|xen-blkfront)
^drivers/char/hw_random/
^drivers/hid/(hid|hid-generic|hid-hyperv)\.
^drivers/input/(keyboard/(atkbd|hyperv-keyboard)|serio/(i8042|serio))\.
^drivers/mmc/host/(sdhci|sdhci-pci|sdhci-acpi|cqhci|rtsx_pci_sdmmc)\.
^drivers/net/(virtio_net|net_failover|vmxnet3/|hyperv/|xen-netfront|mii|mdio|phy/|pcs/|usb/)
^drivers/net/ethernet/
^drivers/pci/controller/(vmd|pci-hyperv)
^drivers/scsi/(sd_mod|scsi_mod|scsi_common|virtio_scsi|hv_storvsc|vmw_pvscsi|xen-scsifront|ses|BusLogic)\.
^drivers/scsi/(megaraid|mpt3sas|aacraid|smartpqi|aic7xxx|aic94xx|isci|mvsas|pm8001|arcmsr)/
^drivers/scsi/(hpsa|3w-9xxx|3w-sas|ipr|mvumi|stex|hptiop|sym53c8xx_2/sym53c8xx)\.
^drivers/usb/(core|common)/
^drivers/xen/
^fs/(btrfs|efivarfs|ext4|fat|fuse|jbd2|xfs)/
^fs/(cifs|smb/client|nfs|nfs_common|lockd)/
^fs/nls/nls_(ascii|cp437|iso8859-1|utf8|ucs2_utils)\.
^lib/(crc|libcrc)
^net/dns_resolver/
^net/packet/af_packet\.
^net/sunrpc/sunrpc\.
PATTERNS
}

# Hardware that no computer to be deployed boots from or over, and that is large.
module_exclusions() {
    cat <<'PATTERNS'
^drivers/net/ethernet/(mellanox/mlxsw|netronome|chelsio/(cxgb3|inline_crypto)|freescale|marvell/(octeontx2|prestera)|stmicro/stmmac/stmmac-pci)/
^drivers/net/usb/(hso|ipheth|sierra_net|qmi_wwan|cdc-phonet|cdc_mbim|huawei_cdc_ncm|lg-vl600)\.
PATTERNS
}

# The paths of the modules to take, closed over their dependencies.
list_modules() {
    local base=$work/depmod/lib/modules/$kernel_version

    mkdir -p "$base"
    ln -sfn "$modules/kernel" "$base/kernel"
    cp "$modules"/modules.{builtin,builtin.modinfo,order} "$base/"
    depmod -b "$work/depmod" "$kernel_version"
    module_patterns >"$work/patterns"
    module_exclusions >"$work/exclusions"
    awk -v patterns="$work/patterns" -v exclusions="$work/exclusions" '
        BEGIN {
            while ((getline line < patterns) > 0) wanted[line]
            while ((getline line < exclusions) > 0) unwanted[line]
        }
        {
            path = substr($1, 8, length($1) - 8) # without "kernel/" and ":"
            take = 0
            for (p in wanted) if (path ~ p) take = 1
            for (p in unwanted) if (path ~ p) take = 0
            if (!take) next
            print "kernel/" path
            for (i = 2; i <= NF; i++) print $i
        }' "$base/modules.dep" | sort -u
}

pack_modules() {
    modules=$kernel_root/lib/modules/$kernel_version
    local to=$stage/lib/modules/$kernel_version file

    mkdir -p "$to"
    list_modules >"$work/modules"
    while read -r file; do
        mkdir -p "$to/${file%/*}"
        cp "$modules/$file" "$to/$file"
    done <"$work/modules"
    cp "$modules"/modules.{builtin,builtin.modinfo,order} "$to/"
    depmod -b "$stage" "$kernel_version"
    rm -f "$to"/modules.*.bin "$to"/modules.{symbols,devname,builtin.modinfo}
}

pack_firmware() {
    local folder file

    (cd "$stage/lib/modules/$kernel_version" && find . -name '*.ko' -print0 | xargs -0 modinfo -F firmware) |
        sort -u >"$work/firmware"
    while read -r file; do
        for folder in "$kernel_root/lib/firmware" /lib/firmware; do
            if [ -f "$folder/$file" ]; then
                mkdir -p "$stage/lib/firmware/$(dirname "$file")"
                cp -L "$folder/$file" "$stage/lib/firmware/$file"
                break
            fi
        done
    done <"$work/firmware"
}

# "name path" of each shared library that a program needs, the loader among them.
libraries_of() { # PROGRAM
    local lines

    if [ -n "$root" ]; then
        awk -v program="${1##*/}" -v root="$root" '$1 == program { print $2, root "/" $3 }' \
            "$root/usr/lib/slipway/libraries"
        return
    fi
    lines=$(ldd "$1") || fail SLW-0502 "$1 is no program for this machine"
    case $lines in *'not found'*)
        fail SLW-0502 "A shared library of $1 is missing: $(grep -m1 'not found' <<<"$lines")" ;;
    esac
    awk '$2 == "=>" { print $1, $3; next } $1 ~ /^\// { n = split($1, part, "/"); print part[n], $1 }' <<<"$lines"
}

# A stub for ICU's data (31 MB) is built with the agent: libxml2 reads UTF-8 and UTF-16 without it.
library_source() { # NAME PATH
    local place

    case $1 in libicudata.so.*)
        for place in "$(dirname "$agent")" "$here" "$(dirname "$agent")/../../bootimage"; do
            if [ -r "$place/$1" ]; then
                echo "$place/$1"
                return 0
            fi
        done
        ;;
    esac
    echo "$2"
}

# The agent with all it needs in one folder: Setup Windows and Configuration Manager copies it into any
# operating system, also one without these libraries.
pack_agent() {
    local bundle=$stage/usr/lib/slipway name path

    mkdir -p "$bundle/lib"
    cp -L "$agent" "$bundle/slipway-agent"
    chmod 755 "$bundle/slipway-agent"
    if command -v strip >/dev/null; then
        strip -s "$bundle/slipway-agent"
    fi
    libraries_of "$agent" >"$work/libraries"
    path=$root/lib/$triplet/libgcc_s.so.1 # pthread_exit() loads it
    [ ! -r "$path" ] || echo "libgcc_s.so.1 $path" >>"$work/libraries"
    while read -r name path; do
        case $name in
        "$loader") cp -L "$path" "$bundle/ld.so" ;;
        *) cp -L "$(library_source "$name" "$path")" "$bundle/lib/$name" ;;
        esac
    done <"$work/libraries"
    [ -e "$bundle/ld.so" ] || fail SLW-0502 "$agent is not dynamically linked"
    chmod 755 "$bundle/ld.so" "$bundle"/lib/*
}

# Other programs find the same libraries at their usual place.
pack_program() { # FILE NAME...
    local file=$1 name path usual=$stage/lib/$triplet

    mkdir -p "$stage/usr/sbin" "$usual" "$stage/$loader_place"
    cp -L "$file" "$stage/usr/sbin/$2"
    libraries_of "$file" >"$work/libraries"
    while read -r name path; do
        [ "$name" != "$loader" ] || continue
        if [ -e "$stage/usr/lib/slipway/lib/$name" ]; then
            ln -sfn "/usr/lib/slipway/lib/$name" "$usual/$name"
        else
            cp -L "$path" "$usual/$name"
        fi
    done <"$work/libraries"
    ln -sfn /usr/lib/slipway/ld.so "$stage/$loader_place/$loader"
}

# Where a program is that goes into the image; nothing if it is not there.
program_for() { # NAME
    if [ -n "$root" ]; then
        [ ! -r "$root/usr/sbin/$1" ] || echo "$root/usr/sbin/$1"
    else
        command -v "$1" || true
    fi
}

# The names of busybox's programs are asked of this machine's own, which is of the same package.
pack_programs() {
    local name file

    mkdir -p "$stage/bin" "$stage/sbin"
    cp -L "$([ -n "$root" ] && echo "$root/bin/busybox" || echo "$busybox")" "$stage/bin/busybox"
    "$busybox" --list | while read -r name; do
        case $name in busybox | mke2fs | mkdosfs) ;; *) ln -s busybox "$stage/bin/$name" ;; esac
    done
    ln -s ../bin/busybox "$stage/sbin/modprobe"
    for name in mkfs.ext4 mkfs.vfat mkfs.xfs mkfs.btrfs mkntfs; do # mkswap is busybox's
        file=$(program_for "$name")
        [ -z "$file" ] || pack_program "$file" "$name"
    done
    [ ! -r "$root/etc/mke2fs.conf" ] || cp "$root/etc/mke2fs.conf" "$stage/etc/"
}

# GRUB's first parser knows no comments.
early_config() { # NAME
    grep -v '^#' "$here/$1" >"$work/$1"
    echo "$work/$1"
}

# What Setup puts on the disk to make it boot.
pack_boot_loaders() {
    local to=$stage/usr/lib/slipway-boot

    mkdir -p "$to"
    cp "$root/usr/lib/shim/shim$efi.efi.signed" "$to/shim$efi.efi"
    cp "$root/usr/lib/grub/$efi_folder-signed/grub$efi.efi.signed" "$to/grub$efi.efi"
    cp /usr/lib/grub/i386-pc/boot.img "$to/boot.img"
    # shellcheck disable=SC2046 # one word per module
    grub-mkimage -O i386-pc -p /boot/slipway -c "$(early_config grub-disk-bios.cfg)" -o "$to/core.img" \
        $(grep -v '^#' "$here/grub-disk-bios.modules")
}

pack_initrd() {
    phase="packing the initrd"
    stage=$work/initrd
    mkdir -p "$stage"/{bin,sbin,dev,etc/udhcpc,proc,run,sys,tmp,mnt,root,usr/bin,usr/lib/slipway}
    cp "$here/init" "$stage/init"
    cp "$here/udhcpc.sh" "$stage/etc/udhcpc/default.script"
    chmod 755 "$stage/init" "$stage/etc/udhcpc/default.script"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$stage/etc/passwd"
    echo 'root:x:0:' >"$stage/etc/group"
    progress 5 "Choosing kernel modules"
    pack_modules
    pack_firmware
    progress 25 "Packing the agent and its libraries"
    pack_agent
    pack_programs
    pack_boot_loaders
    progress 35 "Compressing the initrd"
    find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    # Two threads wherever it runs: the number decides about the bytes.
    (cd "$stage" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) |
        zstd -12 -T2 -q >"$out/initrd.img"
}

boot_arguments() {
    local IFS=,

    echo "slipway.site=${site_urls[*]} slipway.pin=$pin slipway.image=$package_id" \
        "console=tty0 console=ttyS0,115200 quiet panic=60"
}

# The RAM disk for UEFI HTTP Boot. GRUB's CD flavour looks for /.disk/info to find it.
pack_ramdisk() {
    local disk=$work/ramdisk image=$out/ramdisk.img kib

    mkdir -p "$disk"/{EFI/BOOT,.disk,boot/grub}
    cp "$root/usr/lib/shim/shim$efi.efi.signed" "$disk/EFI/BOOT/BOOT${efi^^}.EFI"
    cp "$root/usr/lib/grub/$efi_folder-signed/gcd$efi.efi.signed" "$disk/EFI/BOOT/grub$efi.efi"
    cp "$out/vmlinuz" "$out/initrd.img" "$disk/"
    echo "Slipway boot image $package_id" >"$disk/.disk/info"
    sed "s|@ARGUMENTS@|$(boot_arguments)|" "$here/grub-ramdisk.cfg" >"$disk/boot/grub/grub.cfg"
    find "$disk" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    kib=$(($(du -sk --apparent-size "$disk" | cut -f1) + 2048))
    rm -f "$image"
    mkfs.vfat --invariant -n SLIPWAY -s 8 -C "$image" "$kib" >/dev/null
    (cd "$disk" && mcopy -i "$image" -s -m -Q .disk EFI boot vmlinuz initrd.img ::/)
}

make_grub_netboot() {
    # shellcheck disable=SC2046 # one word per module
    grub-mkimage -d "$root/usr/lib/grub/$efi_folder" -O "$efi_folder" -p /grub \
        -c "$(early_config grub-netboot.cfg)" -o "$out/grub$efi-slipway.efi" \
        $(grep -v '^#' "$here/grub-netboot.modules")
    [ "$(grep -c -a '@SLIPWAY-SERVER-ADDRESS@' "$out/grub$efi-slipway.efi")" = 1 ] ||
        fail SLW-0504 "The made GRUB does not hold its address slot once"
}

describe() {
    local name comma='' files='' text

    for name in "shim$efi.efi" "grub$efi-signed.efi" "grub$efi-slipway.efi" undionly.kpxe vmlinuz initrd.img ramdisk.img; do
        files+="$comma\"$name\": {\"size\": $(stat -c %s "$out/$name"), \"sha256\": \"$(sha256sum "$out/$name" | cut -c1-64)\"}"
        comma=', '
    done
    text="{\"package_id\": \"$package_id\", \"arch\": \"$arch\", \"flavour\": \"$flavour\", \"kernel_version\": \"$kernel_version\", \"agent_version\": \"$agent_version\", \"files\": {$files}}"
    echo "$text" >"$out/boot-image.json.new"
    sync "$out"/* # these files only
    mv "$out/boot-image.json.new" "$out/boot-image.json"
    printf '{"result": %s}\n' "$text"
}

read_arguments "$@"
check_arguments
find_kernel
check_inputs
find_epoch
if [ -z "$work" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
else
    mkdir -p "$work"
    work=$(realpath "$work")
fi
rm -f "$out/boot-image.json"
cp "$kernel_root/boot/vmlinuz-$kernel_version" "$out/vmlinuz"
cp "$root/usr/lib/shim/shim$efi.efi.signed" "$out/shim$efi.efi"
cp "$root/usr/lib/grub/$efi_folder-signed/grubnet$efi.efi.signed" "$out/grub$efi-signed.efi"
cp /usr/lib/ipxe/undionly.kpxe "$out/undionly.kpxe"
pack_initrd
progress 90 "Making the network boot loader and the RAM disk"
make_grub_netboot
pack_ramdisk
chmod 644 "$out"/*
progress 98 "Checking"
describe
