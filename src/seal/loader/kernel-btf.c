#include "kernel-btf.h"

#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int read_kernel_btf(struct kernel_btf *btf, int fd)
{
	size_t room = 1 << 23;
	btf->bytes = malloc(room);
	btf->size = 0;
	for (;;) {
		if (btf->bytes == NULL)
			return -1;
		ssize_t got = read(fd, btf->bytes + btf->size, room - btf->size);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		btf->size += (size_t)got;
		if (btf->size == room) {
			room *= 2;
			btf->bytes = realloc(btf->bytes, room);
		}
	}
	const struct btf_header *header = (const void *)btf->bytes;
	if (btf->size < sizeof(*header) || header->magic != BTF_MAGIC || header->hdr_len > btf->size ||
	    (uint64_t)header->hdr_len + header->type_off + header->type_len > btf->size ||
	    (uint64_t)header->hdr_len + header->str_off + header->str_len > btf->size) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/* Bytes after struct btf_type (Documentation/bpf/btf.rst). */
static size_t tail_size(uint32_t info)
{
	size_t count = BTF_INFO_VLEN(info);
	switch (BTF_INFO_KIND(info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return count * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return count * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return count * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return count * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return count * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

void find_kernel_names(const struct kernel_btf *btf, struct kernel_name *names, size_t count)
{
	const struct btf_header *header = (const void *)btf->bytes;
	const uint8_t *at = btf->bytes + header->hdr_len + header->type_off;
	const uint8_t *end = at + header->type_len;
	const char *strings = (const char *)btf->bytes + header->hdr_len + header->str_off;
	for (uint32_t id = 1; at + sizeof(struct btf_type) <= end; id++) {
		const struct btf_type *type = (const void *)at;
		uint32_t kind = BTF_INFO_KIND(type->info);
		if ((kind == BTF_KIND_FUNC || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VAR) &&
		    type->name_off < header->str_len)
			for (size_t i = 0; i < count; i++)
				if (names[i].id == 0 && names[i].kind == kind &&
				    strcmp(names[i].name, strings + type->name_off) == 0)
					names[i].id = id;
		at += sizeof(*type) + tail_size(type->info);
	}
}

void free_kernel_btf(struct kernel_btf *btf)
{
	free(btf->bytes);
}
