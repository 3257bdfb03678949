/* SPDX-License-Identifier: 0BSD */
#include "simfile.h"

#include <string.h>

/* Sectors: the folder, inodes 1 and 2, the neighbour; then the data areas. */
enum { FOLDER, INODE, NEIGHBOUR = 3, AREAS };

/* Of the folder: the inodes of the file and of the temporary one, 0: none. */
struct folder {
	uint8_t magic, file, temporary;
};

static size_t area_at(uint32_t sector, unsigned inode)
{
	return (size_t)AREAS * sector + (inode - 1) * (size_t)SIMFILE_MAX;
}

uint64_t simfile_size(uint32_t sector)
{
	return area_at(sector, 3);
}

size_t simfile_neighbour(uint32_t sector, size_t *len)
{
	*len = sector;
	return (size_t)NEIGHBOUR * sector;
}

void simfile_format(uint8_t *dst, uint32_t sector, const char *text, size_t len)
{
	memset(dst, 0, (size_t)simfile_size(sector));
	memset(dst + (size_t)NEIGHBOUR * sector, 'n', sector);
	dst[0] = 'F';
	if (!text)
		return;
	dst[1] = 1;
	store_le32(dst + sector, (uint32_t)len);
	memcpy(dst + area_at(sector, 1), text, len);
}

const char *simfile_look(const uint8_t *p, uint32_t sector, size_t *len)
{
	unsigned inode = p[1];

	if (p[0] != 'F' || inode < 1 || inode > 2)
		return NULL;
	*len = load_le32(p + (size_t)(INODE + inode - 1) * sector);
	if (*len > SIMFILE_MAX)
		return NULL;
	return (const char *)p + area_at(sector, inode);
}

int simfile_read(struct simfile *f, char *dst, size_t *len)
{
	uint8_t folder[4], inode[4];
	int r = blk_read(f->blk, 0, folder, sizeof folder);

	if (r != 0)
		return r;
	if (folder[0] != 'F' || folder[1] < 1 || folder[1] > 2)
		return R_NOT_FOUND;
	r = blk_read(
	    f->blk, (uint64_t)folder[1] * f->sector, inode, sizeof inode);
	*len = load_le32(inode);
	if (r != 0 || *len > SIMFILE_MAX)
		return R_IO;
	return *len == 0
	           ? 0
	           : blk_read(f->blk, area_at(f->sector, folder[1]), dst, *len);
}

static int put_folder(struct simfile *f, unsigned file, unsigned temporary)
{
	uint8_t sector[4096] = {'F', (uint8_t)file, (uint8_t)temporary};

	return blk_write(f->blk, 0, sector, f->sector);
}

static int put_inode(struct simfile *f, unsigned inode, size_t len)
{
	uint8_t sector[4096] = {0};

	store_le32(sector, (uint32_t)len);
	return blk_write(
	    f->blk, (uint64_t)inode * f->sector, sector, f->sector);
}

static int put_data(
    struct simfile *f, unsigned inode, const char *text, size_t len)
{
	uint8_t data[SIMFILE_MAX] = {0};

	memcpy(data, text, len);
	len += (f->sector - len % f->sector) % f->sector;
	return blk_write(f->blk, area_at(f->sector, inode), data, len);
}

int simfile_replace(struct simfile *f, const char *text, size_t len)
{
	uint8_t folder[4];
	unsigned to;
	int r = blk_read(f->blk, 0, folder, sizeof folder);

	if (r == 0 && len > SIMFILE_MAX)
		r = R_FULL;
	if (r != 0)
		return r;
	to = folder[1] == 1 ? 2 : 1;
	if (f->in_place && folder[1] != 0)
		to = folder[1];
	r = put_folder(f, folder[1], to);
	if (r == 0)
		r = put_data(f, to, text, len);
	if (r == 0)
		r = put_inode(f, to, len);
	if (r == 0 && !f->hasty)
		r = blk_flush(f->blk);
	if (r == 0)
		r = put_folder(f, to, 0);
	return r == 0 && !f->lazy ? blk_flush(f->blk) : r;
}
