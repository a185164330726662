// swap KIND TRIES [UNTIL]: attaches and pins while a thread changes what is attached, to what, or where. Prints how
// often something came of it that the policy refuses: a link of `r0 = 1; exit` or to interface 1, a pin in the folder
// `bad`. With UNTIL it ends at the first such result.
#include "bpf.h"
#include <linux/if_link.h>
#include <sched.h>
#include <sys/stat.h>

static int load_xdp(const struct bpf_insn *insns)
{
	union bpf_attr attr;

	fill(&attr, insns, 2);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.expected_attach_type = BPF_XDP;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static volatile int stop, flips;
static int good_prog, bad_prog, slot = 100;
static union bpf_attr racing;
static char target[512];

static void flip_number(int bad) { ((volatile union bpf_attr *)&racing)->link_create.prog_fd = bad ? bad_prog : good_prog; }
static void flip_fd(int bad) { dup2(bad ? bad_prog : good_prog, slot); }
static void flip_interface(int bad) { ((volatile union bpf_attr *)&racing)->link_create.target_ifindex = bad ? 1 : 2; }
static void flip_folder(int bad)
{
	char link[600], temporary[600];

	snprintf(link, sizeof(link), "%s/folder", target);
	snprintf(temporary, sizeof(temporary), "%s/temporary", target);
	symlink(bad ? "bad" : "good", temporary);
	rename(temporary, link);
}

static void (*flip)(int bad);

static void *flipping(void *arg)
{
	for (unsigned i = 0, seed = 1; !stop; i++) {
		flip(i & 1);
		flips++;
		for (unsigned spin = rand_r(&seed) % 4000; spin > 0; spin--)
			__asm__ volatile("pause");
	}
	return arg;
}

static int forbidden_link(int fd)
{
	struct bpf_link_info info = {};
	union bpf_attr attr = {.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)&info}};
	struct bpf_prog_info bad;

	bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
	prog_info(bad_prog, &bad);
	return flip == flip_interface ? info.xdp.ifindex == 1 : info.prog_id == bad.id;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	int tries = argc > 2 ? atoi(argv[2]) : 0;
	// On a busy machine the other thread may not run during all of `tries`: more follow until both answers came often.
	const int few = tries / 50, most = 100 * tries, until = argc > 3;
	long made = 0, forbidden = 0, refused = 0;
	char pinned[600], wrong[600];
	pthread_t thread;

	flip = !strcmp(kind, "number") ? flip_number : !strcmp(kind, "fd") ? flip_fd : !strcmp(kind, "interface") ? flip_interface : flip_folder;
	unshare(CLONE_NEWNET);
	system("ip link add veth0 type veth peer veth1 2>&1 | head -1");
	good_prog = load_xdp(GOOD);
	bad_prog = load_xdp(BAD);
	snprintf(target, sizeof(target), "%s", getenv("BPFFS"));
	racing.link_create.prog_fd = flip == flip_fd ? slot : good_prog;
	racing.link_create.target_ifindex = 2;
	racing.link_create.attach_type = BPF_XDP;
	racing.link_create.flags = XDP_FLAGS_SKB_MODE;
	snprintf(pinned, sizeof(pinned), "%s/folder/it", target);
	snprintf(wrong, sizeof(wrong), "%s/bad/it", target);
	for (int bad = 0; bad < 2; bad++) {
		char folder[600];

		snprintf(folder, sizeof(folder), "%s/%s", target, bad ? "bad" : "good");
		mkdir(folder, 0700);
	}
	flip(0);
	pthread_create(&thread, NULL, flipping, NULL);
	while (flips < 2)
		usleep(100);
	for (int i = 0; until ? i < tries && !forbidden : i < most; i++) {
		if (!until && i >= tries && made > few && refused > few)
			break;
		if (flip == flip_folder) {
			union bpf_attr attr = {.pathname = (uintptr_t)pinned, .bpf_fd = good_prog};
			char good[600];
			struct stat info;

			if (bpf(BPF_OBJ_PIN, &attr, sizeof(attr)) == 0)
				made++;
			else
				refused += errno == EPERM;
			forbidden += stat(wrong, &info) == 0;
			snprintf(good, sizeof(good), "%s/good/it", target);
			unlink(good), unlink(wrong);
		} else {
			int fd = bpf(BPF_LINK_CREATE, &racing, sizeof(racing));

			if (fd < 0)
				refused += errno == EPERM;
			else
				made++, forbidden += forbidden_link(fd);
			close(fd);
		}
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("tries %d made %s refused %s forbidden %ld\n", tries, made > few ? "many" : "few",
	       refused > few ? "many" : "few", forbidden);
	return 0;
}
