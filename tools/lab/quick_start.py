# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's Debian does without, so that it starts sooner under emulation."""

# What a computer of the lab does not need, and what takes long where each instruction is translated. e2scrub alone may hold up a
# start for a minute.
UNUSED_UNITS = (
    "e2scrub_reap.service", "e2scrub_all.timer", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
    "fstrim.timer", "getty-static.service", "modprobe@.service", "systemd-fsck-root.service", "systemd-fsckd.socket",
    "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "dev-hugepages.mount", "dev-mqueue.mount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount",
    "proc-sys-fs-binfmt_misc.automount",
)
UNUSED_GENERATORS = ("cryptsetup", "gpt-auto", "hibernate-resume", "integritysetup", "rc-local", "system-update", "sysv", "veritysetup")
UNUSED_MODULES = (
    "ahci", "ata_generic", "ata_piix", "button", "evdev", "kvm", "kvm_amd", "kvm_intel", "libata", "powernow_k8", "qemu_fw_cfg",
    "serio_raw",
)
# Devices that a computer of the lab has a use for; the others have no module loaded for them, and no rule is asked about them.
USED_DEVICES = ("--subsystem-match=virtio --subsystem-match=net", "--subsystem-match=block --sysname-match=[vsn][dv]*", "--sysname-match=ttyS0")
# The root is found by blkid: a device manager for that takes seconds.
UNUSED_IN_INITRAMFS = ("hooks/udev", "scripts/init-top/udev", "scripts/init-bottom/udev")
DISK_MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic")


def quick_start_hooks() -> list:
    """Shell, with the folder of the system in $1."""
    etc = "\"$1\"/etc"
    hooks = [f"ln -s /dev/null {etc}/systemd/system/{unit}" for unit in UNUSED_UNITS]
    hooks += [f"mkdir -p {etc}/systemd/system-generators"]
    hooks += [f"ln -s /dev/null {etc}/systemd/system-generators/systemd-{name}-generator" for name in UNUSED_GENERATORS]
    hooks += [f"echo install {name} /bin/false >> {etc}/modprobe.d/lab.conf" for name in UNUSED_MODULES]
    trigger = f"{etc}/systemd/system/systemd-udev-trigger.service.d"
    lines = "".join(f"ExecStart=udevadm trigger --action=add {match}\\n" for match in USED_DEVICES)
    hooks += [f"mkdir {trigger}", f"printf '[Service]\\nExecStart=\\n{lines}' > {trigger}/lab.conf"]
    hooks += [f"rm \"$1\"/usr/share/initramfs-tools/{path}" for path in UNUSED_IN_INITRAMFS]
    hook = f"{etc}/initramfs-tools/hooks/lab"
    hooks += [f"printf '#!/bin/sh\\ntest \"$1\" = prereqs && exit\\n. /usr/share/initramfs-tools/hook-functions\\ncopy_exec /sbin/blkid\\n' > {hook}"]
    hooks += [f"chmod +x {hook}"]
    hooks += [f"echo {name} >> {etc}/initramfs-tools/modules" for name in DISK_MODULES]
    hooks += [f"echo MODULES=list > {etc}/initramfs-tools/conf.d/lab", "chroot \"$1\" update-initramfs -u"]
    return hooks
