/* Ways to load a program that the list does not have. */
#include <errno.h>
#include <linux/btf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/filter.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

static void plain_load(void)
{
	end_with_unlisted_load("plain load");
}

/* Linux 7.2 takes a flag in the command (BPF_COMMON_ATTRS); before, the command is unknown. */
static void flagged_load(void)
{
	struct bpf_insn code[] = {MOV(0, UNLISTED_RESULT), EXIT};
	union bpf_attr attr = {0};
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "GPL";
	int program = bpf(BPF_PROG_LOAD | 0x10000, &attr, sizeof attr);
	if (program < 0)
		held("load with bit 16 of the command");
	broken("loaded with bit 16 of the command, returns %d", run_program(program));
}

/* The 32-bit entry, whose pointers must be below 4 GiB. 357 is bpf of i386. */
static void compat_load(void)
{
	struct {
		struct bpf_insn code[2];
		char license[8];
		union bpf_attr attr;
	} *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED)
		skipped("no memory below 4 GiB");
	memcpy(low->code, (struct bpf_insn[]){MOV(0, UNLISTED_RESULT), EXIT}, sizeof low->code);
	memcpy(low->license, "GPL", 4);
	low->attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	low->attr.insns = (uintptr_t)low->code;
	low->attr.insn_cnt = 2;
	low->attr.license = (uintptr_t)low->license;
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(357L), "b"((long)BPF_PROG_LOAD), "c"(&low->attr), "d"((long)sizeof low->attr)
			 : "memory", "r8", "r9", "r10", "r11");
	if (result < 0) {
		errno = -result;
		held("bpf of the 32-bit entry");
	}
	broken("loaded by the 32-bit entry, returns %d", run_program(result));
}

/* What a light skeleton does: a program of type SYSCALL makes the load, with attr in a map. */
static void load_from_program(void)
{
	struct {
		union bpf_attr attr;
		struct bpf_insn code[2];
		char license[8];
		int64_t program;
	} value = {.code = {MOV(0, UNLISTED_RESULT), EXIT}, .license = "GPL"};
	enum { CODE = offsetof(typeof(value), code), LICENSE = offsetof(typeof(value), license),
	       PROGRAM = offsetof(typeof(value), program) };
	value.attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	value.attr.insn_cnt = 2;
	int map = create_map(BPF_MAP_TYPE_ARRAY, 4, sizeof value, 1, 0);
	uint32_t key = 0;
	union bpf_attr update = {0};
	update.map_fd = map;
	update.key = (uintptr_t)&key;
	update.value = (uintptr_t)&value;
	if (map < 0 || bpf(BPF_MAP_UPDATE_ELEM, &update, sizeof update))
		held("map of the skeleton");
	struct load how = {.type = BPF_PROG_TYPE_SYSCALL, .flags = BPF_F_SLEEPABLE};
	int program = LOAD_CODE(
	    &how, STORE(BPF_W, 10, -4, 0), MOV_REG(2, 10), ADD(2, -4), MAP_FD(1, map), CALL(BPF_FUNC_map_lookup_elem),
	    JUMP_IF_ZERO(0, 14), MOV_REG(6, 0), MOV_REG(1, 6), ADD(1, CODE), STORE_REG(BPF_DW, 6, 1, 8), MOV_REG(1, 6),
	    ADD(1, LICENSE), STORE_REG(BPF_DW, 6, 1, 16), MOV(1, BPF_PROG_LOAD), MOV_REG(2, 6),
	    MOV(3, sizeof(union bpf_attr)), CALL(BPF_FUNC_sys_bpf), STORE_REG(BPF_DW, 6, 0, PROGRAM), MOV(0, 0), EXIT,
	    MOV(0, 1), EXIT);
	if (program < 0)
		held("load of the program that loads");
	union bpf_attr run = {0};
	run.test.prog_fd = program;
	if (bpf(BPF_PROG_TEST_RUN, &run, sizeof run))
		held("run of the program that loads");
	if (bpf(BPF_MAP_LOOKUP_ELEM, &update, sizeof update) || value.program < 0) {
		errno = -value.program;
		held("load by a program");
	}
	broken("a program loaded one that returns %d", run_program(value.program));
}

/* XDP_PASS as the list has it, which the kernel itself makes XDP_DROP by the value of an enum in its BTF. */
static void core_relos(void)
{
	struct {
		struct btf_header header;
		struct btf_type type;
		struct btf_enum value;
		struct btf_type prototype;
		struct btf_type function;
		char names[28];
	} btf = {.header = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(struct btf_header)}};
	btf.header.type_len = offsetof(typeof(btf), names) - sizeof btf.header;
	btf.header.str_off = btf.header.type_len;
	btf.header.str_len = sizeof btf.names;
	/* names: 1 "xdp_action", 12 "XDP_DROP", 21 "0", 23 "f" */
	memcpy(btf.names, "\0xdp_action\0XDP_DROP\0000\0f", 24);
	btf.type = (struct btf_type){.name_off = 1, .info = BTF_KIND_ENUM << 24 | 1, .size = 4};
	btf.value = (struct btf_enum){.name_off = 12, .val = 2};
	btf.prototype = (struct btf_type){.info = BTF_KIND_FUNC_PROTO << 24, .type = 1};
	btf.function = (struct btf_type){.name_off = 23, .info = BTF_KIND_FUNC << 24, .type = 2};
	union bpf_attr attr = {0};
	attr.btf = (uintptr_t)&btf;
	attr.btf_size = sizeof btf;
	int types = bpf(BPF_BTF_LOAD, &attr, sizeof attr);
	if (types < 0)
		held("load of BTF");
	struct bpf_insn code[] = {MOV(0, 2), EXIT};
	struct bpf_core_relo relo = {.insn_off = 0, .type_id = 1, .access_str_off = 21,
				     .kind = BPF_CORE_ENUMVAL_VALUE};
	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "GPL";
	attr.prog_btf_fd = types;
	/* without func_info the kernel skips core_relos */
	attr.func_info = (uintptr_t) & (struct bpf_func_info){.insn_off = 0, .type_id = 3};
	attr.func_info_cnt = 1;
	attr.func_info_rec_size = sizeof(struct bpf_func_info);
	attr.core_relos = (uintptr_t)&relo;
	attr.core_relo_cnt = 1;
	attr.core_relo_rec_size = sizeof relo;
	int program = bpf(BPF_PROG_LOAD, &attr, sizeof attr);
	if (program < 0)
		held("load with core_relos");
	int result = run_program(program);
	if (result == 2)
		skipped("the kernel did not relocate");
	broken("the program `r0 = 2` returns %d", result);
}

static volatile struct bpf_insn changing[2];
static volatile bool is_over;

static void *change(void *unused)
{
	while (!is_over) {
		changing[0].imm = 2;
		changing[0].imm = 1;
	}
	return unused;
}

/* XDP_PASS, which another thread changes to XDP_DROP between the check and the use. */
static void changed_by_thread(void)
{
	pthread_t thread;
	*(struct bpf_insn *)&changing[0] = MOV(0, 2);
	*(struct bpf_insn *)&changing[1] = EXIT;
	pthread_create(&thread, NULL, change, NULL);
	struct load how = {.type = BPF_PROG_TYPE_XDP};
	int loaded = 0, dropping = 0;
	for (int round = 0; round < 400; round++) {
		int program = load(&how, (const struct bpf_insn *)changing, 2);
		if (program < 0)
			continue;
		loaded++;
		dropping += run_program(program) == 1;
		close(program);
		/* the kernel frees programs in the background */
		usleep(1000);
	}
	is_over = true;
	pthread_join(thread, NULL);
	if (dropping > 0)
		broken("%d of %d programs drop packets", dropping, loaded);
	errno = EPERM;
	held(loaded > 0 ? "every load with the other code" : "every load");
}

/* The kernel does not ask the hooks of BPF about a filter of classic BPF. */
static void classic_filter(void)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {.len = 1, .filter = code};
	int sockets[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) ||
	    setsockopt(sockets[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
		held("SO_ATTACH_FILTER");
	send(sockets[0], "x", 1, 0);
	char byte;
	if (recv(sockets[1], &byte, 1, MSG_DONTWAIT) == 1)
		held("filter");
	broken("a classic filter drops packets");
}

/* Loads where the kernel has just freed a program that was loaded before the seal, with its id and its memory. */
static void reused_place(void)
{
	close(accomplice(SPARE));
	forget(SPARE);
	for (int round = 0; round < 64; round++) {
		int program = load_unlisted();
		if (program >= 0)
			end_with_unlisted_load("took the place of a program");
		usleep(10000);
	}
	held("64 loads after a program was freed");
}

const struct attack load_attacks[] = {
    {"plain-load", plain_load},
    {"flagged-load", flagged_load},
    {"compat-load", compat_load},
    {"load-from-program", load_from_program},
    {"core-relos", core_relos},
    {"changed-by-thread", changed_by_thread},
    {"classic-filter", classic_filter},
    {"reused-place", reused_place},
    {0},
};
