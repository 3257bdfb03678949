/* SPDX-License-Identifier: 0BSD */
/*
 * What can be left out, with its price in bytes of the stripped arm64 binary
 * (measured by make prices). Used in ordinary code, if (OPT_ZSTD), so that
 * everything is compiled always and a misspelt name is an error. Left out
 * with make OPTS=-DOPT_ZSTD=0; several: OPTS="-DOPT_ZSTD=0 -DOPT_MTD=0".
 */
#ifndef LIFEBOAT_OPTIONS_H
#define LIFEBOAT_OPTIONS_H

/* squashfs compression */
#ifndef OPT_GZIP
#define OPT_GZIP 1 /* 5,360 */
#endif
#ifndef OPT_ZSTD
#define OPT_ZSTD 1 /* 17,320 */
#endif

/* boot loaders */
#ifndef OPT_UBOOT
#define OPT_UBOOT 1 /* 5,272 */
#endif

/* sources: partitions and FAT on USB sticks and SD cards */
#ifndef OPT_USB
#define OPT_USB 1 /* 5,504 */
#endif

/* the U-Boot environment in NOR flash, through /dev/mtdN */
#ifndef OPT_MTD
#define OPT_MTD 1 /* 864 */
#endif

/* RAUC's status file */
#ifndef OPT_STATUS
#define OPT_STATUS 1 /* 8,824 */
#endif

#endif
