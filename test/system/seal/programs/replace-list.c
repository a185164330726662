/*
 * Gives the guard a new list, in the ways in which root can try to break the replacement.
 *
 *   replace-list give LIST SIGNATURE       prints the errno that the guard answers with
 *   replace-list powerless LIST SIGNATURE  the same as root without CAP_SYS_ADMIN
 *   replace-list cut LIST SIGNATURE        the second half of the list is no memory
 *   replace-list change LIST SIGNATURE N   at most N times, while another thread changes the last byte of the records,
 *                                          and then as it is; prints `as signed` if nothing else than that was taken
 *   replace-list hold LIST SIGNATURE VALUE while another thread's call waits for half of the list, which is then zero:
 *                                          what that thread is answered comes last
 *   replace-list race NAME FIRST LAST      NAME.N and NAME.N.p7s by two processes, one the even, one the odd N, each in
 *                                          order, while this process loads NOT_LISTED, which no list has
 *   replace-list status                    prints generation, entries and SHA-256 of the list in force
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../guard-map.h"

#define NOT_LISTED 5000

struct file {
	uint8_t *bytes;
	uint32_t size;
};

static struct file read_file(const char *path)
{
	struct stat info;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &info) != 0) {
		perror(path);
		exit(2);
	}
	struct file file = {malloc(info.st_size + 1), info.st_size};
	if (read(fd, file.bytes, file.size) != (ssize_t)file.size)
		exit(2);
	close(fd);
	return file;
}

static int give(const uint8_t *list, uint32_t size, struct file signature)
{
	struct guard_list_command command = {(uintptr_t)list, (uintptr_t)signature.bytes, size, signature.size};
	return syscall(SYS_bpf, GUARD_COMMAND_LIST, &command, sizeof(command)) == 0 ? 0 : errno;
}

static const char *name_of(int error)
{
	static const struct {
		int error;
		const char *name;
	} NAMES[] = {
	    {0, "0"},           {EPERM, "EPERM"},       {EINVAL, "EINVAL"},   {EBUSY, "EBUSY"},
	    {EFAULT, "EFAULT"}, {EALREADY, "EALREADY"}, {ESTALE, "ESTALE"},   {EXDEV, "EXDEV"},
	    {E2BIG, "E2BIG"}, {EDOM, "EDOM"},   {EBADMSG, "EBADMSG"},   {EILSEQ, "EILSEQ"},   {EOPNOTSUPP, "EOPNOTSUPP"},
	    {ENOKEY, "ENOKEY"}, {ENOPKG, "ENOPKG"},     {EKEYREJECTED, "EKEYREJECTED"},
	};
	static char number[16];
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++)
		if (NAMES[i].error == error)
			return NAMES[i].name;
	snprintf(number, sizeof(number), "%d", error);
	return number;
}

static void drop_administration(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	syscall(SYS_capget, &header, data);
	data[CAP_SYS_ADMIN / 32].effective &= ~(1u << CAP_SYS_ADMIN % 32);
	if (syscall(SYS_capset, &header, data) != 0)
		perror("capset");
}

static int give_half(struct file list, struct file signature)
{
	size_t page = 4096, half = (list.size / 2 + page - 1) / page * page;
	uint8_t *memory = mmap(NULL, half + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *start = memory + half - list.size / 2;
	munmap(memory + half, page);
	memcpy(start, list.bytes, list.size / 2);
	return give(start, list.size, signature);
}

static volatile int done;

static void *change(void *last)
{
	for (volatile uint8_t *byte = last; !done;)
		*byte ^= 1;
	return NULL;
}

static void give_changing(struct file list, struct file signature, int rounds)
{
	uint8_t *last = list.bytes + list.size - sizeof(struct guard_classes) - 1, signed_byte = *last;
	int error = EILSEQ;
	pthread_t thread;
	pthread_create(&thread, NULL, change, last);
	for (int round = 0; round < rounds && error == EILSEQ; round++)
		error = give(list.bytes, list.size, signature);
	done = 1;
	pthread_join(thread, NULL);
	*last = signed_byte;
	if (error == EILSEQ)
		error = give(list.bytes, list.size, signature);
	printf("%s\n", error == EALREADY ? "as signed" : name_of(error));
}

struct call {
	const uint8_t *list;
	uint32_t size;
	struct file signature;
	int error;
};

static void *give_in_thread(void *call)
{
	struct call *given = call;
	given->error = give(given->list, given->size, given->signature);
	return NULL;
}

static int load(int value);

/* A page of the second half is missing until the userfaultfd is closed, which fills it with zero. */
static void give_while_held(struct file list, struct file signature, int value)
{
	size_t page = 4096, size = (list.size + page - 1) / page * page, half = size / page / 2 * page;
	uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register missing = {{(uintptr_t)memory + half, size - half}, UFFDIO_REGISTER_MODE_MISSING, 0};
	struct call call = {memory, list.size, signature, 0};
	struct uffd_msg message;
	pthread_t thread;
	int faults = (int)syscall(SYS_userfaultfd, 0);

	memcpy(memory, list.bytes, half);
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0 || ioctl(faults, UFFDIO_REGISTER, &missing) != 0)
		perror("userfaultfd");
	pthread_create(&thread, NULL, give_in_thread, &call);
	if (read(faults, &message, sizeof(message)) != sizeof(message))
		perror("read");
	printf("%s\n", name_of(give(list.bytes, list.size, signature)));
	printf("program %d: %s\n", value, load(value) ? "loaded" : "denied");
	close(faults);
	pthread_join(thread, NULL);
	printf("%s\n", name_of(call.error));
}

static int load(int value)
{
	struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t)"GPL";
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Gives every second list; one that is busy or has become too old is no failure. Returns an errno that is. */
static int give_in_order(const char *name, int first, int last)
{
	for (int number = first; number <= last; number += 2) {
		char path[256];
		int error;
		snprintf(path, sizeof(path), "%s.%d", name, number);
		struct file list = read_file(path);
		strcat(path, ".p7s");
		struct file signature = read_file(path);
		while ((error = give(list.bytes, list.size, signature)) == EBUSY)
			usleep(1000);
		if (error != EALREADY && error != ESTALE)
			return error;
	}
	return 0;
}

static void race(const char *name, int first, int last)
{
	int running = 2, passed = 0, failed = 0, status;
	for (int writer = 0; writer < 2; writer++)
		if (fork() == 0)
			_exit(give_in_order(name, first + writer, last));
	while (running > 0) {
		passed += load(NOT_LISTED);
		usleep(1000);
		if (waitpid(-1, &status, WNOHANG) <= 0)
			continue;
		running--;
		if (status != 0)
			failed = WEXITSTATUS(status);
	}
	printf("race: %s, %d loads of what no list has\n", failed ? name_of(failed) : "done", passed);
}

static void print_status(void)
{
	struct guard_status status;
	uint32_t key = 0;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = open_guard_map(GUARD_STATUS, BPF_F_RDONLY);
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&status;
	if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) != 0) {
		perror("guard_status");
		return;
	}
	printf("generation %llu, %u entries, %llu rejected, ", (unsigned long long)status.generation, status.list_entries,
	       (unsigned long long)status.denied[GUARD_LIST]);
	for (int i = 0; i < 32; i++)
		printf("%02x", status.list_digest[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "status") == 0) {
		print_status();
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "race") == 0) {
		race(argv[2], atoi(argv[3]), atoi(argv[4]));
		return 0;
	}
	if (argc < 4)
		return 2;
	struct file list = read_file(argv[2]), signature = read_file(argv[3]);
	if (argc == 5 && strcmp(argv[1], "change") == 0) {
		give_changing(list, signature, atoi(argv[4]));
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "hold") == 0) {
		give_while_held(list, signature, atoi(argv[4]));
		return 0;
	}
	if (strcmp(argv[1], "powerless") == 0)
		drop_administration();
	int cut = strcmp(argv[1], "cut") == 0;
	printf("%s\n", name_of(cut ? give_half(list, signature) : give(list.bytes, list.size, signature)));
	return 0;
}
