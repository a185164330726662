// EXPECT writes_shared_map writes_packet
#include "lib.h"
SEC("freplace/helper") int f(const struct bpf_dynptr *d) { char b[8], *p = bpf_dynptr_slice_rdwr((void *)d, 0, b, 8); if (p) p[0] = 1; return 0; }
