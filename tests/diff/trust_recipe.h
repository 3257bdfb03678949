/* SPDX-License-Identifier: 0BSD */
/*
 * From a description to a scene: certificates, CRLs, one signature, a bundle
 * of one of the three formats. Words of the description that are not of the
 * case's own name are added to it: format=, sid=.
 */
#ifndef LIFEBOAT_TRUST_RECIPE_H
#define LIFEBOAT_TRUST_RECIPE_H

#include "trust_oracle.h"

#define Y2000 946684800
#define Y2020 1577836800
#define Y2025 1735689600
#define Y2090 3786912000
#define Y2099 4070908800
#define SIGNED_AT (Y2025 + 86400 * 400) /* the signingTime of all */

#define LEN(a) (sizeof(a) / sizeof(a)[0])

#define CA_EXT \
	"basicConstraints=critical,CA:TRUE|" \
	"keyUsage=critical,keyCertSign,cRLSign|subjectKeyIdentifier=hash"
#define EE_EXT "basicConstraints=CA:FALSE|subjectKeyIdentifier=hash"

enum shape {
	DIRECT,
	INT_CMS,
	INT_RING,
	TWO,
	THREE,
	REVERSE,     /* as TWO, the certificates from the last to the first */
	DOUBLE_CMS,  /* as INT_CMS, one certificate twice */
	DOUBLE_RING, /* as INT_CMS, the root twice */
	MISSING,
	SELF,
	SELF_OUT,
	ANCHOR_INT,
	ANCHOR_LEAF,
	ROOT_CMS,
	OTHER_ROOT,
	ROLLOVER,
	RENEWED,
	CROSS,
	CROSS_BOTH,
	LOOP,     /* two intermediates that signed each other */
	LOOP_OUT, /* and one of them signed by the root as well */
	UNRELATED,
	FORGERY, /* as INT_CMS, but another key signed for the signer */
	SHAPES
};
extern const char *const shape_name[SHAPES];

enum crl_state {
	NONE,
	GOOD,
	EXPIRED,
	FUTURE,
	ENDLESS,
	REVOKES,
	REASON,
	HELD,
	REMOVED,
	ITSELF,
	CRITICAL,
	NUMBER,
	IDP,
	DELTA,
	FIRST,
	FORGED,
	REPLACED,
	FORGIVEN, /* what one says the newer one does not */
	LATER,    /* what the newer one says the older one does not */
	CRL_STATES
};
extern const char *const crl_name[CRL_STATES];

struct window {
	int64_t from, to;
};

/* Who opens the bundle, of format=crypt. */
enum device { DEVICE_YES, DEVICE_OTHER, DEVICE_NONE };

struct recipe {
	enum shape shape;
	enum kind leaf, ca;
	struct sig signer, cert, crl; /* SignerInfo, all certificates, CRLs */
	const char *leaf_ext, *int_ext, *root_ext;
	struct aki leaf_aki, int_aki, crl_aki;
	struct window leaf_at, int_at, root_at, crl_at;
	bool int_v1, root_v1;
	enum crl_state sub_crl, int_crl, root_crl;
	bool crl_in_cms; /* they come with the signature and not the keyring */
	const char *cn, *more_cn; /* the signer's; cn NULL: "Signer" */
	int cn_type, cn_len;
	bool no_cn;
	struct trust_policy policy;
	bool keyid;  /* the signer is named by his key's identifier */
	bool no_sid; /* how he is named matters to the case */
	/* fixed: of this format only; otherwise by turns, or of each */
	bool fixed;
	enum format format;
	bool bare;            /* format=crypt without an envelope */
	enum kind device_key; /* of format=crypt */
	enum device device;
	bool device_cert, others; /* the device has it; more recipients */
	struct envelope_spec envelope;
	bool damaged; /* one bit of the signature */
	bool changed; /* one bit of what is signed */
};

/* What most cases begin with; policy as of a system.conf and a lifeboat.conf
 * that say nothing, at the clock of the machine. */
struct recipe recipe_plain(enum shape shape);

/* Makes the case and hands it over to judge(). */
void recipe_run(const struct recipe *r, const char *name);

/* For cases that are no recipe. */
X509 *recipe_cert(const struct recipe *r, const char *cn, EVP_PKEY *key,
    X509 *issuer, EVP_PKEY *by, const char *ext, struct window at);
CMS_ContentInfo *recipe_cms(void);
void recipe_judge(struct scene *s, CMS_ContentInfo *cms, const char *name);

/* The clock of the machine; every format of every recipe and not one; this
 * process is one of of, and takes its share of the cases. */
void recipe_begin(
    int64_t now, const char *payload, bool all, unsigned one, unsigned of);

/* Whether the next case is of this process. */
bool recipe_mine(void);

/* As trust_matrix.c does. */
void judge(const struct scene *s, const char *name);

#endif
