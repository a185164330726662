// EXPECT changes_socket
/* Fills the option memory of every new socket: each storage that still fits is charged to it. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
#define SIZES(X) X(65000) X(64000) X(32000) X(16000) X(8000) X(4000) X(2000) X(1000) X(500) X(250) X(125) X(60) X(8)
#define STORAGE(N) __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); \
  __type(key, int); __type(value, char[N]);
#define MAP(N) struct { STORAGE(N) } storage_##N SEC(".maps");
#define GET(N) bpf_sk_storage_get(&storage_##N, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
SIZES(MAP)
SEC("cgroup/sock_create") int fill(struct bpf_sock *sk) { SIZES(GET) return 1; }
