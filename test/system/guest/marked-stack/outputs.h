// The maps of one program, and what came out of it: runs of marker bytes in map values, ring buffers, perf events,
// text and packets.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MARKER 0xa7
#define PAGE 4096
#define MAX_MAPS 12
#define MAX_VALUE 4096

struct map {
	char role;
	unsigned type, key, value, entries, flags;
	int fd, event;
	unsigned char *pages;
};

static struct map maps[MAX_MAPS];
static int map_count;
static int trace_pipe = -1;

static inline long bpf(int cmd, void *attr, unsigned size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

// The longest run of marker bytes, or of their hexadecimal digits.
static inline int marked(const unsigned char *bytes, size_t size)
{
	static const char digits[] = "a7";
	int longest = 0;

	for (int text = 0; text < 2; text++)
		for (size_t at = 0, run = 0; at < size; at++) {
			if (text ? bytes[at] == digits[run % 2] : bytes[at] == MARKER)
				run++;
			else
				run = text && bytes[at] == digits[0];
			if ((int)(text ? run / 2 : run) > longest)
				longest = text ? run / 2 : run;
		}
	return longest;
}

static inline int update(int map, unsigned key, const void *value)
{
	union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)value};

	return bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

static inline int look_up(int map, void *value)
{
	unsigned key = 0;
	union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)value};

	return bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

static inline int open_event(unsigned type, unsigned long config, unsigned long period)
{
	struct perf_event_attr attr = {.type = type, .size = sizeof(attr), .config = config, .sample_period = period};

	attr.sample_type = PERF_SAMPLE_RAW;
	attr.wakeup_events = 1;
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

static inline int event_of(struct map *map)
{
	// The role `e`: a counter that programs read. The role `p`: where bpf_perf_event_output writes.
	map->event = map->role == 'e' ? open_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 0)
				      : open_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT, 1);
	if (map->event < 0)
		return -1;
	if (map->role == 'p') {
		map->pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, map->event, 0);
		if (map->pages == MAP_FAILED)
			return -1;
	}
	return update(map->fd, 0, &map->event);
}

// Values that only the running system knows, eight bytes each.
static inline void environment(uint64_t *value)
{
	struct stat pid;

	if (stat("/proc/self/ns/pid", &pid) == 0) {
		// new_encode_dev of the kernel, which stat(2) decodes
		value[0] = pid.st_dev;
		value[1] = pid.st_ino;
	}
	value[2] = getpid();
}

static inline int make_map(struct map *map, const unsigned char *contents)
{
	union bpf_attr attr = {.map_type = map->type, .key_size = map->key, .value_size = map->value};
	static uint64_t value[MAX_VALUE / 8];

	attr.max_entries = map->entries;
	attr.map_flags = map->flags;
	map->event = -1;
	map->pages = NULL;
	map->fd = bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (map->fd < 0)
		return -1;
	memset(value, 0, sizeof(value));
	switch (map->role) {
	case 'n':
		environment(value);
		return update(map->fd, 0, value);
	case 'c':
	case 'f':
		if (update(map->fd, 0, contents) != 0)
			return -1;
		attr = (union bpf_attr){.map_fd = map->fd};
		return map->role == 'f' ? bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)) : 0;
	case 'e':
	case 'p':
		return event_of(map);
	case 'r':
		map->pages = mmap(NULL, PAGE + 2 * map->entries, PROT_READ, MAP_SHARED, map->fd, PAGE);
		return map->pages == MAP_FAILED ? -1 : 0;
	}
	return 0;
}

static inline void close_maps(void)
{
	for (struct map *map = maps; map < maps + map_count; map++) {
		if (map->pages != NULL && map->pages != MAP_FAILED)
			munmap(map->pages, map->role == 'p' ? 3 * PAGE : PAGE + 2 * map->entries);
		if (map->event >= 0)
			close(map->event);
		if (map->fd >= 0)
			close(map->fd);
	}
	map_count = 0;
}

static inline int marked_text(void)
{
	static unsigned char text[1 << 16];
	int longest = 0;

	for (;;) {
		ssize_t got = read(trace_pipe, text, sizeof(text));

		if (got <= 0)
			return longest;
		int run = marked(text, got);

		if (run > longest)
			longest = run;
	}
}

// The longest run of marker bytes in what the maps and the trace buffer have received.
static inline int marked_outputs(void)
{
	static unsigned char value[MAX_VALUE];
	int longest = marked_text();

	for (struct map *map = maps; map < maps + map_count; map++) {
		int run = 0;

		if (map->role == 'o' && look_up(map->fd, value) == 0)
			run = marked(value, map->value);
		else if (map->role == 'r')
			run = marked(map->pages + PAGE, map->entries);
		else if (map->role == 'p')
			run = marked(map->pages + PAGE, 2 * PAGE);
		if (run > longest)
			longest = run;
	}
	return longest;
}
