// EXPECT writes_packet writes_ctx
#include "lib.h"
// the address that the datagram is sent from
SEC("cgroup/sendmsg4") int f(struct bpf_sock_addr *ctx) { ctx->msg_src_ip4 = bpf_htonl(0x7f000001); return 1; }
