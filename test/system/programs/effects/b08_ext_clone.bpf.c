// EXPECT writes_shared_map writes_packet
#include "lib.h"
// a clone stands for what the caller's dynptr stands for
SEC("freplace/helper") int f(const struct bpf_dynptr *d) { char b[8] = {1}; struct bpf_dynptr c; bpf_dynptr_clone((void *)d, &c); bpf_dynptr_write(&c, 0, b, 8, 0); return 0; }
