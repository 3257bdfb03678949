/* SPDX-License-Identifier: 0BSD */
#include "trust_recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define MANIFEST(format) \
	"[update]\ncompatible=lifeboat test\nversion=1\n\n[bundle]\n" \
	"format=" format "\nverity-hash=" ZEROS "\nverity-salt=" ZEROS \
	"\nverity-size=4096\n\n[image.rootfs]\nsha256=" ZEROS \
	"\nsize=4096\nfilename=rootfs.img\n"

static const char *const manifests[FORMATS] = {
    [VERITY] = MANIFEST("verity"),
    [CRYPT] = MANIFEST("crypt\ncrypt-key=" ZEROS),
};

const char *const shape_name[SHAPES] = {"direct", "int-cms", "int-ring", "two",
    "three", "reverse", "double-cms", "double-ring", "missing", "self",
    "self-out", "anchor-int", "anchor-leaf", "root-cms", "other-root",
    "rollover", "renewed", "cross", "cross-both", "loop", "loop-out",
    "unrelated", "forgery"};

const char *const crl_name[CRL_STATES] = {"none", "good", "expired", "future",
    "endless", "revokes", "reason", "held", "removed", "itself", "critical",
    "number", "idp", "delta", "v1", "forged", "replaced", "forgiven", "later"};

static int64_t today;
static bool whole;
static unsigned mine, processes;
static unsigned char squashfs[1 << 17], zeros[12288];
static size_t squashfs_len;

static X509 *pool[64];
static unsigned pooled;

void recipe_begin(
    int64_t now, const char *payload, bool all, unsigned one, unsigned of)
{
	FILE *f = fopen(payload, "rb");

	today = now;
	whole = all;
	mine = one;
	processes = of;
	need(f != NULL, payload, __LINE__);
	squashfs_len = fread(squashfs, 1, sizeof squashfs, f);
	NEED(squashfs_len > 0 && squashfs_len < sizeof squashfs);
	NEED(fclose(f) == 0);
}

bool recipe_mine(void)
{
	static unsigned long n;

	return n++ % processes == mine;
}

struct recipe recipe_plain(enum shape shape)
{
	struct recipe r = {.shape = shape, .leaf = P256, .ca = P256};

	r.policy.now = today;
	r.leaf_aki.id = r.int_aki.id = r.crl_aki.id = RIGHT;
	return r;
}

static X509 *keep(X509 *x)
{
	NEED(pooled < LEN(pool));
	return pool[pooled++] = x;
}

CMS_ContentInfo *recipe_cms(void)
{
	CMS_ContentInfo *cms =
	    CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL);

	NEED(cms != NULL);
	return cms;
}

static void encode(CMS_ContentInfo *cms, unsigned char **der, size_t *len)
{
	int n;

	*der = NULL;
	n = i2d_CMS_ContentInfo(cms, der);
	NEED(n > 0);
	*len = (size_t)n;
}

/* Signs; idle: certificates that are added in the end. */
static void sign(struct scene *s, CMS_ContentInfo *cms, X509 *const *idle)
{
	const char *m = manifests[s->format];
	unsigned flags = CMS_BINARY | (s->format == PLAIN ? CMS_DETACHED : 0);
	BIO *in = m ? BIO_new_mem_buf(m, -1)
	            : BIO_new_mem_buf(squashfs, (int)squashfs_len);

	NEED(CMS_set_detached(cms, s->format == PLAIN) == 1);
	NEED(CMS_final(cms, in, NULL, flags) == 1);
	BIO_free(in);
	encode(cms, &s->cms, &s->cms_len);
	if (idle && *idle) {
		s->alone = s->cms;
		s->alone_len = s->cms_len;
		while (*idle)
			NEED(CMS_add1_cert(cms, *idle++) == 1);
		encode(cms, &s->cms, &s->cms_len);
	}
	CMS_ContentInfo_free(cms);
	s->payload = s->format == PLAIN ? squashfs : zeros;
	s->payload_len = s->format == PLAIN ? squashfs_len : sizeof zeros;
}

static void finish(struct scene *s, const char *name)
{
	judge(s, name);
	OPENSSL_free(s->cms);
	OPENSSL_free(s->alone);
	OPENSSL_free(s->envelope);
	while (s->crls > 0)
		X509_CRL_free(s->crl[--s->crls]);
	while (pooled > 0)
		X509_free(pool[--pooled]);
}

void recipe_judge(struct scene *s, CMS_ContentInfo *cms, const char *name)
{
	sign(s, cms, NULL);
	finish(s, name);
}

static X509 *make(const struct recipe *r, const struct cert_spec *spec)
{
	struct cert_spec c = *spec;

	if (!c.from)
		c.from = Y2020;
	if (!c.to)
		c.to = Y2099;
	/* What the anchor signed itself with does not count. */
	if (c.issuer)
		c.sig = r->cert;
	return keep(cert_make(&c));
}

X509 *recipe_cert(const struct recipe *r, const char *cn, EVP_PKEY *key,
    X509 *issuer, EVP_PKEY *by, const char *ext, struct window at)
{
	struct cert_spec c = {.cn = cn,
	    .key = key,
	    .issuer = issuer,
	    .by = by,
	    .ext = ext,
	    .from = at.from,
	    .to = at.to};

	return make(r, &c);
}

static void add_crl(struct scene *s, const struct recipe *r,
    enum crl_state state, X509 *issuer, enum role role, X509 *child)
{
	static const int reasons[CRL_STATES] = {[REVOKES] = -1,
	    [REASON] = 1,
	    [HELD] = 6,
	    [REMOVED] = 8,
	    [ITSELF] = -1};
	static const char *const exts[CRL_STATES] = {
	    [CRITICAL] = "1.2.3.4=critical,DER:0500",
	    [NUMBER] = "1.2.3.4=DER:0500",
	    [IDP] = "issuingDistributionPoint=critical,DER:30038101ff",
	    [DELTA] = "deltaCRL=critical,DER:020101"};
	struct crl_spec c = {
	    .ext = exts[state],
	    .issuer = issuer,
	    .by = key_of(r->ca, state == FORGED ? OTHER : role),
	    .sig = r->crl,
	    .aki = r->crl_aki,
	    .reason = -1,
	    .from = r->crl_at.from ? r->crl_at.from : Y2025,
	    .to = r->crl_at.to ? r->crl_at.to : Y2099,
	    .v1 = state == FIRST,
	};

	if (state == NONE)
		return;
	if (state == EXPIRED || state == REPLACED) {
		c.from = Y2000;
		c.to = Y2020;
	} else if (state == FUTURE) {
		c.from = Y2090;
	} else if (state == ENDLESS) {
		c.to = 0;
	}
	if (state >= REVOKES && state <= ITSELF) {
		c.revoked = state == ITSELF ? issuer : child;
		c.reason = reasons[state];
	}
	if (state == FORGIVEN)
		c.revoked = child;
	s->crl[s->crls++] = crl_make(&c);
	if (state < REPLACED)
		return;
	c.from = state == REPLACED ? Y2025 : c.from + 10;
	c.to = Y2099;
	c.revoked = state == LATER ? child : NULL;
	s->crl[s->crls++] = crl_make(&c);
}

/* Intermediates between root and signer. */
static const unsigned depth[SHAPES] = {
    [INT_CMS] = 1,
    [INT_RING] = 1,
    [TWO] = 2,
    [THREE] = 3,
    [REVERSE] = 2,
    [DOUBLE_CMS] = 1,
    [DOUBLE_RING] = 1,
    [MISSING] = 1,
    [ANCHOR_INT] = 1,
    [CROSS] = 1,
    [CROSS_BOTH] = 1,
    [LOOP] = 1,
    [LOOP_OUT] = 1,
    [FORGERY] = 1,
};

/* What has been made of a recipe so far. */
struct work {
	const struct recipe *r;
	struct scene s;
	CMS_ContentInfo *cms;
	X509 *root, *top; /* that signed; of the name that leads to the ring */
	X509 *inter[3], *leaf;
	unsigned inters;
	X509 *idle[3]; /* added to the signature in the end; NULL: no more */
};

static const char *ca_ext(const char *own)
{
	return own ? own : CA_EXT;
}

static X509 *make_root(const struct work *w, const char *cn, enum role role)
{
	const struct recipe *r = w->r;
	struct cert_spec c = {
	    .cn = cn,
	    .key = key_of(r->ca, role),
	    .ext = ca_ext(r->root_ext),
	    .from = r->root_at.from,
	    .to = r->root_at.to,
	    .v1 = role == ROOT && r->root_v1,
	};

	return make(r, &c);
}

static X509 *make_int(const struct work *w, unsigned i, const char *cn,
    enum role role, X509 *issuer, enum role by)
{
	const struct recipe *r = w->r;
	struct cert_spec c = {
	    .cn = cn,
	    .key = key_of(r->ca, role),
	    .issuer = issuer,
	    .by = key_of(r->ca, by),
	    .ext = i == 0 ? ca_ext(r->int_ext) : CA_EXT,
	    .aki = r->int_aki,
	    .from = r->int_at.from,
	    .to = r->int_at.to,
	    .v1 = i == 0 && r->int_v1,
	};

	return make(r, &c);
}

static void make_leaf(struct work *w, X509 *issuer, enum role by)
{
	const struct recipe *r = w->r;
	bool self = r->shape == SELF || r->shape == SELF_OUT;
	struct cert_spec c = {
	    .cn = r->cn      ? r->cn
	          : r->no_cn ? NULL
	                     : "Signer",
	    .cn_type = r->cn_type,
	    .cn_len = r->cn_len,
	    .more = r->more_cn,
	    .key = key_of(r->leaf, LEAF),
	    .issuer = self ? NULL : issuer,
	    .by = self ? NULL : key_of(r->ca, by),
	    .ext = r->leaf_ext ? r->leaf_ext : EE_EXT,
	    .from = r->leaf_at.from,
	    .to = r->leaf_at.to,
	};

	if (!self)
		c.aki = r->leaf_aki;
	w->leaf = make(r, &c);
}

static void make_certs(struct work *w)
{
	static const enum role roles[] = {INT, SUB, THIRD};
	static const char *const names[] = {"Intermediate", "Sub", "Third"};
	const struct recipe *r = w->r;
	enum shape shape = r->shape;
	enum role by = ROOT;
	X509 *issuer;

	w->root = w->top = issuer = make_root(w, "Root", ROOT);
	if (shape == OTHER_ROOT || shape == ROLLOVER)
		w->top = make_root(w, "Root", OTHER);
	if (shape == CROSS || shape == CROSS_BOTH)
		w->top = make_root(w, "Other root", OTHER);
	for (unsigned i = 0; i < depth[shape]; i++) {
		issuer = make_int(w, i, names[i], roles[i], issuer, by);
		w->inter[w->inters++] = issuer;
		by = roles[i];
	}
	if (shape == LOOP || shape == LOOP_OUT) {
		/* Sub by Intermediate, and Intermediate by Sub once more */
		w->inter[1] = make_int(w, 1, "Sub", SUB, w->inter[0], INT);
		w->inter[2] =
		    make_int(w, 2, "Intermediate", INT, w->inter[1], SUB);
	}
	make_leaf(w, issuer, shape == FORGERY ? OTHER : by);
}

/* What the signature brings along. */
static void add_certs(struct work *w)
{
	const struct recipe *r = w->r;
	enum shape shape = r->shape;
	struct scene *s = &w->s;
	X509 *next;

	s->path[s->paths++] = w->leaf;
	if (shape == LOOP || shape == LOOP_OUT) {
		if (shape == LOOP_OUT)
			NEED(CMS_add1_cert(w->cms, w->inter[0]) == 1);
		w->idle[0] = w->inter[1];
		w->idle[1] = w->inter[2];
		s->path[s->paths++] = w->inter[shape == LOOP ? 2 : 0];
		return;
	}
	for (unsigned i = w->inters; i-- > 0;) {
		if (shape != INT_RING && shape != MISSING &&
		    shape != ANCHOR_INT && shape != CROSS)
			NEED(CMS_add1_cert(w->cms, w->inter[i]) == 1);
		if (shape != MISSING && shape != ANCHOR_INT)
			s->path[s->paths++] = w->inter[i];
	}
	if (shape == ROOT_CMS)
		NEED(CMS_add1_cert(w->cms, w->root) == 1);
	if (shape == UNRELATED)
		NEED(CMS_add1_cert(
		         w->cms, recipe_cert(r, "Unrelated", key_of(r->ca, SUB),
		                     NULL, NULL, CA_EXT, r->int_at)) == 1);
	if (shape == CROSS || shape == CROSS_BOTH) {
		next = make_int(w, 0, "Intermediate", INT, w->top, OTHER);
		NEED(CMS_add1_cert(w->cms, next) == 1);
		if (shape == CROSS) {
			s->path[s->paths - 1] = next;
			w->idle[0] = w->inter[0];
		}
	}
}

static void fill_ring(struct work *w)
{
	const struct recipe *r = w->r;
	enum shape shape = r->shape;
	const struct window old = {Y2000, Y2020};
	struct scene *s = &w->s;

	if (shape == SELF || shape == ANCHOR_LEAF)
		s->ring[s->rings++] = w->leaf;
	else if (shape == ANCHOR_INT)
		s->ring[s->rings++] = w->inter[0];
	else if (shape == ROOT_CMS)
		s->ring[s->rings++] = recipe_cert(r, "Unrelated",
		    key_of(r->ca, SUB), NULL, NULL, CA_EXT, r->int_at);
	else
		s->ring[s->rings++] = w->top;
	if (shape == ROLLOVER || shape == CROSS_BOTH || shape == DOUBLE_RING)
		s->ring[s->rings++] = w->root;
	if (shape == INT_RING)
		s->ring[s->rings++] = w->inter[0];
	if (shape == RENEWED)
		s->ring[s->rings++] = recipe_cert(r, "Root",
		    key_of(r->ca, ROOT), NULL, NULL, ca_ext(r->root_ext), old);
	add_crl(s, r, r->root_crl, w->root, ROOT,
	    w->inters > 0 ? w->inter[0] : w->leaf);
	if (w->inters > 0)
		add_crl(s, r, r->int_crl, w->inter[0], INT,
		    w->inters > 1 ? w->inter[1] : w->leaf);
	if (w->inters > 1)
		add_crl(s, r, r->sub_crl, w->inter[1], SUB,
		    w->inters > 2 ? w->inter[2] : w->leaf);
	if (w->inters > 2)
		add_crl(s, r, r->sub_crl, w->inter[2], THIRD, w->leaf);
	for (unsigned i = 0; r->crl_in_cms && i < s->crls; i++)
		NEED(CMS_add1_crl(w->cms, s->crl[i]) == 1);
}

/* Around the signature, for the device, and others. */
static void encrypt(struct work *w)
{
	static const char ext[] = EE_EXT;
	const struct recipe *r = w->r;
	struct scene *s = &w->s;
	STACK_OF(X509) *to = sk_X509_new_null();
	EVP_PKEY *key = key_of(r->device_key, LEAF);
	const struct window wide = {Y2000, Y2099};
	X509 *device = recipe_cert(r, "Device", key, NULL, NULL, ext, wide);

	if (r->others) {
		sk_X509_push(
		    to, recipe_cert(r, "Other RSA", key_of(RSA2048, OTHER),
		            NULL, NULL, ext, wide));
		sk_X509_push(to, recipe_cert(r, "Other EC", key_of(P256, OTHER),
		                     NULL, NULL, ext, wide));
	}
	sk_X509_push(to, device);
	s->envelope_len = s->cms_len;
	s->envelope = envelope_make(s->cms, &s->envelope_len, to, &r->envelope);
	sk_X509_free(to);
	if (r->device == DEVICE_YES)
		s->device = key;
	else if (r->device == DEVICE_OTHER)
		s->device = key_of(r->device_key, SUB);
	if (r->device_cert && r->device == DEVICE_YES)
		s->device_cert = device;
}

/* What is signed, to another version. */
static void change_inline(struct scene *s)
{
	unsigned char *at = memmem(s->cms, s->cms_len, "version=1", 9);

	NEED(at != NULL);
	at[8] ^= 1;
}

static void run_format(const struct recipe *r, const char *name, bool keyid)
{
	static const char *const format_name[] = {"verity", "plain", "crypt"};
	struct work w = {.r = r, .cms = recipe_cms()};
	struct scene *s = &w.s;
	char full[500];

	s->policy = r->policy;
	s->format = r->format;
	make_certs(&w);
	/* an identifier that is malformed is none */
	keyid = keyid && X509_check_purpose(w.leaf, -1, 0) == 1 &&
	        X509_get0_subject_key_id(w.leaf) != NULL;
	(void)signer_add(w.cms, w.leaf, key_of(r->leaf, LEAF), &r->signer,
	    keyid ? CMS_USE_KEYID : 0, SIGNED_AT);
	add_certs(&w);
	fill_ring(&w);
	sign(s, w.cms, w.idle);
	s->cms[s->cms_len - 1] ^= r->damaged;
	if (r->changed && r->format != PLAIN)
		change_inline(s);
	if (r->shape == REVERSE)
		certs_rewrite(&s->cms, &s->cms_len, REVERSED);
	if (r->shape == DOUBLE_CMS)
		certs_rewrite(&s->cms, &s->cms_len, DOUBLED);
	if (r->crl_in_cms)
		while (s->crls > 0)
			X509_CRL_free(s->crl[--s->crls]);
	if (r->format == CRYPT && !r->bare)
		encrypt(&w);
	squashfs[squashfs_len - 1] ^= r->changed;
	snprintf(full, sizeof full, "%s format=%s%s%s", name,
	    format_name[r->format], keyid ? " sid=keyid" : "",
	    r->policy.now == today ? "" : " moved");
	finish(s, full);
	squashfs[squashfs_len - 1] ^= r->changed;
}

void recipe_run(const struct recipe *recipe, const char *name)
{
	/* by turns, of a length that no loop of the cases has */
	static const enum format turns[] = {VERITY, PLAIN, CRYPT, VERITY, PLAIN,
	    VERITY, CRYPT, PLAIN, VERITY, CRYPT, VERITY};
	static unsigned long n;
	struct recipe r = *recipe;
	unsigned long turn = n++;
	enum format only = r.fixed ? r.format : turns[turn % LEN(turns)];

	for (enum format f = VERITY; f < FORMATS; f++) {
		bool keyid = r.no_sid ? r.keyid : (turn + f) % 3 == 1;

		if ((!whole || r.fixed) && f != only)
			continue;
		if (!recipe_mine())
			continue;
		r.format = f;
		if (!recipe->fixed && f == CRYPT) {
			r.device_key = turn % 2 ? P256 : RSA2048;
			r.device_cert = turn / 2 % 2;
			r.others = turn / 4 % 2;
			r.bare = turn % 5 == 0;
		}
		run_format(&r, name, keyid);
	}
}
