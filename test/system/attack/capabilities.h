// Capabilities of a task, which it lowers and takes back.
#pragma once
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP(name) (1ULL << CAP_##name)

// Makes these capabilities effective, as far as the task is permitted to have them. All others stay permitted.
static inline void limit_to(uint64_t effective)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {};

	syscall(SYS_capget, &header, data);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted & (effective >> (32 * i));
	if (syscall(SYS_capset, &header, data))
		perror("capset");
}
