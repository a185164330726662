#include "../guard/sha256.h"

#include <string.h>

#include "sha256.h"

void sha256(const uint8_t *bytes, size_t size, uint8_t digest[SHA256_SIZE])
{
	struct sha256 sha;
	size_t whole = size / 64 * 64;
	sha256_begin(&sha);
	for (size_t at = 0; at < whole; at += 64) {
		memcpy(sha.bytes, bytes + at, 64);
		sha256_compress(&sha);
	}
	sha256_clear_block(&sha);
	memcpy(sha.bytes, bytes + whole, size - whole);
	sha256_finish(&sha, (uint32_t)size);
	memcpy(digest, sha.h, SHA256_SIZE);
}
