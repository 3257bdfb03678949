/* SPDX-License-Identifier: 0BSD */
/*
 * Why something was refused or failed: one code each, all of them here.
 * Functions return 0 or one of these (negative). The name is what logs,
 * reports and --output-format show; it never changes its meaning. The help
 * is what the person in front of the device can do about it.
 * src/FORMAT.md lists them for integrators; a test compares the two.
 */
#ifndef LIFEBOAT_REASON_H
#define LIFEBOAT_REASON_H

#include "base/base.h"

#define REASONS(X) \
	/* general */ \
	X(R_IO, -1, "io-error", \
	    "try another stick or port, or replace the device") \
	X(R_RANGE, -2, "out-of-range", "the data is damaged") \
	X(R_READ_ONLY, -3, "read-only", "remove the write protection") \
	X(R_LIMIT, -4, "limit-exceeded", \
	    "larger than this build allows: see src/options.h") \
	X(R_INTERNAL, -5, "internal-error", \
	    "a bug in lifeboat: please report this line") \
	X(R_USAGE, -6, "usage", "see lifeboat --help") \
	X(R_NOT_FOUND, -7, "not-found", "check the name, and who may read it") \
	X(R_CANCELLED, -8, "cancelled", "start again when ready") \
	X(R_TIMEOUT, -9, "timeout", \
	    "try again, with another stick, port or cable") \
	X(R_CHILD, -10, "worker-died", "try again, and report it") \
	X(R_SYSTEM, -11, "system", \
	    "check name and rights; in recovery, the kernel configuration") \
	X(R_KEYFILE_SYNTAX, -12, "keyfile-syntax", "correct the named line") \
	X(R_KEYFILE_VALUE, -13, "keyfile-value", "correct the named line") \
	X(R_FULL, -14, "disk-full", "make room on the file system") \
	/* media */ \
	X(R_NO_MEDIUM, -20, "no-medium", \
	    "plug in a USB stick or SD card with a bundle (*.raucb)") \
	X(R_MEDIUM_GONE, -21, "medium-removed", \
	    "plug the stick in again and leave it in") \
	X(R_PART_TABLE, -22, "partition-table", \
	    "format the stick anew (MBR, FAT32)") \
	X(R_FS_UNKNOWN, -23, "unknown-filesystem", \
	    "format the stick with FAT32") \
	X(R_FS_UNSUPPORTED, -24, "unsupported-filesystem", \
	    "copy the bundle to a stick with FAT32") \
	X(R_FAT_DAMAGED, -25, "fat-damaged", \
	    "repair the stick with fsck.fat or format it anew") \
	X(R_NO_BUNDLE, -26, "no-bundle", \
	    "copy a bundle (*.raucb) to the stick") \
	X(R_EXFAT_DAMAGED, -27, "exfat-damaged", \
	    "repair the stick with fsck.exfat or format it anew") \
	X(R_BUNDLE_CHOICE, -28, "bundle-choice", \
	    "leave only one of them on the stick, press l, or name one with " \
	    "lifeboat.bundle=") \
	/* bundle trailer */ \
	X(R_BUNDLE_SHORT, -40, "bundle-too-short", \
	    "incomplete: copy the bundle again and eject the stick " \
	    "properly") \
	X(R_SIG_SIZE_ZERO, -41, "signature-size-zero", \
	    "incomplete: copy the bundle again and eject the stick " \
	    "properly") \
	X(R_SIG_SIZE_LARGE, -42, "signature-size-too-large", \
	    "no bundle, or incomplete: copy the bundle again") \
	X(R_SIG_SIZE_LITTLE, -43, "signature-size-little-endian", \
	    "make the bundle with rauc bundle") \
	X(R_PAYLOAD_SIZE, -44, "payload-size", \
	    "no multiple of 4096 bytes: copy the bundle again") \
	X(R_FORMAT_UNSUPPORTED, -45, "bundle-format-unsupported", \
	    "make the bundle in a format that is allowed") \
	X(R_PLAIN_SIZE, -46, "plain-size", \
	    "make the bundle with format=verity") \
	X(R_PLAIN_CHANGED, -47, "medium-changed", \
	    "what is read is not what was verified: use another stick") \
	X(R_CRYPT_KEY, -48, "cannot-decrypt", \
	    "encrypt the bundle for this device: rauc encrypt --to=") \
	X(R_CRYPT_OPEN, -49, "crypt-not-encrypted", \
	    "encrypt the bundle: rauc encrypt --to=") \
	/* CMS */ \
	X(R_CMS_SYNTAX, -50, "cms-syntax", "damaged: copy the bundle again") \
	X(R_CMS_BER, -51, "cms-ber", \
	    "convert its signature, into new.raucb: B=old.raucb; N=$(tail " \
	    "-c8 $B|od -An -tu8 --endian=big); head -c-$((N+8)) $B>new.raucb;" \
	    " tail -c$((N+8)) $B|openssl cms -cmsout -inform DER -outform DER" \
	    ">sig; cat sig>>new.raucb; perl -e'print pack\"Q>\",-s\"sig\"'" \
	    ">>new.raucb") \
	X(R_CMS_TYPE, -52, "cms-content-type", \
	    "sign the bundle with rauc bundle") \
	X(R_CMS_ENCRYPTED, -53, "cms-encrypted", \
	    "name this device's key in [encryption] of system.conf") \
	X(R_CMS_DETACHED, -54, "cms-detached", \
	    "make the bundle with format=verity") \
	X(R_CMS_SIGNERS, -55, "cms-signers", \
	    "sign the bundle with exactly one key, or set min-signers") \
	X(R_CMS_NO_ATTRS, -56, "cms-no-signed-attributes", \
	    "sign the bundle with rauc bundle") \
	X(R_CMS_ATTRS, -57, "cms-signed-attributes", \
	    "sign the bundle with rauc bundle") \
	X(R_CMS_DIGEST, -58, "digest-mismatch", \
	    "changed or damaged after signing: copy the bundle again") \
	X(R_CMS_SIGNATURE, -59, "bad-signature", \
	    "changed or damaged after signing: copy the bundle again") \
	X(R_CMS_ALGORITHM, -60, "signature-algorithm", \
	    "sign with SHA-256 or better and RSA or ECDSA P-256, P-384, " \
	    "P-521") \
	X(R_CMS_VERSION, -61, "cms-version", \
	    "sign the bundle with rauc bundle") \
	X(R_CMS_NO_CERT, -62, "signer-certificate-missing", \
	    "sign the bundle with rauc bundle") \
	X(R_CMS_INLINE, -63, "cms-inline", "sign the bundle with rauc bundle") \
	X(R_CMS_FEW_SIGNERS, -64, "cms-too-few-signers", \
	    "sign the bundle with more keys: see min-signers") \
	/* certificates */ \
	X(R_CERT_SYNTAX, -70, "certificate-syntax", \
	    "a certificate is damaged or not strict DER") \
	X(R_CERT_UNKNOWN, -71, "signer-unknown", \
	    "sign with a key this device trusts") \
	X(R_CERT_EXPIRED, -72, "certificate-expired", \
	    "check the clock, or sign with a valid certificate") \
	X(R_CERT_NOT_YET, -73, "certificate-not-yet-valid", \
	    "check the clock, or see use-bundle-signing-time") \
	X(R_CERT_PURPOSE, -74, "certificate-purpose", \
	    "sign with a certificate for this purpose, or set " \
	    "check-purpose in [keyring]") \
	X(R_CERT_CRITICAL, -75, "certificate-critical-extension", \
	    "use certificates without this extension") \
	X(R_CERT_KEY, -76, "certificate-key", \
	    "use RSA of 2048 to 4096 bits or ECDSA P-256, P-384, P-521") \
	X(R_CERT_ALGORITHM, -77, "certificate-algorithm", \
	    "sign with SHA-256 or better and RSA or ECDSA P-256, P-384, " \
	    "P-521") \
	X(R_CERT_SIGNATURE, -78, "certificate-signature", \
	    "sign the certificate with its issuer's key") \
	X(R_CERT_NOT_CA, -79, "certificate-not-a-ca", \
	    "use an issuer that may issue certificates") \
	X(R_CERT_PATHLEN, -80, "certificate-path-length", \
	    "use a shorter chain") \
	X(R_CERT_CN, -81, "signer-not-allowed", "see allowed-signer-cns") \
	X(R_KEYRING, -82, "keyring", \
	    "correct the keyring, or give a PEM file with --keyring") \
	X(R_KEYRING_KEY, -83, "keyring-option-unsupported", \
	    "correct the named key of [keyring]") \
	X(R_CRL_MISSING, -84, "crl-missing", \
	    "put the issuer's CRL into the keyring") \
	X(R_CRL_NOT_YET, -85, "crl-not-yet-valid", \
	    "check the clock, or see use-bundle-signing-time") \
	X(R_CRL_EXPIRED, -86, "crl-expired", \
	    "check the clock, or put a newer CRL into the keyring") \
	X(R_CERT_REVOKED, -87, "certificate-revoked", \
	    "sign with a certificate that is not revoked") \
	X(R_CRL_BAD, -88, "crl-unusable", \
	    "put a complete CRL of this issuer into the keyring") \
	/* manifest */ \
	X(R_MANIFEST_SYNTAX, -90, "manifest-syntax", \
	    "make the bundle with rauc bundle") \
	X(R_MANIFEST_KEY, -91, "manifest-unknown-key", \
	    "update lifeboat, or remove the key") \
	X(R_MANIFEST_VALUE, -92, "manifest-value", \
	    "correct the named key and make the bundle anew") \
	X(R_MANIFEST_MISSING, -93, "manifest-missing-key", \
	    "make the bundle with rauc bundle") \
	X(R_MANIFEST_HOOK, -94, "bundle-hooks", \
	    "make the bundle without hooks and handlers") \
	X(R_MANIFEST_VERSION, -95, "bundle-version", "use a newer bundle") \
	/* verity */ \
	X(R_VERITY_SIZE, -100, "verity-size", \
	    "damaged: copy the bundle again") \
	X(R_VERITY_DATA, -101, "verity-data", \
	    "damaged: copy the bundle again, or use another stick") \
	X(R_VERITY_TREE, -102, "verity-tree", \
	    "damaged: copy the bundle again, or use another stick") \
	X(R_VERITY_PADDING, -103, "verity-padding", \
	    "damaged: copy the bundle again") \
	/* squashfs */ \
	X(R_SQFS_MAGIC, -110, "squashfs-magic", \
	    "make the bundle with rauc bundle") \
	X(R_SQFS_VERSION, -111, "squashfs-version", \
	    "make the bundle with squashfs 4.0") \
	X(R_SQFS_CODEC, -112, "squashfs-compression", \
	    "make the bundle with gzip, zstd, xz or lz4: " \
	    "--mksquashfs-args=\"-comp zstd\"") \
	X(R_SQFS_DAMAGED, -113, "squashfs-damaged", "make the bundle anew") \
	X(R_SQFS_RANGE, -114, "squashfs-out-of-range", "make the bundle anew") \
	X(R_SQFS_LOOP, -115, "squashfs-loop", "make the bundle anew") \
	X(R_SQFS_DECOMPRESS, -116, "squashfs-decompression", \
	    "make the bundle anew") \
	X(R_SQFS_TYPE, -117, "squashfs-file-type", \
	    "images in a bundle must be regular files") \
	/* images and slots */ \
	X(R_CONF_MISSING, -130, "system-conf-missing-key", \
	    "complete system.conf") \
	X(R_CONF_VALUE, -131, "system-conf-value", \
	    "correct the named setting") \
	X(R_COMPATIBLE, -132, "wrong-compatible", \
	    "use a bundle for this device") \
	X(R_NO_SLOT_CLASS, -133, "no-slot-for-image", \
	    "add a slot for this image class to system.conf") \
	X(R_IMAGE_MISSING, -134, "image-missing", "make the bundle anew") \
	X(R_IMAGE_SIZE, -135, "image-size", "make the bundle anew") \
	X(R_IMAGE_HASH, -136, "image-sha256", "make the bundle anew") \
	X(R_IMAGE_TYPE, -137, "image-type", \
	    "use an image of another type for this slot") \
	X(R_IMAGE_NONE, -138, "no-images", "use a bundle with images") \
	X(R_CRYPT_CONF, -139, "encryption-key", \
	    "correct [encryption] of system.conf: a key in a PEM file") \
	X(R_TARGET_SMALL, -140, "target-too-small", \
	    "use a smaller image or a larger slot") \
	X(R_TARGET_MISSING, -141, "target-missing", \
	    "check system.conf and the disk") \
	X(R_TARGET_AMBIGUOUS, -142, "target-ambiguous", \
	    "remove the foreign disk") \
	X(R_TARGET_BUSY, -143, "target-mounted", "unmount the slot") \
	X(R_TARGET_READ_ONLY, -144, "target-read-only", \
	    "remove the write protection") \
	X(R_TARGET_SOURCE, -145, "target-is-source", \
	    "copy the bundle somewhere else") \
	X(R_TARGET_WRITE, -146, "target-write-error", \
	    "worn out? replace the device") \
	X(R_TARGET_FLUSH, -147, "target-flush-error", \
	    "worn out? replace the device") \
	X(R_TARGET_READBACK, -148, "target-readback-mismatch", \
	    "worn out? replace the device") \
	X(R_NO_TARGET, -149, "no-target", \
	    "state the booted slot (rauc.slot=, rauc.external)") \
	X(R_LAST_GOOD, -150, "last-good-slot", \
	    "send it as *.raucb, which is verified before, or give up the " \
	    "slot: --give-up-last-good, x at the console") \
	/* boot state */ \
	X(R_BOOT_CONFIG, -160, "boot-config", \
	    "correct fw_env.config or the bootloader key of system.conf") \
	X(R_BOOT_CRC, -161, "boot-env-crc", "write a valid boot environment") \
	X(R_BOOT_FULL, -163, "boot-env-full", \
	    "enlarge the boot environment or remove variables") \
	X(R_BOOT_IO, -164, "boot-env-io", \
	    "check the device named in fw_env.config") \
	X(R_BOOT_LOCKED, -165, "boot-env-locked", \
	    "try again when the other program is done") \
	X(R_BOOT_UNSUPPORTED, -166, "bootloader-unsupported", \
	    "use a lifeboat with a back end for this boot loader") \
	X(R_BOOT_NAME, -167, "bootname", "correct the bootname") \
	/* status file: an install goes on without it */ \
	X(R_STATUS_PLACE, -180, "status-place", \
	    "correct [data] in lifeboat.conf, or data-directory and " \
	    "statusfile in system.conf") \
	X(R_STATUS_MOUNT, -181, "status-unreachable", \
	    "check the data partition (fsck) and the recovery's modules") \
	X(R_STATUS_DAMAGED, -182, "status-damaged", \
	    "nothing: the file was made anew, the old one is kept beside it") \
	X(R_STATUS_WRITE, -183, "status-not-written", \
	    "make room on the data partition, or check it (fsck)") \
	/* network */ \
	X(R_NET_CONFIG, -190, "network-config", \
	    "correct [network] in lifeboat.conf, ip= or the address given") \
	X(R_NET_DEVICE, -191, "no-network-device", \
	    "check the driver in the recovery's modules") \
	X(R_NET_LINK, -192, "no-link", "plug in the network cable") \
	X(R_NET_LEASE, -193, "no-lease", \
	    "check the DHCP server, or give a static address with ip=") \
	X(R_NET_SERVER, -194, "no-server", \
	    "check the server's address, and that it runs") \
	X(R_TFTP_NOT_FOUND, -195, "tftp-file-not-found", \
	    "check the file name, below the server's directory") \
	X(R_TFTP_ACCESS, -196, "tftp-access-denied", \
	    "make the file readable (to write: present and writable) for all") \
	X(R_TFTP_OPTION, -197, "tftp-option-refused", \
	    "use another TFTP server: it answers with options nobody asked " \
	    "for") \
	X(R_TFTP_FULL, -198, "tftp-disk-full", "make room on the server") \
	X(R_TFTP_ERROR, -199, "tftp-error", "see the server's own text") \
	X(R_TFTP_SYNTAX, -200, "tftp-syntax", "use another TFTP server") \
	X(R_NET_SIZE, -201, "wrong-size", \
	    "the file changed or was cut on the way: try again") \
	/* serial line */ \
	X(R_LINE_NOISE, -205, "line-noise", \
	    "check cable and ground, use a lower baud rate or flow control") \
	X(R_LINE_PROTOCOL, -206, "unknown-protocol", \
	    "send with XMODEM, YMODEM or ZMODEM: sz, sb, sx") \
	X(R_LINE_SILENT, -207, "line-silent", \
	    "start the sender, and check cable and baud rate") \
	X(R_LINE_CANCELLED, -208, "sender-cancelled", "send it again") \
	X(R_LINE_CONFIG, -209, "serial-config", \
	    "correct serial= in lifeboat.conf or the address given") \
	/* bytes that come once */ \
	X(R_STREAM_CUT, -215, "stream-cut", \
	    "it ended too early: send it again, or make it anew") \
	X(R_STREAM_HEADER, -216, "stream-header", \
	    "make it anew: lifeboat stream IN.raucb OUT.raucs") \
	X(R_STREAM_INDEX, -217, "stream-index", \
	    "use larger squashfs blocks (--mksquashfs-args=\"-b 128k\"), or " \
	    "a stick") \
	X(R_STREAM_LAYOUT, -218, "stream-layout", \
	    "make the bundle anew with mksquashfs, or use a stick") \
	X(R_STREAM_FORMAT, -219, "stream-bundle-format", \
	    "make the bundle with format=verity or crypt") \
	X(R_STREAM_TWICE, -220, "stream-once", \
	    "this needs the file twice: restore it first with lifeboat " \
	    "stream --restore") \
	X(R_SPOOL_FULL, -221, "larger-than-memory", \
	    "send it in stream order: lifeboat stream IN.raucb OUT.raucs")

#define REASON_ENUM(code, value, name, help) code = (value),
/* 0 is not called R_OK: <unistd.h> has that name */
enum reason { R_NONE = 0, REASONS(REASON_ENUM) };
#undef REASON_ENUM

/* "ok" for 0, "unknown" for a number that is no reason. */
const char *reason_name(int reason);
const char *reason_help(int reason);

#define DIAG_SEEN 200

/*
 * What went wrong, in one operation: the first reason wins, later ones (the
 * consequences) are dropped. Start with {0}.
 */
struct diag {
	int reason;           /* 0 or one of enum reason */
	char seen[DIAG_SEEN]; /* what was seen and what was expected */
};

/* Records reason and text if d has none yet; d may be NULL. Returns reason,
 * so that a caller writes `return diag_fail(d, R_X, ...)`. */
int diag_fail(struct diag *d, int reason, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Makes d empty again, for the next operation. */
void diag_clear(struct diag *d);

#endif
