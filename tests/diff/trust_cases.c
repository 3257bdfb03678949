/* SPDX-License-Identifier: 0BSD */
#include "trust_cases.h"

#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

static const char *const purpose_name[] = {"smimesign", "codesign", "any"};

/* ---- the parts of the matrix */

static const char *const digests[] = {
    "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-256"};

static const struct {
	const char *name;
	struct sig sig;
} pads[] = {
    {"pkcs1", {0}},
    {"pss-digest", {NULL, true, RSA_PSS_SALTLEN_DIGEST, NULL}},
    {"pss-0", {NULL, true, 0, NULL}},
    {"pss-20", {NULL, true, 20, NULL}},
    {"pss-32", {NULL, true, 32, NULL}},
    {"pss-max", {NULL, true, RSA_PSS_SALTLEN_MAX, NULL}},
    {"pss-mgf-sha1", {NULL, true, RSA_PSS_SALTLEN_DIGEST, "sha1"}},
    {"pss-mgf-sha384", {NULL, true, RSA_PSS_SALTLEN_DIGEST, "sha384"}},
};

/* at: the SignerInfo, the signer's certificate, the CRL */
static void signature(
    unsigned at, enum kind kind, const struct sig *sig, const char *pad)
{
	static const char *const places[] = {"signer", "leaf", "crl"};
	struct recipe r = recipe_plain(DIRECT);
	char name[200];

	snprintf(name, sizeof name, "part=signature at=%s key=%s pad=%s md=%s",
	    places[at], kind_name[kind], pad, sig->md ? sig->md : "-");
	r.policy.purpose = PURPOSE_ANY;
	if (at == 0) {
		r.leaf = kind;
		r.signer = *sig;
	} else {
		r.ca = kind;
		*(at == 1 ? &r.cert : &r.crl) = *sig;
		r.policy.check_crl = at == 2;
		r.root_crl = at == 2 ? GOOD : NONE;
	}
	recipe_run(&r, name);
}

static void part_signatures(void)
{
	static const struct sig none;

	for (unsigned at = 0; at < 3; at++) {
		for (enum kind k = 0; k < KINDS; k++) {
			bool rsa = k <= RSA2049;

			if (k == ED25519 || k == ED448) {
				/* libcrypto 3.0 signs no CMS with them */
				if (at > 0)
					signature(at, k, &none, "-");
				continue;
			}
			/* the last digest has no name with ECDSA */
			for (size_t i = 0;
			     i < (LEN(digests) - !rsa) * (rsa ? LEN(pads) : 1);
			     i++) {
				size_t p = i / LEN(digests);
				struct sig sig = pads[rsa ? p : 0].sig;

				sig.md = digests[i % LEN(digests)];
				signature(
				    at, k, &sig, rsa ? pads[p].name : "-");
			}
		}
	}
}

/* A bit of the signature's value, which is the last of the message. */
static void part_damages(void)
{
	for (unsigned i = 0; i <= P521 * LEN(pads); i++) {
		enum kind k = (enum kind)(i / LEN(pads));
		struct recipe r = recipe_plain(k % 2 ? DIRECT : INT_CMS);
		char name[200];

		if (k >= P256 && i % LEN(pads) > 0)
			continue;
		r.leaf = k;
		r.signer = pads[i % LEN(pads)].sig;
		r.damaged = true;
		snprintf(name, sizeof name, "part=damage key=%s pad=%s",
		    kind_name[k], k >= P256 ? "-" : pads[i % LEN(pads)].name);
		recipe_run(&r, name);
	}
}

static void part_shapes(void)
{
	for (enum shape shape = 0; shape < SHAPES; shape++) {
		for (unsigned i = 0; i < 2 * 2 * 2 * 3; i++) {
			struct recipe r = recipe_plain(shape);
			unsigned keys = i / 4 % 2, crl = i / 8;
			char name[200];

			r.policy.allow_partial_chain = i % 2;
			r.policy.purpose =
			    i / 2 % 2 ? PURPOSE_ANY : PURPOSE_SMIMESIGN;
			r.leaf = keys ? RSA2048 : P384;
			r.ca = keys ? P521 : RSA2048;
			r.policy.check_crl = crl > 0;
			r.root_crl = crl > 0 ? GOOD : NONE;
			r.int_crl = r.sub_crl = crl > 1 ? GOOD : NONE;
			snprintf(name, sizeof name,
			    "part=shape shape=%s partial=%u purpose=%s ca=%s "
			    "crl=%u",
			    shape_name[shape], i % 2,
			    purpose_name[r.policy.purpose], kind_name[r.ca],
			    crl);
			recipe_run(&r, name);
		}
	}
}

static const struct {
	const char *name, *ext;
} leaf_profiles[] = {
    {"plain", EE_EXT},
    {"bare", NULL},
    {"ku-ds", EE_EXT "|keyUsage=digitalSignature"},
    {"ku-nr", EE_EXT "|keyUsage=nonRepudiation"},
    {"ku-ke", EE_EXT "|keyUsage=keyEncipherment"},
    {"ku-cs", EE_EXT "|keyUsage=keyCertSign"},
    {"ku-ds-ke", EE_EXT "|keyUsage=critical,digitalSignature,keyEncipherment"},
    {"ku-none", EE_EXT "|keyUsage=DER:030100"},
    {"ku-decipher", EE_EXT "|keyUsage=decipherOnly"},
    {"email", EE_EXT "|extendedKeyUsage=emailProtection"},
    {"email-ke",
        EE_EXT "|extendedKeyUsage=emailProtection|keyUsage=keyEncipherment"},
    {"server", EE_EXT "|extendedKeyUsage=serverAuth"},
    {"time", EE_EXT "|extendedKeyUsage=critical,timeStamping"},
    {"eku-any", EE_EXT "|extendedKeyUsage=anyExtendedKeyUsage"},
    {"code", EE_EXT "|extendedKeyUsage=codeSigning"},
    {"code-ds", EE_EXT "|extendedKeyUsage=critical,codeSigning|"
                       "keyUsage=critical,digitalSignature"},
    {"code-nr", EE_EXT "|extendedKeyUsage=codeSigning|keyUsage=nonRepudiation"},
    {"code-email", EE_EXT "|extendedKeyUsage=codeSigning,emailProtection"},
    {"eku-own", EE_EXT "|extendedKeyUsage=1.2.3.4"},
    {"ca", CA_EXT},
    {"ca-no-ku", "basicConstraints=critical,CA:TRUE,pathlen:0"},
    {"critical", EE_EXT "|1.2.3.4=critical,DER:0500"},
    {"uncritical", EE_EXT "|1.2.3.4=DER:0500"},
    {"ns-server", EE_EXT "|nsCertType=server"},
    {"ns-email", EE_EXT "|nsCertType=email"},
};

static void part_leaf_profiles(void)
{
	static const enum shape shapes[] = {DIRECT, INT_CMS, SELF, ANCHOR_LEAF};

	for (size_t p = 0; p < LEN(leaf_profiles); p++) {
		for (unsigned i = 0; i < 3 * LEN(shapes); i++) {
			struct recipe r = recipe_plain(shapes[i / 3]);
			char name[200];

			r.policy.purpose = (enum purpose)(i % 3);
			r.policy.allow_partial_chain = r.shape == ANCHOR_LEAF;
			r.leaf_ext =
			    leaf_profiles[p].ext ? leaf_profiles[p].ext : "";
			snprintf(name, sizeof name,
			    "part=leaf leaf=%s purpose=%s shape=%s",
			    leaf_profiles[p].name, purpose_name[i % 3],
			    shape_name[r.shape]);
			recipe_run(&r, name);
		}
	}
}

#define BARE_CA "basicConstraints=critical,CA:TRUE|subjectKeyIdentifier=hash"

static const struct {
	const char *name, *ext;
} ca_profiles[] = {
    {"no-ku", BARE_CA},
    {"no-bc", "subjectKeyIdentifier=hash"},
    {"no-bc-ku", "keyUsage=keyCertSign"},
    {"not-ca", EE_EXT},
    {"v1", NULL},
    {"ku-ds", BARE_CA "|keyUsage=digitalSignature"},
    {"ku-crl", BARE_CA "|keyUsage=critical,cRLSign"},
    {"ku-no-crl", BARE_CA "|keyUsage=critical,keyCertSign"},
    {"len0", "basicConstraints=critical,CA:TRUE,pathlen:0"},
    {"len1", "basicConstraints=critical,CA:TRUE,pathlen:1"},
    {"code", CA_EXT "|extendedKeyUsage=codeSigning"},
    {"email", CA_EXT "|extendedKeyUsage=emailProtection"},
    {"both", CA_EXT "|extendedKeyUsage=emailProtection,codeSigning"},
    {"server", CA_EXT "|extendedKeyUsage=critical,serverAuth"},
    {"eku-any", CA_EXT "|extendedKeyUsage=anyExtendedKeyUsage"},
    {"critical", CA_EXT "|1.2.3.4=critical,DER:0500"},
    {"names", CA_EXT "|nameConstraints=critical,permitted;DNS:a.example"},
    {"names-soft", CA_EXT "|nameConstraints=permitted;DNS:a.example"},
    {"policy", CA_EXT "|policyConstraints=critical,requireExplicitPolicy:0"},
    {"no-any", CA_EXT "|inhibitAnyPolicy=critical,0"},
    {"ns-ssl", CA_EXT "|nsCertType=sslCA"},
    {"ns-email", CA_EXT "|nsCertType=emailCA"},
};

static void part_ca_profiles(void)
{
	static const enum shape shapes[] = {DIRECT, INT_CMS, INT_RING, TWO};

	for (size_t p = 0; p < LEN(ca_profiles); p++) {
		for (unsigned i = 0; i < 3 * LEN(shapes) * 2 * 2; i++) {
			struct recipe r =
			    recipe_plain(shapes[i / 3 % LEN(shapes)]);
			bool root = i / 12 % 2, crl = i / 24;
			bool v1 = ca_profiles[p].ext == NULL;
			char name[200];

			if (!root && r.shape == DIRECT)
				continue;
			r.policy.purpose = (enum purpose)(i % 3);
			r.policy.check_crl = crl;
			r.root_crl = r.int_crl = crl ? GOOD : NONE;
			if (crl && (r.shape == TWO || i % 3 != 0))
				continue;
			r.leaf_ext = EE_EXT
			    "|extendedKeyUsage=codeSigning,emailProtection";
			*(root ? &r.root_ext : &r.int_ext) =
			    v1 ? "" : ca_profiles[p].ext;
			*(root ? &r.root_v1 : &r.int_v1) = v1;
			snprintf(name, sizeof name,
			    "part=ca ca=%s at=%s purpose=%s shape=%s crl=%d",
			    ca_profiles[p].name, root ? "root" : "int",
			    purpose_name[i % 3], shape_name[r.shape], crl);
			recipe_run(&r, name);
		}
	}
}

static void part_crls(void)
{
	static const int64_t clocks[] = {0, Y2025 - 1, Y2025, Y2025 + 1,
	    Y2099 - 1, Y2099, Y2099 + 1, Y2000 - 1, Y2000, Y2000 + 1, Y2020 - 1,
	    Y2020, Y2020 + 1, Y2090 - 1, Y2090, Y2090 + 1};

	static const char *const of[] = {"root", "root", "int", "sub", "off"};

	for (unsigned i = 0; i < CRL_STATES * LEN(clocks) * LEN(of); i++) {
		enum crl_state state =
		    (enum crl_state)(i / LEN(of) / LEN(clocks));
		unsigned place = i % LEN(of), t = i / LEN(of) % LEN(clocks);
		struct recipe r = recipe_plain(place == 0   ? DIRECT
		                               : place == 3 ? TWO
		                                            : INT_CMS);
		struct window wide = {1, Y2099 + 1000};
		char name[200];

		/* whose dates do not matter: at three times */
		if (t > 2 && state != GOOD && state != EXPIRED &&
		    state != FUTURE && state != REVOKES && state < REPLACED)
			continue;
		r.policy.check_crl = place < 4;
		if (clocks[t])
			r.policy.now = clocks[t];
		r.leaf_at = r.int_at = r.root_at = wide;
		r.root_crl = r.int_crl = r.sub_crl = GOOD;
		*(place == 2     ? &r.int_crl
		    : place == 3 ? &r.sub_crl
		                 : &r.root_crl) = state;
		snprintf(name, sizeof name,
		    "part=crl crl=%s of=%s shape=%s clock=%u", crl_name[state],
		    of[place], shape_name[r.shape], t);
		recipe_run(&r, name);
	}
}

/* Whose dates, relative to "now"; which clock is taken, and by how much the
 * others are wrong. */
static void clock_case(
    unsigned who, int64_t at, unsigned by, enum shape shape, bool partial)
{
	static const char *const whom[] = {"leaf", "int", "root"};
	static const char *const clocks[] = {
	    "default", "clock", "signing", "floor", "floor-behind", "signed"};
	struct recipe r = recipe_plain(shape);
	struct window *w = who == 0   ? &r.leaf_at
	                   : who == 1 ? &r.int_at
	                              : &r.root_at;
	char name[200];

	w->from = Y2025 + 100;
	r.policy.allow_partial_chain = partial;
	r.policy.purpose = PURPOSE_ANY;
	r.policy.now = w->from + at;
	if (by == 1) {
		r.policy.time = TIME_CLOCK;
		r.policy.floor = Y2090;
	} else if (by == 2 || by == 5) {
		/* the window moves, for the signing time is fixed */
		r.policy.time = TIME_SIGNING;
		w->from = SIGNED_AT - at;
		r.policy.now = by == 2 ? recipe_plain(shape).policy.now : 1;
	} else if (by == 3) {
		r.policy.floor = r.policy.now;
		r.policy.now = 1;
	} else if (by == 4) {
		r.policy.floor = r.policy.now - 1;
	}
	w->to = w->from + 100;
	snprintf(name, sizeof name,
	    "part=clock of=%s at=%d by=%s shape=%s partial=%d%s", whom[who],
	    (int)at, clocks[by], shape_name[shape], partial,
	    who == 1 && shape == INT_RING && partial ? " of=anchor" : "");
	recipe_run(&r, name);
}

static void part_clocks(void)
{
	static const enum shape shapes[] = {DIRECT, INT_CMS, INT_RING};
	static const int64_t at[] = {-1, 0, 1, 50, 99, 100, 101, 200};

	for (unsigned i = 0; i < 3 * LEN(at) * 6 * 2 * LEN(shapes); i++) {
		enum shape shape = shapes[i / 3 / LEN(at) / 12];
		unsigned by = i / 3 / LEN(at) % 6;

		bool partial = i / 3 / LEN(at) / 6 % 2;

		if ((i % 3 != 1 || shape != DIRECT) &&
		    (!partial || shape == INT_RING))
			clock_case(
			    i % 3, at[i / 3 % LEN(at)], by, shape, partial);
	}
	/* a floor that is later than all: the clock is right, the date of the
	 * image is not */
	for (unsigned i = 0; i < 2; i++) {
		struct recipe r = recipe_plain(INT_CMS);

		r.policy.floor = Y2099 + 1000;
		r.policy.check_crl = i;
		r.root_crl = r.int_crl = i ? GOOD : NONE;
		recipe_run(&r, i ? "part=clock by=floor-late crl=1"
		                 : "part=clock by=floor-late crl=0");
	}
}

static void part_identifiers(void)
{
	for (unsigned i = 0; i < PARTS * PARTS * PARTS * 3 * 2; i++) {
		static const char *const places[] = {"leaf", "int", "crl"};
		static const char *const words[] = {"absent", "right", "wrong"};
		struct aki a = {(enum part)(i % 3), (enum part)(i / 3 % 3),
		    (enum part)(i / 9 % 3)};
		unsigned place = i / 27 % 3;
		struct recipe r = recipe_plain(INT_CMS);
		char name[200];

		if (place == 2 && i / 81)
			continue;
		*(place == 0     ? &r.leaf_aki
		    : place == 1 ? &r.int_aki
		                 : &r.crl_aki) = a;
		r.policy.purpose = PURPOSE_ANY;
		r.policy.check_crl = place == 2 || i / 81;
		r.root_crl = r.int_crl = GOOD;
		snprintf(name, sizeof name,
		    "part=aki of=%s id=%s issuer=%s serial=%s crl=%d",
		    places[place], words[a.id], words[a.issuer],
		    words[a.serial], r.policy.check_crl);
		recipe_run(&r, name);
	}
}

static void part_malformed(void)
{
	static const char *const ids[] = {"subjectAltName",
	    "crlDistributionPoints", "certificatePolicies", "issuerAltName",
	    "authorityInfoAccess", "freshestCRL", "subjectKeyIdentifier",
	    "authorityKeyIdentifier", "extendedKeyUsage", "keyUsage",
	    "basicConstraints", "policyMappings", "2.5.29.9", "2.5.29.16"};
	static const char *const bodies[] = {"3000", "0500", "30", "04020000",
	    "30053003820161", "310030",
	    /* a host; a URI; a folder's name, its value an INTEGER; other */
	    "3003820161", "300d300ba009a007860568747470",
	    "300fa40d300b310930070603550403020105",
	    "3010a00e06032a0304a0070c0568656c6c6f", "3004a0020500",
	    "3004a4023100", "3006a40430023100"};

	for (unsigned i = 0; i < LEN(ids) * LEN(bodies) * 4; i++) {
		const char *id = ids[i / 4 % LEN(ids)];
		const char *body = bodies[i / 4 / LEN(ids)];
		struct recipe r = recipe_plain(INT_CMS);
		char ext[200], name[200];

		if (i % 2 && !strcmp(id, "basicConstraints"))
			continue;
		r.policy.purpose = PURPOSE_ANY;
		r.leaf_aki.id = r.int_aki.id = ABSENT;
		snprintf(ext, sizeof ext, "%s%s=%sDER:%s",
		    i % 2 ? "basicConstraints=critical,CA:TRUE|" : "", id,
		    i / 2 % 2 ? "critical," : "", body);
		*(i % 2 ? &r.int_ext : &r.leaf_ext) = ext;
		snprintf(name, sizeof name,
		    "part=malformed ext=%s body=%s at=%s critical=%u", id, body,
		    i % 2 ? "int" : "leaf", i / 2 % 2);
		recipe_run(&r, name);
	}
}

static void part_formats(void)
{
	static const enum kind keys[] = {RSA2048, RSA3072, P256, P384, P521};
	static const char *const forms[] = {"verity", "plain", "crypt"};

	for (unsigned i = 0; i < LEN(keys) * LEN(digests) * 2 * 3; i++) {
		unsigned d = i / 6 % LEN(digests);
		struct recipe r = recipe_plain(i % 2 ? INT_CMS : DIRECT);
		char name[200];

		r.leaf = keys[i / 6 / LEN(digests)];
		/* the last digest has no name with ECDSA */
		if (r.leaf >= P256 && d == LEN(digests) - 1)
			continue;
		r.fixed = true;
		r.format = (enum format)(i / 2 % 3);
		r.changed = i % 2;
		r.bare = d % 2;
		r.device_key = RSA2048;
		r.signer.md = digests[d];
		snprintf(name, sizeof name,
		    "part=format key=%s md=%s form=%s%s", kind_name[r.leaf],
		    digests[d], forms[r.format],
		    r.changed ? " content=changed" : "");
		recipe_run(&r, name);
	}
}

static void part_envelopes(void)
{
	static const enum kind keys[] = {RSA2048, RSA3072, RSA4096, RSA2049,
	    P256, P384, P521, RSA1024, P224};
	static const char *const devices[] = {"yes", "other", "none"};
	static const struct {
		const char *name;
		struct envelope_spec spec;
	} ways[] = {
	    {"rauc", {0}},
	    {"oaep", {.oaep = true}},
	    {"keyid", {.keyid = true}},
	    {"kdf-sha256", {.kdf = "sha256"}},
	    {"kdf-sha384", {.kdf = "sha384"}},
	    {"kdf-sha512", {.kdf = "sha512"}},
	    {"aes128", {0}},
	    {"aes192", {0}},
	    {"3des", {0}},
	    {"camellia", {0}},
	};

	for (unsigned i = 0; i < LEN(keys) * LEN(ways) * 2 * 3; i++) {
		struct recipe r = recipe_plain(i % 2 ? INT_CMS : OTHER_ROOT);
		enum kind key = keys[i / 6 / LEN(ways)];
		unsigned way = i / 6 % LEN(ways);
		char name[200];

		/* a signature that is none: once each */
		if (i % 2 == 0 && way > 0)
			continue;
		r.fixed = true;
		r.format = CRYPT;
		r.device_key = key;
		r.device = (enum device)(i / 2 % 3);
		r.device_cert = way % 2 == 0;
		r.others = i / 6 % 3 == 0;
		r.envelope = ways[way].spec;
		r.envelope.cipher = way == 6   ? EVP_aes_128_cbc()
		                    : way == 7 ? EVP_aes_192_cbc()
		                    : way == 8 ? EVP_des_ede3_cbc()
		                    : way == 9 ? EVP_camellia_256_cbc()
		                               : NULL;
		snprintf(name, sizeof name,
		    "part=envelope for=%s way=%s device=%s others=%d shape=%s",
		    kind_name[key], ways[way].name, devices[r.device], r.others,
		    shape_name[r.shape]);
		recipe_run(&r, name);
	}
}

/* CRLs that the signature brings along. */
static void part_own_crls(void)
{
	for (unsigned i = 0; i < CRL_STATES * 4; i++) {
		struct recipe r = recipe_plain(i / 2 % 2 ? INT_CMS : DIRECT);
		char name[200];

		r.policy.check_crl = i % 2;
		r.root_crl = (enum crl_state)(i / 4);
		r.int_crl = r.shape == INT_CMS ? GOOD : NONE;
		r.crl_in_cms = true;
		if (r.root_crl == NONE && r.shape == DIRECT)
			continue;
		snprintf(name, sizeof name,
		    "part=own-crls check=%u brings=%s shape=%s", i % 2,
		    crl_name[i / 4], shape_name[r.shape]);
		recipe_run(&r, name);
	}
}

static void part_names(void)
{
	static const char long_name[] =
	    "a234567890b234567890c234567890d234567890e234567890f2345678901234X";
	static const struct {
		const char *word, *cn, *more;
		int type, len;
	} signers[] = {
	    {"one", "Alice", NULL, 0, 0},
	    {"printable", "Alice", NULL, V_ASN1_PRINTABLESTRING, 0},
	    {"ia5", "Alice", NULL, V_ASN1_IA5STRING, 0},
	    {"t61", "Alice", NULL, V_ASN1_T61STRING, 0},
	    {"bmp", "\0A\0l\0i\0c\0e", NULL, V_ASN1_BMPSTRING, 10},
	    {"first", "Alice", "Bob", 0, 0},
	    {"second", "Bob", "Alice", 0, 0},
	    {"case", "alice", NULL, 0, 0},
	    {"prefix", "Alic", NULL, 0, 0},
	    {"longer", "Alice2", NULL, 0, 0},
	    {"blank", "Alice ", NULL, 0, 0},
	    {"nul", "Alice\0.evil", NULL, 0, 11},
	    {"utf8", "\xc3\x84lice", NULL, 0, 0},
	    {"tab", "A\tlice", NULL, 0, 0},
	    {"none", NULL, NULL, 0, 0},
	    {"long", long_name, NULL, 0, 64},
	    {"too-long", long_name, NULL, 0, 65},
	};
	static const struct {
		const char *word, *cn[2];
	} lists[] = {
	    {"alice", {"Alice", NULL}},
	    {"bob", {"Bob", NULL}},
	    {"both", {"Bob", "Alice"}},
	    {"utf8", {"\xc3\x84lice", NULL}},
	    {"tab", {"A\tlice", NULL}},
	    {"long", {long_name, NULL}},
	};

	for (unsigned i = 0; i < LEN(signers) * LEN(lists); i++) {
		struct recipe r = recipe_plain(INT_CMS);
		unsigned s = i % LEN(signers), l = i / LEN(signers);
		char name[200];

		r.policy.purpose = PURPOSE_ANY;
		r.cn = signers[s].cn;
		r.no_cn = r.cn == NULL;
		r.more_cn = signers[s].more;
		r.cn_type = signers[s].type;
		r.cn_len = signers[s].len;
		for (unsigned n = 0; n < 2 && lists[l].cn[n]; n++) {
			r.policy.cns = n + 1;
			snprintf(r.policy.cn[n], TRUST_CN + 1, "%.*s", TRUST_CN,
			    lists[l].cn[n]);
		}
		snprintf(name, sizeof name, "part=names cn=%s allowed=%s",
		    signers[s].word, lists[l].word);
		recipe_run(&r, name);
	}
}

/* ---- several signers */

enum who {
	GOOD_EC,
	GOOD_RSA,
	TWIN,
	BY_KEYID,
	STRANGER,
	EXPIRED_ONE,
	SERVER,
	WHO
};
static const char *const who_name[WHO] = {
    "ec", "rsa", "twin", "keyid", "stranger", "expired", "server"};

static void add_who(
    const struct recipe *r, CMS_ContentInfo *cms, enum who who, X509 *root)
{
	enum kind kind = who == GOOD_RSA ? RSA2048 : P256;
	enum role role = who == BY_KEYID      ? INT
	                 : who == STRANGER    ? OTHER
	                 : who == EXPIRED_ONE ? SUB
	                                      : LEAF;
	const char *ext =
	    who == SERVER ? EE_EXT "|extendedKeyUsage=serverAuth" : EE_EXT;
	struct window at = {Y2000, who == EXPIRED_ONE ? Y2020 : Y2099};
	EVP_PKEY *key = key_of(kind, role);
	X509 *cert =
	    recipe_cert(r, who_name[who], key, who == STRANGER ? NULL : root,
	        who == STRANGER ? NULL : key_of(P256, ROOT), ext, at);

	(void)signer_add(
	    cms, cert, key, &r->signer, who == BY_KEYID ? CMS_USE_KEYID : 0, 0);
}

static void several(unsigned n, const enum who *who, unsigned min)
{
	static unsigned long turn;
	struct recipe r = recipe_plain(DIRECT);
	struct scene s = {
	    .policy = r.policy,
	    .format = turn++ % 2 ? PLAIN : VERITY,
	};
	CMS_ContentInfo *cms;
	X509 *root;
	char name[200];
	int at =
	    snprintf(name, sizeof name, "part=several min=%u n=%u format=%s",
	        min, n, s.format == PLAIN ? "plain" : "verity");

	if (!recipe_mine())
		return;
	cms = recipe_cms();
	root = recipe_cert(&r, "Root", key_of(P256, ROOT), NULL, NULL, CA_EXT,
	    (struct window){Y2000, Y2099});
	s.policy.min_signers = min;
	s.ring[s.rings++] = root;
	for (unsigned i = 0; i < n; i++) {
		add_who(&r, cms, who[i], root);
		at += snprintf(name + at, sizeof name - (size_t)at, " %s",
		    who_name[who[i]]);
	}
	recipe_judge(&s, cms, name);
}

static void part_several(void)
{
	for (unsigned min = 0; min <= 3; min++) {
		for (unsigned i = 0; i < WHO * WHO; i++) {
			enum who who[3] = {(enum who)(i % WHO),
			    (enum who)(i / WHO), (enum who)((i + min) % WHO)};

			if (i < WHO)
				several(1, who, min);
			several(2, who, min);
			several(3, who, min);
		}
	}
}

void cases_run(const char *only)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {
	    {"signature", part_signatures},
	    {"damage", part_damages},
	    {"shape", part_shapes},
	    {"leaf", part_leaf_profiles},
	    {"ca", part_ca_profiles},
	    {"crl", part_crls},
	    {"own-crls", part_own_crls},
	    {"clock", part_clocks},
	    {"aki", part_identifiers},
	    {"malformed", part_malformed},
	    {"format", part_formats},
	    {"envelope", part_envelopes},
	    {"names", part_names},
	    {"several", part_several},
	};

	for (size_t i = 0; i < LEN(parts); i++)
		if (!only || strcmp(only, parts[i].name) == 0)
			parts[i].run();
}
