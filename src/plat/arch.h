/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What this program is compiled for, in the words of boot images and of UEFI's names of files
 *
 * An agent for x86 runs on processors with 64 bits too; only who started the computer (a boot image for x86) decides.
 */

#if defined(__x86_64__)
#    define ARCH_NAME     "x64"
#    define ARCH_EFI      "x64" /* shimx64.efi */
#    define ARCH_EFI_BOOT "X64" /* BOOTX64.EFI */
#elif defined(__i386__)
#    define ARCH_NAME     "x86"
#    define ARCH_EFI      "ia32"
#    define ARCH_EFI_BOOT "IA32"
#else
#    error "There are boot images for x64 and x86 only."
#endif
