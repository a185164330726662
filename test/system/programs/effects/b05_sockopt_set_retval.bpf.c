// EXPECT decides overrides_return
#include "lib.h"
SEC("cgroup/setsockopt") int f(struct bpf_sockopt *ctx) { bpf_set_retval(-1); return 1; }
