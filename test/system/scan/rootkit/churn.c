// usage: churn
// Loads a program, and closes it 5 ms later, at most 200 times a second, until it is killed.
#include <bpf/bpf.h>
#include <err.h>
#include <unistd.h>

int main(void)
{
	const struct bpf_insn insns[] = {
		{ .code = 0xb7 }, /* r0 = 0 */
		{ .code = 0x95 }, /* exit */
	};

	for (;;) {
		int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "churn", "GPL", insns, 2, NULL);

		if (fd < 0)
			err(1, "loading");
		usleep(5000);
		close(fd);
	}
}
