// Tickets for programs that attach to another program: they name it by its id.
#define _GNU_SOURCE
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tickets.h"

#define NAMES "\0int\0ctx\0target"
#define INT 1
#define CTX 5
#define TARGET 9
#define TARGET_ID 4

// int target(void *ctx)
static const struct {
	struct btf_header header;
	struct {
		struct btf_type type;
		uint32_t encoding;
	} integer;
	struct btf_type pointer;
	struct {
		struct btf_type type;
		struct btf_param ctx;
	} proto;
	struct btf_type function;
	char names[sizeof(NAMES)];
} BTF = {
	.header = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(struct btf_header),
		   .type_len = 16 + 12 + 12 + 8 + 12, .str_off = 16 + 12 + 12 + 8 + 12, .str_len = sizeof(NAMES)},
	.integer = {{.name_off = INT, .info = BTF_KIND_INT << 24, .size = 4}, BTF_INT_SIGNED << 24 | 32},
	.pointer = {.info = BTF_KIND_PTR << 24, .type = 0},
	.proto = {{.info = BTF_KIND_FUNC_PROTO << 24 | 1, .type = 1}, {.name_off = CTX, .type = 2}},
	.function = {.name_off = TARGET, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, .type = 3},
	.names = NAMES,
};

// The listed program that is attached to: all are alike. Returns an fd, or -errno.
static int load_target(int btf)
{
	struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};
	struct bpf_func_info functions[] = {{.insn_off = 0, .type_id = TARGET_ID}};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insns = (uint64_t)insns, .insn_cnt = 2,
			       .license = (uint64_t)"GPL", .prog_btf_fd = btf, .func_info = (uint64_t)functions,
			       .func_info_cnt = 1, .func_info_rec_size = sizeof(*functions)};

	return bpf(BPF_PROG_LOAD, &attr);
}

static uint32_t id_of(int program)
{
	struct bpf_prog_info info = {0};
	union bpf_attr ask = {.info = {.bpf_fd = program, .info_len = sizeof(info), .info = (uint64_t)&info}};

	bpf(BPF_OBJ_GET_INFO_BY_FD, &ask);
	return info.id;
}

// fentry on a program, with the instructions of the program "fentry".
static void attach_to(const char *name, int target, const struct guard_ticket *ticket)
{
	const struct program *program = program_named("fentry");
	union bpf_attr attr = {.prog_type = program->type, .expected_attach_type = program->attach_type,
			       .insns = (uint64_t)program->insns, .insn_cnt = program->count, .license = (uint64_t)"GPL",
			       .attach_btf_id = TARGET_ID, .attach_prog_fd = target};
	struct guard_status before;
	int error = write_ticket(ticket);

	if (error)
		printf("%s: no ticket: %s\n", name, strerrorname_np(-error));
	before = read_status();
	report(name, bpf(BPF_PROG_LOAD, &attr), &before);
	withdraw_ticket(0);
}

void run_targets(void)
{
	union bpf_attr load = {.btf = (uint64_t)&BTF, .btf_size = sizeof(BTF)};
	int btf = bpf(BPF_BTF_LOAD, &load), targets[2] = {load_target(btf), load_target(btf)};
	struct guard_ticket ticket = ticket_for("fentry");

	if (targets[0] < 0 || targets[1] < 0)
		printf("targets: BTF %d, programs %d %d\n", btf, targets[0], targets[1]);
	ticket.attach_btf_id = TARGET_ID;
	attach_to("attach to a program, ticket for the kernel", targets[0], &ticket);
	ticket.attach_prog_id = id_of(targets[0]);
	attach_to("attach to a program", targets[0], &ticket);
	attach_to("attach to another program", targets[1], &ticket);
	ticket.attach_btf_obj_id = 1;
	attach_to("attach to a program, ticket for a module", targets[0], &ticket);
	close(targets[0]);
	close(targets[1]);
	close(btf);
}
