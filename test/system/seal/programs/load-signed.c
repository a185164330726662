/*
 * Loads socket filters with signatures that the kernel verifies, by words:
 *
 *   bring INSNS SIGNATURE   gives the guard a signature (GUARD_COMMAND_SIGNATURE), from files
 *   load INSNS              loads a program; the first ld_imm64 of a map gets the fd of a new map
 *   attr INSNS SIGNATURE    loads it with the signature in bpf_attr, by the guard's keyring (Linux 6.18)
 *   own CERTIFICATE INSNS SIGNATURE   the same by a keyring of this process that has a certificate
 *   command NUMBER          gives the guard a command, and prints its errno
 *   exec                    does the rest after exec
 *   thread                  does the rest in another thread
 *   user UID                does the rest as a user without capabilities
 *
 * Each prints a line: `done` for a command of the guard, `loaded`, or the errno with the reasons that the guard
 * counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/types.h>

#include "../../../../src/seal/guard/interface.h"

/* Of `signature` in bpf_attr since Linux 6.18. */
#define SIGNATURE_OFFSET 152

static long bpf(unsigned command, void *attr, size_t size)
{
	return syscall(SYS_bpf, command, attr, size);
}

struct bytes {
	uint8_t *at;
	size_t size;
};

static struct bytes read_file(const char *path)
{
	struct bytes bytes = {malloc(1 << 20), 0};
	int fd = open(path, O_RDONLY);
	if (fd < 0) {
		printf("%s: cannot be read\n", path);
		exit(2);
	}
	bytes.size = read(fd, bytes.at, 1 << 20);
	close(fd);
	return bytes;
}

/* Root finds the guard's status by its name. Returns false if it may not. */
static int read_status(struct guard_status *status)
{
	union bpf_attr attr = {0};
	for (uint32_t id = 0;;) {
		struct bpf_map_info info = {0};
		memset(&attr, 0, sizeof attr);
		attr.start_id = id;
		if (bpf(BPF_MAP_GET_NEXT_ID, &attr, sizeof attr))
			return 0;
		id = attr.next_id;
		memset(&attr, 0, sizeof attr);
		attr.map_id = id;
		attr.open_flags = BPF_F_RDONLY;
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof attr);
		memset(&attr, 0, sizeof attr);
		attr.info.bpf_fd = fd;
		attr.info.info_len = sizeof info;
		attr.info.info = (uintptr_t)&info;
		if (fd < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr) || strcmp(info.name, GUARD_STATUS)) {
			close(fd);
			continue;
		}
		uint32_t key = 0;
		memset(&attr, 0, sizeof attr);
		attr.map_fd = fd;
		attr.key = (uintptr_t)&key;
		attr.value = (uintptr_t)status;
		int found = bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr) == 0;
		close(fd);
		return found;
	}
}

static void print_result(const struct guard_status *before, const char *done, int error)
{
	struct guard_status after = *before;
	if (error == 0) {
		printf("%s\n", done);
		return;
	}
	printf("errno %d", error);
	read_status(&after);
	for (int reason = 0; reason < GUARD_REASONS; reason++)
		/* this process looked for the map by id */
		if (after.denied[reason] > before->denied[reason] && reason != GUARD_OWN_OBJECT)
			printf(" reason %d", reason);
	printf("\n");
}

static void bring(const char *insns, const char *signature)
{
	struct bytes code = read_file(insns), signed_by = read_file(signature);
	struct guard_signature brought = {.insns = (uintptr_t)code.at,
					  .signature = (uintptr_t)signed_by.at,
					  .insn_cnt = code.size / 8,
					  .signature_size = signed_by.size};
	struct guard_status before = {0};
	read_status(&before);
	long result = bpf(GUARD_COMMAND_SIGNATURE, &brought, sizeof brought);
	print_result(&before, "done", result == -1 && errno == EALREADY ? 0 : errno);
}

static void set_map(struct bytes code)
{
	struct bpf_insn *insns = (void *)code.at;
	for (size_t i = 0; i < code.size / 8; i++)
		if (insns[i].code == (BPF_LD | BPF_DW | BPF_IMM) && insns[i].src_reg == BPF_PSEUDO_MAP_FD) {
			union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
			insns[i].imm = bpf(BPF_MAP_CREATE, &attr, sizeof attr);
			return;
		}
}

/* bpf_attr as Linux 6.18 has it. */
union signed_attr {
	union bpf_attr attr;
	struct {
		uint8_t before[SIGNATURE_OFFSET];
		uint64_t signature;
		uint32_t signature_size;
		int32_t keyring_id;
	};
};

static void load(const char *insns, const char *signature, int32_t ring)
{
	struct bytes code = read_file(insns), signed_by = {0};
	union signed_attr attr;
	struct guard_status before = {0};
	size_t size = SIGNATURE_OFFSET;
	set_map(code);
	memset(&attr, 0, sizeof attr);
	attr.attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.attr.insns = (uintptr_t)code.at;
	attr.attr.insn_cnt = code.size / 8;
	attr.attr.license = (uintptr_t) "GPL";
	if (signature) {
		signed_by = read_file(signature);
		attr.signature = (uintptr_t)signed_by.at;
		attr.signature_size = signed_by.size;
		attr.keyring_id = ring;
		size += 16;
	}
	read_status(&before);
	int fd = bpf(BPF_PROG_LOAD, &attr, size);
	print_result(&before, "loaded", fd < 0 ? errno : 0);
	close(fd);
}

static int32_t guard_ring(void)
{
	struct guard_status status = {0};
	read_status(&status);
	return status.program_ring;
}

static int32_t own_ring(const char *certificate)
{
	struct bytes bytes = read_file(certificate);
	int32_t ring = syscall(SYS_add_key, "keyring", "own", NULL, 0UL, (long)KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_add_key, "asymmetric", NULL, bytes.at, bytes.size, (long)ring);
	return ring;
}

static int run(char **words);

static void *run_in_thread(void *words)
{
	run(words);
	return NULL;
}

static int run(char **words)
{
	setbuf(stdout, NULL);
	for (; *words; words++) {
		if (!strcmp(*words, "bring")) {
			bring(words[1], words[2]);
			words += 2;
		} else if (!strcmp(*words, "load")) {
			load(words[1], NULL, 0);
			words += 1;
		} else if (!strcmp(*words, "attr")) {
			load(words[1], words[2], guard_ring());
			words += 2;
		} else if (!strcmp(*words, "own")) {
			load(words[2], words[3], own_ring(words[1]));
			words += 3;
		} else if (!strcmp(*words, "command")) {
			uint64_t attr = 0;
			bpf(atoi(words[1]), &attr, sizeof attr);
			printf("errno %d\n", errno);
			words += 1;
		} else if (!strcmp(*words, "exec")) {
			*words = "load-signed";
			execv("/proc/self/exe", words);
		} else if (!strcmp(*words, "thread")) {
			pthread_t thread;
			pthread_create(&thread, NULL, run_in_thread, words + 1);
			pthread_join(thread, NULL);
			return 0;
		} else if (!strcmp(*words, "user")) {
			if (setuid(atoi(words[1])))
				return 1;
			words += 1;
		} else {
			printf("unknown word %s\n", *words);
			return 2;
		}
	}
	return 0;
}

int main(int count, char **words)
{
	return count < 2 ? 2 : run(words + 1);
}
