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
#define OPT_GZIP 1 /* 5,288 */
#endif
#ifndef OPT_ZSTD
#define OPT_ZSTD 1 /* 17,216 */
#endif
#ifndef OPT_XZ
#define OPT_XZ 1 /* 7,120 */
#endif
#ifndef OPT_LZ4
#define OPT_LZ4 1 /* 784 */
#endif

/* bundle formats beside verity */
#ifndef OPT_PLAIN
#define OPT_PLAIN 1 /* 1,904 */
#endif
#ifndef OPT_CRYPT
#define OPT_CRYPT 1 /* 14,936 */
#endif

/* signatures: RSA-PSS; revocation by the CRLs of the keyring */
#ifndef OPT_PSS
#define OPT_PSS 1 /* 952 */
#endif
#ifndef OPT_CRL
#define OPT_CRL 1 /* 3,432 */
#endif

/* boot loaders */
#ifndef OPT_UBOOT
#define OPT_UBOOT 1 /* 5,200 */
#endif

/* sources: partitions and FAT on USB sticks and SD cards, exFAT beside it,
 * a TFTP server, a serial line */
#ifndef OPT_USB
#define OPT_USB 1 /* 7,720 */
#endif
#ifndef OPT_EXFAT
#define OPT_EXFAT 1 /* 2,168 */
#endif
#ifndef OPT_TFTP
#define OPT_TFTP 1 /* 13,936 */
#endif
#ifndef OPT_SERIAL
#define OPT_SERIAL 1 /* 8,816 */
#endif

/* bundles in stream order, over what comes once */
#ifndef OPT_STREAM
#define OPT_STREAM 1 /* 7,984 */
#endif
/* What comes once, in whatever way: standard input comes with any of them. */
#define OPT_FEED (OPT_TFTP || OPT_SERIAL || OPT_STREAM)

/* the U-Boot environment in NOR flash, through /dev/mtdN */
#ifndef OPT_MTD
#define OPT_MTD 1 /* 864 */
#endif

/* RAUC's status file */
#ifndef OPT_STATUS
#define OPT_STATUS 1 /* 9,536 */
#endif

/* what info says of the chain and of each policy, in shell and JSON, too */
#ifndef OPT_VERDICT
#define OPT_VERDICT 1 /* 1,576 */
#endif

#endif
