/* SHA-256 of memory of less than 4 GiB. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

void sha256(const uint8_t *bytes, size_t size, uint8_t digest[SHA256_SIZE]);
