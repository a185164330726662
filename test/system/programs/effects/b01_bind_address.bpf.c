// EXPECT changes_socket writes_ctx
#include "lib.h"
SEC("cgroup/bind6") int f(struct bpf_sock_addr *ctx) { ctx->user_ip6[0] = 1; return 1; }
