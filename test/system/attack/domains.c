// domains COUNT COMMAND ...: executes a command in so many Landlock domains.
#include "bpf.h"
#include <linux/landlock.h>

int main(int argc, char **argv)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SOCK};

	if (argc < 3)
		return 2;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (int i = 0; i < atoi(argv[1]); i++) {
		int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

		if (syscall(SYS_landlock_restrict_self, ruleset, 0))
			perror("landlock_restrict_self");
		close(ruleset);
	}
	execvp(argv[2], argv + 2);
	return 127;
}
