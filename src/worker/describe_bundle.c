/* SPDX-License-Identifier: 0BSD */
/* What `info` prints: what rauc's does, and then what a signature is worth. */
#include "base/fmt.h"
#include "bundle/der.h"
#include "options.h"
#include "worker/installer.h"
#include "worker/show.h"

/* "Nov  3 08:07:34 2026 GMT", as OpenSSL writes it, or ours. */
static void show_time(const char *label, const char *name, int64_t t)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[TIME_TEXT]; /* "2026-11-03 08:07:34 UTC" */
	int month;

	time_text(text, t);
	if (OPT_VERDICT)
		show_own("", name, text, 0);
	if (showing.format != JOB_READABLE)
		return;
	month = (text[5] - '0') * 10 + text[6] - '1';
	child_output("   %s %.*s %c%c %.*s %.*s GMT\n", label, 3,
	    months + month * 3, text[8] == '0' ? ' ' : text[8], text[9], 8,
	    text + 11, 4, text);
}

static void show_spki(const uint8_t spki[32])
{
	char hex[65];

	hex_encode(hex, spki, 32);
	if (OPT_VERDICT)
		show_own("", "spki-sha256", hex, 0);
	if (showing.format != JOB_READABLE)
		return;
	child_output("   SPKI sha256: ");
	for (unsigned i = 0; i < 64; i++)
		child_output("%s%c", i > 0 && i % 2 == 0 ? ":" : "",
		    hex[i] >= 'a' ? hex[i] - 'a' + 'A' : hex[i]);
	child_output("\n");
}

static void show_chain(const struct signer *who)
{
	static struct cert_view v;

	if (showing.format == JOB_READABLE)
		child_output("\nCertificate Chain%s%s:\n",
		    who->signers > 1 ? " of " : "",
		    who->signers > 1 ? who->subject : "");
	show_open("chain", "[");
	showing.indexed = true;
	for (showing.index = 0; showing.index < who->chain_len;
	     showing.index++) {
		if (cert_describe(who->chain[showing.index], &v, NULL) != 0)
			continue;
		if (showing.format == JOB_READABLE)
			child_output("%2u Subject: %s\n   Issuer: %s\n",
			    showing.index, v.subject, v.issuer);
		show_open(NULL, "{");
		if (OPT_VERDICT) {
			show_own("", "subject", v.subject, 0);
			show_own("", "issuer", v.issuer, 0);
		}
		show_spki(v.spki_sha256);
		show_time("Not Before:", "not-before", v.not_before);
		show_time("Not After: ", "not-after", v.not_after);
		show_close("}");
	}
	show_close("]");
	showing.indexed = false;
}

static void show_image(const struct manifest_image *im)
{
	char hooks[80];

	if (showing.format == JOB_READABLE)
		child_output("  [%s]\n", im->slotclass);
	show_open(NULL, "{");
	show_open(im->slotclass, "{");
	show_field("|RAUC_IMAGE_NAME|", im->filename, 0);
	show_field("|RAUC_IMAGE_CLASS|", im->slotclass, 0);
	show_field("\tVariant:   |RAUC_IMAGE_VARIANT|variant", im->variant,
	    NULL_IF_EMPTY | HIDE_IF_EMPTY);
	show_field("\tFilename:  ||filename", im->filename, 0);
	show_hash("\tChecksum:  |RAUC_IMAGE_DIGEST|checksum", im->sha256);
	show_number("\tSize:      |RAUC_IMAGE_SIZE|size", im->size);
	show_field("\tType:      ||", im->type_name, 0);
	manifest_code_text(hooks, im->hooks);
	show_field("\tHooks:     |RAUC_IMAGE_HOOKS|hooks", hooks,
	    LIST | HIDE_IF_EMPTY);
	show_field("||adaptive", "", LIST);
	show_close("}");
	show_close("}");
}

void describe_bundle(const struct bundle *b, enum job_format format)
{
	const struct manifest *m = &b->manifest;
	char hooks[80];

	show_start(format);
	show_open(NULL, "{");
	show_field(
	    "Compatible: \t'|RAUC_MF_COMPATIBLE|compatible", m->compatible, 0);
	show_field("Version:    \t'|RAUC_MF_VERSION|version", m->version,
	    NULL_IF_EMPTY);
	show_field("Description:\t'|RAUC_MF_DESCRIPTION|description",
	    m->description, NULL_IF_EMPTY);
	show_field(
	    "Build:      \t'|RAUC_MF_BUILD|build", m->build, NULL_IF_EMPTY);
	show_number("|RAUC_MF_IMAGES|", m->images);
	manifest_code_text(hooks, m->code & CODE_INSTALL_CHECK);
	show_field("Hooks:      \t'|RAUC_MF_HOOKS|hooks", hooks, LIST);
	show_field("Bundle Format: \t||", format_name(m->format), 0);
	show_hash("  Verity Salt: \t'||", m->verity_salt);
	show_hash("  Verity Hash: \t'||", m->verity_hash);
	show_number("  Verity Size: \t||", m->verity_size);
	show_hash("Manifest Hash: \t'||", m->sha256);
	if (format == JOB_READABLE)
		child_output(
		    "\n%u Image%s:\n", m->images, m->images == 1 ? "" : "s");
	show_open("images", "[");
	showing.indexed = true;
	for (showing.index = 0; showing.index < m->images; showing.index++)
		show_image(&m->image[showing.index]);
	show_close("]");
	showing.indexed = false;
	if (OPT_VERDICT)
		show_open("lifeboat", "{");
	if (OPT_VERDICT || format == JOB_READABLE)
		show_chain(&b->signer);
	describe_trust();
	if (OPT_VERDICT)
		show_close("}");
	show_close("}");
}
