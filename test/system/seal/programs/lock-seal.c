/* Gives the guard the command of `countersign seal lock`. */
#include <errno.h>
#include <linux/types.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../../src/seal/guard/interface.h"

int main(void)
{
	uint64_t attr = 0;
	return syscall(SYS_bpf, GUARD_COMMAND_LOCK, &attr, sizeof(attr)) == -1 && errno == EALREADY ? 0 : 1;
}
