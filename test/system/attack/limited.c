// limited UID CAPABILITIES COMMAND ...: executes a command with this user id and with these capabilities (hexadecimal)
// alone.
#include "bpf.h"
#include <grp.h>
#include <linux/capability.h>

static void must(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(2);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	uid_t uid = atoi(argv[1]);
	uint64_t set = strtoull(argv[2], NULL, 16);
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {};

	// what root executes has the bounding set, and what others execute the ambient set
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(set >> cap & 1))
			must(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "the bounding set");
	must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keeping capabilities");
	if (uid != 0) {
		must(setgroups(0, NULL), "groups");
		must(setresgid(uid, uid, uid), "group");
		must(setresuid(uid, uid, uid), "user");
	}
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = data[i].inheritable = set >> (32 * i);
	must(syscall(SYS_capset, &header, data), "capabilities");
	for (int cap = 0; uid != 0 && cap < 64; cap++)
		if (set >> cap & 1)
			must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0), "the ambient set");
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
