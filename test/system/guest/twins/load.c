/* Loads the instructions in each file as an XDP program that has the name of the file; prints how many there are, and
 * holds them until its standard input is closed. */
#include <fcntl.h>
#include <libgen.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **files)
{
	static char insns[1 << 16];
	char end;

	for (int at = 1; at < count; at++) {
		int file = open(files[at], O_RDONLY);
		ssize_t size = read(file, insns, sizeof(insns));
		union bpf_attr attr;

		close(file);
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = BPF_PROG_TYPE_XDP;
		attr.insns = (uintptr_t)insns;
		attr.insn_cnt = size / 8;
		attr.license = (uintptr_t)"GPL";
		strncpy(attr.prog_name, basename(files[at]), BPF_OBJ_NAME_LEN - 1);
		if (syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)) < 0)
			perror(files[at]);
	}
	printf("loaded %d\n", count - 1);
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	return 0;
}
