// Kernel functions that must exist, of vmlinux and of two modules.
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
struct bpf_ct_opts {
	int netns_id;
	int error;
	unsigned char l4proto;
	unsigned char dir;
	unsigned char reserved[2];
};

struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;
struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *, struct bpf_sock_tuple *, unsigned int, struct bpf_ct_opts *,
				  unsigned int) __ksym;
void bpf_ct_release(struct nf_conn *) __ksym;
int bpf_skb_get_xfrm_info(struct __sk_buff *, struct bpf_xfrm_info *) __ksym;

SEC("tp_btf/task_newtask")
int BPF_PROG(of_vmlinux, struct task_struct *task, unsigned long flags)
{
	struct task_struct *own = bpf_task_acquire(task);

	if (own)
		bpf_task_release(own);
	return 0;
}

SEC("tc")
int of_modules(struct __sk_buff *ctx)
{
	char tuple[12] = {};
	struct bpf_xfrm_info info = {};
	struct bpf_ct_opts options = {.netns_id = -1};
	struct nf_conn *connection = bpf_skb_ct_lookup(ctx, (void *)tuple, sizeof(tuple), &options, sizeof(options));

	if (connection)
		bpf_ct_release(connection);
	return bpf_skb_get_xfrm_info(ctx, &info);
}
