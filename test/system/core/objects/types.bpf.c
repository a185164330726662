// Types: local id, the kernel's id, existence, size and match, of every kind of type.
#include "core.h"

struct task_struct {
	int pid;
} KERNEL;
struct countersign_nowhere {
	int nothing;
} KERNEL;
union bpf_attr___local {
	unsigned int map_type;
} KERNEL;
union thread_union {
	unsigned long stack[4];
} KERNEL;
enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_MAX = 4,
};
enum pid_type___fewer {
	PIDTYPE_PID___fewer,
};
enum pid_type___other {
	PIDTYPE_NOWHERE,
};
typedef unsigned int gfp_t;
typedef struct {
	int counter;
} atomic_t;
typedef int (*filldir_t)(void *, const char *, int);
typedef unsigned long long u64;
struct work_struct {
	int data;
} KERNEL;
typedef void (*work_func_t)(struct work_struct *work);

// Of one name with the kernel's, of another kind.
enum task_struct___as_enum {
	AS_ENUM = 1,
};
union task_struct___as_union {
	int pid;
} KERNEL;
typedef struct countersign_nowhere kuid_t;

// Members of other types, other order, and not there.
struct task_struct___wrong {
	struct list_head *pid;
} KERNEL;
struct list_head {
	struct list_head *prev, *next;
} KERNEL;
struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev;
} KERNEL;
struct task_struct___pointers {
	struct task_struct___pointers *real_parent;
	struct mm_struct *mm;
	const struct cred *cred;
	char comm[16];
	char other_comm[16];
} KERNEL;
struct file_operations {
	int (*open)(struct inode *, struct file *);
	long (*read)(struct file *, char *, unsigned long, long long *);
} KERNEL;
struct file_operations___wrong {
	int (*open)(struct inode *);
} KERNEL;
struct bpf_map;
struct bpf_map_ops {
	void *(*map_lookup_elem)(struct bpf_map *map, void *key);
} KERNEL;

#define OF(kind, type) bpf_core_type_##kind(type)
#define IDS(type) (OF(id_local, type) + OF(id_kernel, type))
#define ALL(type) (OF(id_local, type) + OF(id_kernel, type) + OF(exists, type) + OF(size, type) + OF(matches, type))

SEC("raw_tp/sched_switch")
int structs(void *ctx)
{
	result = ALL(struct task_struct) + ALL(struct countersign_nowhere) + ALL(struct list_head);
	return 0;
}

SEC("raw_tp/sched_switch")
int unions(void *ctx)
{
	result = ALL(union bpf_attr___local) + ALL(union thread_union) + ALL(union task_struct___as_union);
	return 0;
}

SEC("raw_tp/sched_switch")
int enums(void *ctx)
{
	result = ALL(enum pid_type) + ALL(enum pid_type___fewer) + ALL(enum pid_type___other) +
		 ALL(enum task_struct___as_enum);
	return 0;
}

SEC("raw_tp/sched_switch")
int typedefs(void *ctx)
{
	result = ALL(gfp_t) + ALL(atomic_t) + ALL(filldir_t) + ALL(u64) + ALL(work_func_t) + ALL(kuid_t);
	return 0;
}

SEC("raw_tp/sched_switch")
int integers(void *ctx)
{
	result = IDS(int) + IDS(unsigned long) + IDS(_Bool) + IDS(char);
	return 0;
}

SEC("raw_tp/sched_switch")
int matches(void *ctx)
{
	result = OF(matches, struct task_struct___wrong) << 1;
	result += OF(matches, struct task_struct___pointers) << 2;
	result += OF(matches, struct file_operations) << 3;
	result += OF(matches, struct file_operations___wrong) << 4;
	result += OF(matches, struct bpf_map_ops) << 5;
	result += OF(matches, struct hlist_node) << 6;
	return 0;
}

SEC("raw_tp/sched_switch")
int exists_only(void *ctx)
{
	if (OF(exists, struct countersign_nowhere))
		result = OF(size, struct countersign_nowhere);
	if (OF(exists, struct task_struct))
		result += OF(size, struct task_struct);
	return 0;
}
