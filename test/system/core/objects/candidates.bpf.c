// Candidates: several types of one name, in the kernel or in modules; which of them fit, and whether they agree.
#include "core.h"

// More than one struct of these names in most kernels, with the fields at different places.
struct irq_info {
	unsigned short evtchn;
} KERNEL;
struct irq_info___list {
	int irq;
} KERNEL;
struct slot {
	unsigned char number;
	unsigned int devfn;
} KERNEL;
struct perf_aux_event___offset {
	unsigned long long offset;
} KERNEL;
struct perf_aux_event___hw {
	unsigned long long hw_id;
} KERNEL;
struct perf_aux_event___header {
	struct {
		unsigned int type;
	} header;
} KERNEL;
struct elf_thread_core_info {
	struct task_struct *task;
	struct memelfnote {
		int type;
	} KERNEL notes[1];
} KERNEL;
struct syscall_tp_t {
	int syscall_nr;
	unsigned long ret;
} KERNEL;
struct syscall_tp_t___args {
	unsigned long args[6];
} KERNEL;

// Only in modules.
struct xfs_inode {
	void *i_mount;
	unsigned long long i_ino;
} KERNEL;
struct ext4_inode_info {
	unsigned int i_flags;
	unsigned int i_dtime;
} KERNEL;
struct btrfs_inode {
	void *root;
	unsigned long long generation;
} KERNEL;
struct nvme_queue {
	unsigned short qid;
} KERNEL;
struct nft_ctx {
	void *net;
	unsigned char family;
} KERNEL;
// In the kernel, where it lacks the field, and in a module, which is then not searched.
struct list_head___extended {
	void *next;
	int not_there;
} KERNEL;

#define READ(program, type, field)                                                                                       \
	SEC("raw_tp/sched_switch")                                                                                         \
	int program(void *ctx)                                                                                             \
	{                                                                                                                  \
		type *from = (void *)bpf_get_current_task();                                                               \
		result = (long)BPF_CORE_READ(from, field);                                                                 \
		return 0;                                                                                                  \
	}

READ(one_fits, struct irq_info, evtchn)
READ(irq_of_several, struct irq_info___list, irq)
READ(number_of_several, struct slot, number)
READ(devfn_of_one, struct slot, devfn)
READ(offset_of_one, struct perf_aux_event___offset, offset)
READ(hw_of_one, struct perf_aux_event___hw, hw_id)
READ(agreeing, struct perf_aux_event___header, header.type)
READ(same_place, struct elf_thread_core_info, task)
READ(other_place, struct elf_thread_core_info, notes[0].type)
READ(same_number, struct syscall_tp_t, syscall_nr)
READ(one_has_it, struct syscall_tp_t, ret)
READ(other_has_it, struct syscall_tp_t___args, args[2])
READ(of_xfs, struct xfs_inode, i_ino)
READ(of_ext4, struct ext4_inode_info, i_dtime)
READ(of_btrfs, struct btrfs_inode, generation)
READ(of_nvme, struct nvme_queue, qid)
READ(of_nf_tables, struct nft_ctx, family)
READ(not_in_the_kernel, struct list_head___extended, not_there)

// The first relocation leaves one candidate, so that the second is not ambiguous.
SEC("raw_tp/sched_switch")
int narrowed_down(void *ctx)
{
	struct slot *slot = (void *)bpf_get_current_task();

	result = BPF_CORE_READ(slot, devfn) + BPF_CORE_READ(slot, number);
	return 0;
}

// The same the other way round.
SEC("raw_tp/sched_switch")
int narrowed_too_late(void *ctx)
{
	struct slot *slot = (void *)bpf_get_current_task();

	result = BPF_CORE_READ(slot, number);
	result += BPF_CORE_READ(slot, devfn);
	return 0;
}

SEC("raw_tp/sched_switch")
int sizes(void *ctx)
{
	result = bpf_core_type_size(struct irq_info) + bpf_core_type_exists(struct slot);
	return 0;
}

SEC("raw_tp/sched_switch")
int ids(void *ctx)
{
	result = bpf_core_type_id_kernel(struct perf_aux_event___header);
	return 0;
}

SEC("raw_tp/sched_switch")
int ids_of_a_module(void *ctx)
{
	result = bpf_core_type_id_kernel(struct xfs_inode) + bpf_core_type_size(struct ext4_inode_info);
	return 0;
}
