// A map of every type that libbpf creates, with what changes the attributes of a map between its definition and the
// kernel: see src/bpf/recognition/created-map.ts.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define SIMPLE(name, map_type, entries, key_type, value_type, flags)                                                           \
	struct {                                                                                                               \
		__uint(type, map_type);                                                                                        \
		__uint(max_entries, entries);                                                                                  \
		__type(key, key_type);                                                                                         \
		__type(value, value_type);                                                                                     \
		__uint(map_flags, flags);                                                                                      \
	} name SEC(".maps")

#define SIZED(name, map_type, entries, key, value)                                                                             \
	struct {                                                                                                               \
		__uint(type, map_type);                                                                                        \
		__uint(max_entries, entries);                                                                                  \
		__uint(key_size, key);                                                                                         \
		__uint(value_size, value);                                                                                     \
	} name SEC(".maps")

enum place { FIRST, SECOND };
typedef __u32 number;
struct prefix {
	__u32 length;
	__u8 bytes[4];
};

// Of an odd number of entries: a list for each CPU.
SIMPLE(lru, BPF_MAP_TYPE_LRU_HASH, 1001, __u32, __u64, 0);
SIMPLE(lru_of_cpus, BPF_MAP_TYPE_LRU_HASH, 1001, __u32, __u64, BPF_F_NO_COMMON_LRU);
SIMPLE(lru_percpu, BPF_MAP_TYPE_LRU_PERCPU_HASH, 1001, __u32, __u64, 0);
SIMPLE(lru_percpu_of_cpus, BPF_MAP_TYPE_LRU_PERCPU_HASH, 1, __u32, __u64, BPF_F_NO_COMMON_LRU);

// Keys whose types the kernel does not take for an array.
SIMPLE(by_number, BPF_MAP_TYPE_ARRAY, 3, const number, __u64, 0);
SIMPLE(by_place, BPF_MAP_TYPE_ARRAY, 3, enum place, __u64, 0);
SIMPLE(by_place_percpu, BPF_MAP_TYPE_PERCPU_ARRAY, 3, enum place, __u64, 0);
SIMPLE(by_prefix, BPF_MAP_TYPE_LPM_TRIE, 1001, struct prefix, __u64, BPF_F_NO_PREALLOC);
SIMPLE(by_word, BPF_MAP_TYPE_LPM_TRIE, 1001, __u64, __u64, BPF_F_NO_PREALLOC);

SIMPLE(mapped, BPF_MAP_TYPE_ARRAY, 1001, __u32, __u32, BPF_F_MMAPABLE);
SIMPLE(read_only, BPF_MAP_TYPE_ARRAY, 3, __u32, __u32, BPF_F_RDONLY | BPF_F_RDONLY_PROG);
SIMPLE(write_only, BPF_MAP_TYPE_HASH, 3, __u32, __u32, BPF_F_WRONLY);
SIMPLE(hash, BPF_MAP_TYPE_HASH, 1001, __u32, __u8, BPF_F_ZERO_SEED);
SIMPLE(hash_percpu, BPF_MAP_TYPE_PERCPU_HASH, 1001, __u32, __u8, BPF_F_NO_PREALLOC);
SIMPLE(of_sockets, BPF_MAP_TYPE_SK_STORAGE, 0, int, __u64, BPF_F_NO_PREALLOC);
SIMPLE(of_tasks, BPF_MAP_TYPE_TASK_STORAGE, 0, int, __u64, BPF_F_NO_PREALLOC);
SIMPLE(of_groups, BPF_MAP_TYPE_CGRP_STORAGE, 0, int, __u64, BPF_F_NO_PREALLOC);
SIMPLE(packet_queue, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 3, __u32, __u64, 0);

SIZED(perf_events, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 0, 4, 4);
SIZED(stacks, BPF_MAP_TYPE_STACK_TRACE, 1001, 4, 8 * 5);
SIZED(groups, BPF_MAP_TYPE_CGROUP_ARRAY, 3, 4, 4);
SIZED(programs, BPF_MAP_TYPE_PROG_ARRAY, 3, 4, 4);
SIZED(queue, BPF_MAP_TYPE_QUEUE, 1001, 0, 8);
SIZED(stack, BPF_MAP_TYPE_STACK, 1001, 0, 8);
SIZED(devices, BPF_MAP_TYPE_DEVMAP, 3, 4, 8);
SIZED(devices_by_key, BPF_MAP_TYPE_DEVMAP_HASH, 3, 4, 8);
SIZED(cpus, BPF_MAP_TYPE_CPUMAP, 2, 4, 8);
SIZED(xsks, BPF_MAP_TYPE_XSKMAP, 3, 4, 4);
SIZED(sockets, BPF_MAP_TYPE_SOCKMAP, 3, 4, 8);
SIZED(sockets_by_key, BPF_MAP_TYPE_SOCKHASH, 3, 8, 8);

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 1001);
	__uint(map_extra, 3);
	__type(value, __u32);
} bloom SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 3 * 4096 + 1);
} ring SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 1);
} user_ring SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1001);
	__type(key, __u32);
	__type(value, __u64);
	__uint(map_flags, BPF_F_NO_COMMON_LRU);
} inner SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4097);
	});
} rings SEC(".maps");

#define USE(map) asm volatile("" : : "r"(&map))

SEC("xdp")
int every_map(struct xdp_md *context)
{
	USE(lru);
	USE(lru_of_cpus);
	USE(lru_percpu);
	USE(lru_percpu_of_cpus);
	USE(by_number);
	USE(by_place);
	USE(by_place_percpu);
	USE(by_prefix);
	USE(by_word);
	USE(mapped);
	USE(read_only);
	USE(write_only);
	USE(hash);
	USE(hash_percpu);
	USE(of_sockets);
	USE(of_tasks);
	USE(of_groups);
	USE(packet_queue);
	USE(perf_events);
	USE(stacks);
	USE(groups);
	USE(programs);
	USE(queue);
	USE(stack);
	USE(devices);
	USE(devices_by_key);
	USE(cpus);
	USE(xsks);
	USE(sockets);
	USE(sockets_by_key);
	USE(bloom);
	USE(ring);
	USE(user_ring);
	USE(inner);
	USE(outer);
	USE(rings);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
