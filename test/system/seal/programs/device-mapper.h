/* A device of the device mapper over another one, as dmsetup(8) makes it. Each function ends the program if it fails. */
#pragma once

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define DM_NAME "seal-test"
#define SECTOR 512

/* A range of the device, in sectors, and where it is on the device below. */
struct dm_range {
	uint64_t from;
	uint64_t size;
	uint64_t below;
};

struct dm_request {
	struct dm_ioctl head;
	char room[2048];
};

static void dm_call(unsigned long command, struct dm_request *request, uint32_t flags)
{
	int control = open("/dev/mapper/control", O_RDWR);
	request->head.version[0] = DM_VERSION_MAJOR;
	request->head.data_size = sizeof(*request);
	request->head.data_start = offsetof(struct dm_request, room);
	request->head.flags = flags;
	strcpy(request->head.name, DM_NAME);
	if (control < 0 || ioctl(control, command, request) != 0) {
		perror("device mapper");
		exit(1);
	}
	close(control);
}

/* The table that the device gets when it resumes. */
static void dm_load(const char *below, const struct dm_range *ranges, int count)
{
	struct dm_request request = {.head.target_count = (uint32_t)count};
	char *at = request.room;
	for (int i = 0; i < count; i++) {
		struct dm_target_spec spec = {
		    .sector_start = ranges[i].from, .length = ranges[i].size, .target_type = "linear"};
		int length = snprintf(at + sizeof(spec), 64, "%s %llu", below, (unsigned long long)ranges[i].below);
		spec.next = (uint32_t)(sizeof(spec) + (size_t)length + 8) & ~7U;
		memcpy(at, &spec, sizeof(spec));
		at += spec.next;
	}
	dm_call(DM_TABLE_LOAD, &request, 0);
}

static void dm_resume(void)
{
	struct dm_request request = {0};
	dm_call(DM_DEV_SUSPEND, &request, 0);
}

/* Has a table take the place of the one in use, with the file system on the device mounted. */
static void dm_swap(const char *below, const struct dm_range *ranges, int count)
{
	struct dm_request request = {0};
	dm_load(below, ranges, count);
	dm_call(DM_DEV_SUSPEND, &request, DM_SUSPEND_FLAG);
	dm_resume();
}

/* Makes /dev/dm-0. */
static void dm_create(const char *below, uint64_t sectors)
{
	struct dm_request request = {0};
	struct dm_range whole = {.size = sectors};
	dm_call(DM_DEV_CREATE, &request, 0);
	dm_load(below, &whole, 1);
	dm_resume();
}
