// asked [wait | denied]: which commands of bpf(2) pass the filter. Once the gate is gone, whatever notifies it fails
// with ENOSYS (seccomp(2)), and with EPERM (`denied`) while the agent rejects the container: each register that does not
// is printed. With `wait` it says `ready` and waits until the gate is gone. At the end a map is read.
#include "bpf.h"

int main(int argc, char **argv)
{
	static const uint64_t HIGH[] = {0, 1, 0x80000000, 0xffffffff};
	uint32_t key = 0;
	uint64_t value = 1;
	int map = array(8), passing = 0, denied = argc > 1 && strcmp(argv[1], "denied") == 0;
	union bpf_attr element = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&value};

	if (argc > 1 && !denied) {
		puts("ready");
		fflush(stdout);
		while (bpf(BPF_PROG_GET_NEXT_ID, NULL, 0) == 0 || errno != ENOSYS)
			usleep(1000);
	}
	for (uint32_t command = 0; command <= 40; command++)
		for (int bit = -1; bit < 32; bit++)
			for (int high = 0; high < 4; high++) {
				uint32_t word = bit < 0 ? command : command | 1u << bit;
				uint64_t reg = HIGH[high] << 32 | word;

				if (syscall(SYS_bpf, reg, NULL, 0) < 0 && errno == (denied ? EPERM : ENOSYS))
					continue;
				passing++;
				if (bit < 0 && high == 0)
					printf("%u\n", word);
				else if (word > 40)
					printf("another: 0x%lx\n", reg);
			}
	printf("registers: %d\n", passing);
	if (map >= 0)
		printf("read: %s\n", bpf(BPF_MAP_LOOKUP_ELEM, &element, sizeof(element)) == 0 && value == 0 ? "done" : strerrorname_np(errno));
	return 0;
}
