// Kernel functions: of vmlinux and of modules, weak ones, ones with a flavour, in programs and subprograms.
#include "core.h"

struct task_struct {
	int pid;
} KERNEL;
struct nf_conn {
	unsigned long status;
} KERNEL;
struct bpf_xfrm_info {
	unsigned int if_id;
} KERNEL;
struct bpf_ct_opts___local {
	int netns_id;
	int error;
	unsigned char l4proto;
	unsigned char dir;
	unsigned char reserved[2];
};

void bpf_rcu_read_lock(void) __ksym __weak;
void bpf_rcu_read_unlock(void) __ksym __weak;
struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym __weak;
struct task_struct *bpf_task_acquire___one(struct task_struct *task) __ksym __weak;
struct task_struct *bpf_task_acquire___two(struct task_struct *task, void *more) __ksym __weak;
void bpf_task_release(struct task_struct *task) __ksym __weak;
int countersign_no_such_function(int argument) __ksym __weak;

struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *, struct bpf_sock_tuple *, unsigned int, struct bpf_ct_opts___local *,
				  unsigned int) __ksym __weak;
struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *, struct bpf_sock_tuple *, unsigned int, struct bpf_ct_opts___local *,
				  unsigned int) __ksym __weak;
void bpf_ct_release(struct nf_conn *) __ksym __weak;
int bpf_skb_get_xfrm_info(struct __sk_buff *, struct bpf_xfrm_info *) __ksym __weak;

SEC("tp_btf/task_newtask")
int BPF_PROG(of_vmlinux, struct task_struct *task, unsigned long flags)
{
	if (bpf_rcu_read_lock && bpf_rcu_read_unlock) {
		bpf_rcu_read_lock();
		if (bpf_task_acquire && bpf_task_release) {
			struct task_struct *own = bpf_task_acquire(task);

			if (own)
				bpf_task_release(own);
		}
		bpf_rcu_read_unlock();
	}
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(flavours, struct task_struct *task, unsigned long flags)
{
	struct task_struct *own = 0;

	if (bpf_ksym_exists(bpf_task_acquire___two))
		own = bpf_task_acquire___two(task, 0);
	else if (bpf_ksym_exists(bpf_task_acquire___one))
		own = bpf_task_acquire___one(task);
	if (own && bpf_task_release)
		bpf_task_release(own);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(missing_guarded, struct task_struct *task, unsigned long flags)
{
	if (bpf_ksym_exists(countersign_no_such_function))
		result = countersign_no_such_function(1);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(missing_unguarded, struct task_struct *task, unsigned long flags)
{
	result = countersign_no_such_function(1);
	return 0;
}

SEC("xdp")
int of_a_module(struct xdp_md *ctx)
{
	char tuple[12] = {};
	struct bpf_ct_opts___local options = {.netns_id = -1};

	if (!bpf_xdp_ct_lookup || !bpf_ct_release)
		return XDP_PASS;
	struct nf_conn *connection =
		bpf_xdp_ct_lookup(ctx, (void *)tuple, sizeof(tuple), &options, sizeof(options));
	if (connection)
		bpf_ct_release(connection);
	return XDP_PASS;
}

// Two modules: the second one gets the second place in fd_array.
static __noinline int security(struct __sk_buff *ctx)
{
	char info[16] = {};

	return bpf_skb_get_xfrm_info ? bpf_skb_get_xfrm_info(ctx, (void *)info) : 0;
}

SEC("tc")
int of_two_modules(struct __sk_buff *ctx)
{
	char tuple[12] = {};
	struct bpf_ct_opts___local options = {.netns_id = -1};
	int found = security(ctx);

	if (bpf_skb_ct_lookup && bpf_ct_release) {
		struct nf_conn *connection =
			bpf_skb_ct_lookup(ctx, (void *)tuple, sizeof(tuple), &options, sizeof(options));
		if (connection)
			bpf_ct_release(connection);
	}
	return found;
}

SEC("tc")
int of_the_second_module(struct __sk_buff *ctx)
{
	return security(ctx);
}
