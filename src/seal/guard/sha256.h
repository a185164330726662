/*
 * SHA-256 (FIPS 180-4), for the guard and its loader. In BPF the state lies in memory that only the current task uses,
 * never on the stack or in a per-CPU map: another task may run the same program on this CPU before it returns.
 */
#pragma once

#include <linux/bpf.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif

struct sha256 {
	__u32 h[8];
	/* The block to compress next, as bytes of the message. */
	union {
		__u8 bytes[64];
		__u32 w[16];
		struct bpf_insn insns[8];
	};
};

/* Rotates are shifts of a word that is there twice: BPF has no rotate, and this takes fewer instructions. */
#define TWICE(x) ((__u64)(x) | (__u64)(x) << 32)
#define SHA_SIGMA(x, a, b, c) ((__u32)(x >> a) ^ (__u32)(x >> b) ^ (__u32)(x >> c))

#define SHA_ROUND(a, b, c, d, e, f, g, h, k, word)                                                                     \
	do {                                                                                                           \
		__u64 ee = TWICE(e), aa = TWICE(a);                                                                    \
		__u32 t = h + SHA_SIGMA(ee, 6, 11, 25) + (g ^ (e & (f ^ g))) + k + (word);                             \
		d += t;                                                                                                \
		h = t + SHA_SIGMA(aa, 2, 13, 22) + ((a & b) | (c & (a | b)));                                          \
	} while (0)

#define SHA_FIRST(i) (w[i] = __builtin_bswap32(w[i]))
#define SHA_NEXT(i)                                                                                                    \
	({                                                                                                             \
		__u32 one = w[(i + 1) & 15], two = w[(i + 14) & 15];                                                   \
		__u64 ones = TWICE(one), twos = TWICE(two);                                                            \
		w[i & 15] += ((__u32)(ones >> 7) ^ (__u32)(ones >> 18) ^ one >> 3) + w[(i + 9) & 15] +                 \
			     ((__u32)(twos >> 17) ^ (__u32)(twos >> 19) ^ two >> 10);                                  \
	})

#define SHA_EIGHT(word, i, k0, k1, k2, k3, k4, k5, k6, k7)                                                             \
	do {                                                                                                           \
		SHA_ROUND(a, b, c, d, e, f, g, h, k0, word((i)));                                                      \
		SHA_ROUND(h, a, b, c, d, e, f, g, k1, word((i + 1)));                                                  \
		SHA_ROUND(g, h, a, b, c, d, e, f, k2, word((i + 2)));                                                  \
		SHA_ROUND(f, g, h, a, b, c, d, e, k3, word((i + 3)));                                                  \
		SHA_ROUND(e, f, g, h, a, b, c, d, k4, word((i + 4)));                                                  \
		SHA_ROUND(d, e, f, g, h, a, b, c, k5, word((i + 5)));                                                  \
		SHA_ROUND(c, d, e, f, g, h, a, b, k6, word((i + 6)));                                                  \
		SHA_ROUND(b, c, d, e, f, g, h, a, k7, word((i + 7)));                                                  \
	} while (0)

/* Adds the block to the hash. Overwrites the block. A global function, so that the verifier checks it only once. */
__noinline int sha256_compress(struct sha256 *sha)
{
	if (!sha)
		return 0;
	/* volatile: the compiler would keep the whole schedule on the stack */
	volatile __u32 *w = sha->w;
	__u32 a = sha->h[0], b = sha->h[1], c = sha->h[2], d = sha->h[3];
	__u32 e = sha->h[4], f = sha->h[5], g = sha->h[6], h = sha->h[7];

	SHA_EIGHT(SHA_FIRST, 0, 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
		  0xab1c5ed5);
	SHA_EIGHT(SHA_FIRST, 8, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
		  0xc19bf174);
	SHA_EIGHT(SHA_NEXT, 16, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc,
		  0x76f988da);
	SHA_EIGHT(SHA_NEXT, 24, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351,
		  0x14292967);
	SHA_EIGHT(SHA_NEXT, 32, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
		  0x92722c85);
	SHA_EIGHT(SHA_NEXT, 40, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
		  0x106aa070);
	SHA_EIGHT(SHA_NEXT, 48, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
		  0x682e6ff3);
	SHA_EIGHT(SHA_NEXT, 56, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
		  0xc67178f2);

	sha->h[0] += a;
	sha->h[1] += b;
	sha->h[2] += c;
	sha->h[3] += d;
	sha->h[4] += e;
	sha->h[5] += f;
	sha->h[6] += g;
	sha->h[7] += h;
	return 0;
}

static __always_inline void sha256_begin(struct sha256 *sha)
{
	sha->h[0] = 0x6a09e667;
	sha->h[1] = 0xbb67ae85;
	sha->h[2] = 0x3c6ef372;
	sha->h[3] = 0xa54ff53a;
	sha->h[4] = 0x510e527f;
	sha->h[5] = 0x9b05688c;
	sha->h[6] = 0x1f83d9ab;
	sha->h[7] = 0x5be0cd19;
}

static __always_inline void sha256_clear_block(struct sha256 *sha)
{
	__builtin_memset(sha->w, 0, sizeof(sha->w));
}

/*
 * Pads and compresses the last block, which has the first `size` modulo 64 bytes and is zero after them, and has `h` be
 * the hash as bytes. `size` is that of the message in bytes.
 */
__noinline int sha256_finish(struct sha256 *sha, __u32 size)
{
	if (!sha)
		return 0;
	sha->bytes[size & 63] = 0x80;
	if ((size & 63) >= 56) {
		sha256_compress(sha);
		sha256_clear_block(sha);
	}
	sha->w[14] = __builtin_bswap32(size >> 29);
	sha->w[15] = __builtin_bswap32(size << 3);
	sha256_compress(sha);
	for (int at = 0; at < 8; at++)
		sha->h[at] = __builtin_bswap32(sha->h[at]);
	return 0;
}
