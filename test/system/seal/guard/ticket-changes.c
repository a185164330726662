// Loads with a ticket for another load: each property changed by itself.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "tickets.h"

static void load_with_ticket(const char *name, const struct guard_ticket *ticket, const struct load *load)
{
	int error = write_ticket(ticket);

	if (error)
		printf("%s: no ticket: %s\n", name, outcome(error));
	load_and_report(name, load);
	withdraw_ticket(0);
}

// A ticket for the program as it is, and a load of one that was changed.
void load_changed(const char *name, const char *program, void (*change)(struct load *))
{
	struct load load = {.program = *program_named(program)};
	struct guard_ticket ticket = ticket_for(program);

	if (change)
		change(&load);
	load_with_ticket(name, &ticket, &load);
}

static void change_insn(struct load *load) { load->program.insns[3].imm = 5; }
static void change_type(struct load *load) { load->program.type = BPF_PROG_TYPE_SCHED_CLS; }
static void change_attach_type(struct load *load) { load->program.attach_type = BPF_CGROUP_INET_INGRESS; }
static void change_target(struct load *load) { load->program.target = "bpf_fentry_test2"; }
static void change_flags(struct load *load) { load->program.flags = BPF_F_ANY_ALIGNMENT; }
static void change_license(struct load *load) { load->program.license = "Proprietary"; }
static void add_core_relos(struct load *load) { load->core_relos = 1; }
static void change_offset(struct load *load) { load->program.insns[1].imm = 12; }
static void use_one_map(struct load *load) { load->program.insns[6].imm = 0; }
static void double_map(struct load *load) { load->doubled = true; }
static void thread(struct load *load) { load->threaded = true; }
static void index_maps(struct load *load) { load->indexed = true; }
static void change_map_type(struct load *load) { load->program.maps[1].type = BPF_MAP_TYPE_LRU_HASH; }
static void change_key_size(struct load *load) { load->program.maps[1].key_size = 2; }
static void change_value_size(struct load *load) { load->program.maps[1].value_size = 16; }
static void change_entries(struct load *load) { load->program.maps[1].max_entries = 17; }
static void change_map_flags(struct load *load) { load->program.maps[1].flags = BPF_F_NO_PREALLOC; }
static void thaw(struct load *load) { load->program.maps[0].frozen = false; }
static void let_programs_write(struct load *load) { load->program.maps[0].flags = 0; }
static void change_contents(struct load *load) { load->program.maps[0].contents[70] ^= 1; }
static void change_setting(struct load *load) { load->program.maps[0].contents[5] ^= 1; }
static void change_inner(struct load *load) { load->program.maps[0].inner_value_size = 16; }
static void change_last_reference(struct load *load) { load->program.insns[32].imm = 2; }
static void name_module(struct load *load) { load->program.insns[1].imm = 1; }

static const struct {
	const char *name, *program;
	void (*change)(struct load *);
} CHANGES[] = {
	{"as written", "maps", NULL},
	{"other instruction", "maps", change_insn},
	{"other type", "maps", change_type},
	{"other flags", "maps", change_flags},
	{"other licence", "maps", change_license},
	{"other attach type", "cgroup", change_attach_type},
	{"other attach target", "fentry", change_target},
	{"core_relos", "maps", add_core_relos},
	{"offset into a map", "maps", change_offset},
	{"one map for two", "maps", use_one_map},
	{"one map by two fds", "maps", double_map},
	{"map type", "maps", change_map_type},
	{"key size", "maps", change_key_size},
	{"value size", "maps", change_value_size},
	{"maximum of entries", "maps", change_entries},
	{"map flags", "maps", change_map_flags},
	{"contents that are not frozen", "maps", thaw},
	{"contents that programs may write", "maps", let_programs_write},
	{"contents", "maps", change_contents},
	{"contents of a setting", "maps", change_setting},
	{"indexes", "indexed", index_maps},
	{"inner map", "outer", NULL},
	{"inner map of another size", "outer", change_inner},
	{"many references", "references", NULL},
	{"the last reference", "references", change_last_reference},
	{"dead reference, of a thread of the agent", "dead", thread},
	{"variable of a module", "btf variable", name_module},
	{"attach target", "fentry", NULL},
	{"sysctl", "sysctl", NULL},
	{"sysctl that can undo the guard", "sysctl that sets the return value", NULL},
};

void run_changes(void)
{
	for (uint32_t i = 0; i < sizeof(CHANGES) / sizeof(*CHANGES); i++)
		load_changed(CHANGES[i].name, CHANGES[i].program, CHANGES[i].change);
}
