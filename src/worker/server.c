/* SPDX-License-Identifier: 0BSD */
/* The source child: media on one side, the block pipe on the other. */
#include "worker/work.h"

#include <errno.h>
#include <unistd.h>

#include "base/blk_fd.h"
#include "base/fmt.h"
#include "options.h"
#include "worker/pipe.h"

/* A medium that may be pulled out at any time. */
struct medium {
	struct blk blk;
	struct blk_fd fd;
};

/* A damaged block is one thing; a device that cannot give its first and last
 * sector either is gone. */
static bool is_gone(struct medium *m)
{
	uint8_t sector[512];
	uint64_t last =
	    m->blk.size < sizeof sector ? 0 : m->blk.size - sizeof sector;

	if (m->fd.err == ENODEV || m->fd.err == ENXIO || m->fd.err == ENOMEDIUM)
		return true;
	return m->fd.err == EIO && m->blk.size >= sizeof sector &&
	       blk_read(&m->fd.blk, 0, sector, sizeof sector) != 0 &&
	       blk_read(&m->fd.blk, last, sector, sizeof sector) != 0;
}

static int medium_read(struct blk *b, uint64_t off, void *dst, size_t len)
{
	struct medium *m = (struct medium *)b;
	int r = blk_read(&m->fd.blk, off, dst, len);

	return r != 0 && is_gone(m) ? R_MEDIUM_GONE : r;
}

static const struct blk_ops medium_ops = {medium_read, NULL, NULL, NULL};

static void medium_init(
    struct medium *m, int fd, uint64_t size, uint32_t sector)
{
	blk_fd_init(&m->fd, fd, -1, size, sector, false);
	m->blk = m->fd.blk;
	m->blk.ops = &medium_ops;
}

static struct medium media[SOURCE_MEDIA];
static struct source source;

void source_child(const struct work *w, int fd, int pipe)
{
	int keep[SOURCE_MEDIA + 2] = {fd, pipe};
	unsigned count = 2;
	struct diag d = {0};

	if (w->bundle.fd >= 0) {
		source.ops = &source_file;
		medium_init(
		    &media[0], w->bundle.fd, w->bundle.size, w->bundle.sector);
		fmt(source.medium[0].name, SOURCE_NAME, "%s", w->setup->bundle);
		source.medium[0].blk = &media[0].blk;
		source.media = 1;
		keep[count++] = w->bundle.fd;
	} else {
		source.ops = OPT_USB ? &source_usb : &source_file;
		for (unsigned i = 0; OPT_USB && i < w->media; i++) {
			const struct device *m = &w->devices.d[w->medium[i]];

			medium_init(&media[i], m->fd, m->size, m->sector);
			fmt(source.medium[i].name, SOURCE_NAME, "%s", m->name);
			source.medium[i].blk = &media[i].blk;
			keep[count++] = m->fd;
		}
		source.media = w->media;
	}
	if (child_enter(w, SANDBOX_READ, fd, keep, count, &d) == 0)
		pipe_serve(pipe, &source);
	child_end(&d, POLICY_WAIT, 0);
}
