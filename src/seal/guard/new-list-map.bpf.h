/* A list on its way into the guard. */
#pragma once

#include "kernel.h"
#include "interface.h"

struct new_list {
	/* 1 while a task copies a list and judges it. */
	__u32 busy;
	/* The tables that are not in force: 0 or 1. */
	__u32 table;
	struct guard_list_command command;
	/* Addresses of the header and the classes below, and of the first elements of the tables. */
	__u64 header_address;
	__u64 classes_address;
	__u64 entries;
	__u64 records;
	/* In bytes from the beginning of the list: where its records begin, where they end, and its end. */
	__u64 entries_end;
	__u64 records_end;
	__u64 size;
	__u8 digest[32];
	struct list_header header;
	struct guard_classes classes;
	__u8 signature[GUARD_MAX_LIST_SIGNATURE];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct new_list);
} guard_new_list SEC(".maps");
