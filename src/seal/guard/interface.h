/*
 * What the guard (BPF programs), its loader (user space, C) and src/seal (TypeScript) agree on. Integers are
 * little-endian; structs have no implicit padding. test/unit/seal compares the sizes and offsets with the TypeScript.
 */
#pragma once

/*
 * Raised by a change with which a guard, a loader or a list from before it cannot be used: in the structs below, in the
 * names of maps that a loader looks for, in the commands, or in what a list or a rule means.
 */
#define GUARD_VERSION 2

/* Names of maps, at most 15 bytes. User space may open the first two by id, with BPF_F_RDONLY only. */
#define GUARD_STATUS "guard_status"
#define GUARD_EVENTS "guard_events"

/* Maps of the list, at most 15 bytes each: its two tables of entries, and their tables of records. */
#define GUARD_LIST_A "guard_list_a"
#define GUARD_LIST_B "guard_list_b"
#define GUARD_RECORDS_A "guard_records_a"
#define GUARD_RECORDS_B "guard_records_b"

/* The header of a list file; src/seal/list/list-header.ts says what its members are. A list's signature covers it. */
struct list_header {
	__u8 magic[24];
	__u32 version;
	__u32 guard_version;
	__u64 generation;
	__u32 entries;
	__u32 records;
	__u8 kernel_btf[32];
	__u8 tables[32];
	__u8 configuration[32];
	__u8 release[64];
	/* SHA-256 of the list of files, which has to be the one in force: a new list changes programs only. */
	__u8 files[32];
	/* SHA-256 of the classes, which follow the records, and have to be those in force. */
	__u8 classes[32];
};

#define GUARD_LIST_MAGIC "countersign list\n"
#define GUARD_LIST_VERSION 1

/* The map with struct guard_classes. */
#define GUARD_CLASSES "guard_classes"

/*
 * A program that the list allows. The table is sorted by all bytes of its entries, as memcmp(3) does. Entries that are
 * equal up to `maps` are alternatives: one program with different maps. There are at most GUARD_ALTERNATIVES of them.
 */
#define GUARD_ALTERNATIVES 8
struct list_entry {
	/* SHA-256 of the loaded instructions: fds of maps and BTF objects, and offsets into maps, are zero. */
	__u8 digest[32];
	__u32 prog_type;
	/* As the kernel completes it (bpf_prog_load_fixup_attach_type of kernel/bpf/syscall.c). */
	__u32 expected_attach_type;
	/* Of the vmlinux BTF of the kernel that the list is for; 0 where the type has none. */
	__u32 attach_btf_id;
	/* prog_flags of bpf_attr. */
	__u32 prog_flags;
	/* 1 where the licence is compatible with the GPL (prog->gpl_compatible). */
	__u32 gpl_compatible;
	/* The element of the table of records with the program's struct list_references. */
	__u32 maps;
};

/*
 * The references of a program to maps: each ld_imm64 with src_reg 1, 2, 5 or 6, in the order of the instructions. Maps
 * are numbered from 0 in the order of their first references. The program's struct list_map follow, one for each
 * number.
 */
#define GUARD_MAX_MAPS 64
struct list_references {
	/* Number of distinct maps, at most GUARD_MAX_MAPS. */
	__u32 maps;
	__u32 references;
	/*
	 * SHA-256 of 8 bytes for each reference: the number of its map and the immediate of its second slot (the offset into
	 * the map's value), both as little-endian __u32. Zero if there are no references.
	 */
	__u8 digest[32];
};

/* A map of a program, as the kernel has it after the load. */
struct list_map {
	__u64 map_extra;
	__u32 map_type;
	/* 0 in the next three where the statement leaves the value to the loader. */
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	/* 1: an array of one element that is frozen and has BPF_F_RDONLY_PROG, and its contents are compared. */
	__u32 frozen;
	/*
	 * Of maps of maps: the definition of the inner map, as above; zero if the loader chooses it. Zero for other types.
	 */
	__u32 inner_map_type;
	__u32 inner_key_size;
	__u32 inner_value_size;
	__u32 inner_max_entries;
	__u32 inner_map_flags;
	__u32 reserved;
	/* SHA-256 of the value_size bytes of the element with the ranges of settings zeroed; zero where `frozen` is 0. */
	__u8 contents[32];
	/* Ranges that are zeroed: offset and size in bytes; unused ones have size 0. */
	struct {
		__u32 offset;
		__u32 size;
	} settings[16];
};

/* An element of the tables of records. */
union list_record {
	struct list_references references;
	struct list_map map;
};

/*
 * A file of the list of files: the SHA-256 of a kernel module, as it is or compressed, or the fs-verity digest of an
 * executable. Each of the two tables is sorted by the bytes.
 */
#define GUARD_MODULES "guard_modules"
#define GUARD_EXECUTABLES "guard_execs"
struct file_digest {
	__u8 bytes[32];
};

/* Bits of guard_file_rules: which files must be listed. */
#define GUARD_RULE_MODULES 1
#define GUARD_RULE_EXECUTABLES 2
/*
 * With GUARD_RULE_MODULES: until GUARD_LOCKED, a module that is not listed is loaded if the agent itself makes the call,
 * with the bytes and the parameters that its policies allowed. The kernel copies parameters after the last hook, from
 * the caller's memory.
 */
#define GUARD_RULE_MODULES_BY_TICKET 4

/*
 * Programs that load without being in the list. Bits of helpers are by the helper's number, those of the other masks by
 * the number of the type. Whatever the row says, such a program has no prog_flags, target, kfunc, BTF id or device.
 */
#define GUARD_CLASS_ROWS 16
struct guard_class {
	/* Of expected_attach_type; loaders that name none give 0. */
	__u64 attach_types;
	/* Types of the maps that it may use. */
	__u64 map_types;
	__u64 helpers[4];
	/* 0: the row is not used. */
	__u32 prog_type;
	/* The greatest number of instructions and of maps. */
	__u32 instructions;
	__u32 maps;
	__u32 reserved;
};

/* The one element of the array map guard_classes. */
struct guard_classes {
	/* Programs that are denied whatever allows them: those of these types, or that call one of these helpers. */
	struct {
		__u64 types;
		__u64 helpers[4];
	} mask;
	struct guard_class admit[GUARD_CLASS_ROWS];
};

/* The canary, which no list has: a socket filter of two instructions, `r0 = GUARD_CANARY_VALUE; exit`. */
#define GUARD_CANARY_VALUE 0x0c0a4a47

/* Modes of guard_status.mode. */
#define GUARD_MODE_AUDIT 1
#define GUARD_MODE_ENFORCE 2

/* Bits of guard_status.state. None is ever cleared while the machine runs. SEALED is never set under audit. */
#define GUARD_SEALED 1 /* the latch: the guard protects itself, and its decisions are final */
#define GUARD_LOCKED 2 /* seal lock: every program load is denied */
#define GUARD_SIGNATURES_REQUIRED 4
#define GUARD_LATE 8 /* seal start on a running machine */
#define GUARD_OPEN 16 /* loads are recorded, not denied, until GUARD_LOCKED */
#define GUARD_ROOT_STARTED 0x100 /* executables of the initramfs must be listed, too */

/* Of the variable guard_open: the guard does not lock by itself. */
#define GUARD_OPEN_UNTIL_LOCK 0xffffffff

/* Why a call was denied: guard_event.reason and the index of guard_status.denied. A table in TypeScript names each. */
enum guard_reason {
	GUARD_UNLISTED = 1, /* bpf_prog_load: no entry of the list */
	GUARD_MAPS, /* bpf_prog, and bpf_prog_load for references: the maps of the program are not those of its entry */
	GUARD_CORE_RELOS, /* bpf_prog_load: the kernel is asked to change the instructions afterwards */
	GUARD_LOCKED_DOWN, /* bpf_prog_load: after seal lock */
	GUARD_NEVER, /* a program that can undo the guard, or a kernel module by which root writes memory */
	GUARD_OWN_OBJECT, /* a program, map or link of the guard was asked for by id, fd or path */
	GUARD_OWN_HOOK, /* attach or detach, on any cgroup, with an attach type that the guard uses at the root cgroup */
	GUARD_KERNEL_CHANGE, /* locked_down: kexec, unsigned modules, /dev/mem, /proc/kcore and the like */
	GUARD_SYSCTL, /* a sysctl that turns BPF programs off */
	GUARD_MOUNT, /* a file system that holds the guard's links */
	GUARD_AGENT, /* ptrace, signals and memory of the agent */
	GUARD_TOKEN, /* bpf_token_create */
	GUARD_MODULE, /* a kernel module that is not listed, and for which there is no ticket */
	GUARD_EXECUTABLE, /* an executable that is not listed */
	GUARD_MASK, /* bpf_prog_load: helpers or a type that the class forbids */
	GUARD_FAILURE, /* a helper of the guard failed; denied */
	GUARD_CANARY, /* the loader's own program that must be denied */
	GUARD_UNKNOWN_COMMAND, /* bpf: a command that the guard does not know */
	GUARD_SIGNATURE, /* bpf_prog_load: a signature is required; bpf: the one that was brought is not accepted */
	GUARD_TICKET, /* bpf_prog_load: the task has a ticket, for another load than this one */
	GUARD_LIST, /* bpf: a new list that does not replace the one in force */
	GUARD_REASONS = 32
};

/* The one element of the array map guard_status. */
struct guard_status {
	__u32 version;
	__u32 mode;
	__u32 state;
	/* Ids up to these were given before the guard was sealed. */
	__u32 last_prog_id;
	__u32 last_map_id;
	__u32 last_link_id;
	/* Which of the two tables is in force, and its generation: it only grows. */
	__u32 list;
	__u32 list_entries;
	__u64 generation;
	/* CLOCK_BOOTTIME in nanoseconds at which the guard was sealed. */
	__u64 sealed_at;
	__u8 config_digest[32];
	__u8 list_digest[32];
	__u8 trusted_key[32];
	/* SHA-256 of the list of files and of the classes, as in the header of the list; they never change. */
	__u8 files_digest[32];
	__u8 classes_digest[32];
	__u64 allowed;
	__u64 events;
	/* Tickets that the guard took from the agent, and those that were used for a load. */
	__u64 tickets_written;
	__u64 tickets_used;
	/* The agent: its process id, and field 22 of its /proc/PID/stat; 0 if there is none. */
	__u64 agent;
	__u64 agent_start;
	/* Serial numbers of the kernel's keyrings: who signs lists, and whose signature allows a program; 0 for none. */
	__s32 list_ring;
	__s32 program_ring;
	/* guard_file_rules, and how many files of each kind are listed. */
	__u32 file_rules;
	__u32 modules;
	__u32 executables;
	/* Classes that are admitted, and types and helpers that the mask denies. */
	__u32 class_rows;
	__u32 masked_types;
	__u32 masked_helpers;
	/* The last member: attacks.bin, which may be of another version, finds it from the end. */
	__u64 denied[GUARD_REASONS];
};

/* The one element of the array map guard_programs: ids of the guard's programs; 0 in the rest. */
#define GUARD_PROGRAMS "guard_programs"
#define GUARD_MAX_PROGRAMS 64
struct guard_programs {
	__u32 ids[GUARD_MAX_PROGRAMS];
};

/* Where a call was denied: guard_event.hook, by the name of the LSM hook. guard_sysctl is no LSM program. */
enum guard_hook {
	GUARD_AT_BPF_PROG_LOAD = 1,
	GUARD_AT_BPF_PROG,
	GUARD_AT_BPF,
	GUARD_AT_BPF_MAP,
	GUARD_AT_KERNFS_INIT_SECURITY,
	GUARD_AT_LOCKED_DOWN,
	GUARD_AT_KERNEL_POST_READ_FILE,
	GUARD_AT_KERNEL_POST_LOAD_DATA,
	GUARD_AT_BPRM_CHECK_SECURITY,
	GUARD_AT_MMAP_FILE,
	GUARD_AT_PTRACE_ACCESS_CHECK,
	GUARD_AT_TASK_KILL,
	GUARD_AT_SB_UMOUNT,
	GUARD_AT_INODE_UNLINK,
	GUARD_AT_INODE_RENAME,
	GUARD_AT_SYSCTL,
	GUARD_AT_INODE_RMDIR,
	GUARD_AT_MOVE_MOUNT,
	GUARD_AT_SB_MOUNT,
	GUARD_AT_SB_PIVOTROOT,
};

/*
 * The array map guard_events, in which event number n, from 1, is element n - 1 if that is less than GUARD_FIRST_EVENTS:
 * these are never overwritten, whatever root does. Of the others the last GUARD_LAST_EVENTS follow, as a ring.
 * guard_status.events has the number of all, and guard_status.denied that of each reason.
 */
#define GUARD_FIRST_EVENTS 1024
#define GUARD_LAST_EVENTS 1024
#define GUARD_EVENT_COUNT (GUARD_FIRST_EVENTS + GUARD_LAST_EVENTS)
struct guard_event {
	/* From 1; 0 in an element that was never written. */
	__u64 number;
	/* CLOCK_BOOTTIME in nanoseconds. */
	__u64 time;
	__u32 reason;
	__u32 pid;
	/* Of the first user namespace. */
	__u32 uid;
	__u32 gid;
	/* Of enum guard_hook. */
	__u32 hook;
	/*
	 * bpf_prog_load, bpf_prog: prog_type, expected_attach_type and the number of instructions; bpf: the command, and the
	 * attach type or, for a new list, the error; bpf_map: the map's id and the mode of the fd; locked_down, and
	 * kernel_post_read_file of an image for kexec: the kernel's number of the reason or of what is read; of a module:
	 * its size, and the kernel's number of how it is read; kernfs_init_security: the module's number in NEVER_MODULES;
	 * ptrace_access_check and task_kill: the tgid of the target, and the mode or signal; sb_umount, sb_mount: the flags.
	 * The rest is zero.
	 */
	__u32 detail[3];
	__u8 comm[16];
	__u8 digest[32];
};

/*
 * Commands to the guard are bpf(2) commands that no kernel has. Bit 16 must be clear: Linux 7.3 reads it as a flag.
 * The guard answers through the errno: EALREADY is "done"; EINVAL comes from a kernel without a guard.
 */
#define GUARD_COMMAND_SEAL 0x6701 /* the latch; only the loader, which the guard knows by its tgid */
#define GUARD_COMMAND_CHECK 0x6707 /* whether the guard would take GUARD_COMMAND_SEAL now; changes nothing */
#define GUARD_COMMAND_LOCK 0x6702
#define GUARD_COMMAND_REQUIRE_SIGNATURES 0x6703
#define GUARD_COMMAND_LIST 0x6704 /* struct guard_list_command */
#define GUARD_COMMAND_TICKET 0x6705

/*
 * A ticket: the agent's permission for one load by one task. It is the attr of GUARD_COMMAND_TICKET, whose size has to
 * be that of the struct. Fields are those of the load, as the kernel has them. The guard answers, besides EALREADY:
 *
 *   EPERM   the caller is not a thread of the agent, or no program may be loaded any more (seal lock)
 *   EINVAL  the size is another, or a flag or a reserved field is not 0
 *   ERANGE  the deadline has passed, or is more than GUARD_TICKET_LIFETIME ahead
 *   ESRCH   there is no such task
 *   ENOSPC  GUARD_TICKETS tickets are outstanding: neither used, nor withdrawn, nor past their deadlines
 *   ENOMEM  there is no memory
 *   ENOENT  withdrawn: the task has no ticket. It was used, is past its deadline, or was never written
 */
struct guard_ticket {
	/* As in struct list_entry. */
	__u8 digest[32];
	__u32 prog_type;
	__u32 expected_attach_type;
	__u32 attach_btf_id;
	__u32 prog_flags;
	__u32 gpl_compatible;
	/* Id of the program to which attach_btf_id refers (attach_prog_fd); 0 for the kernel or a module. */
	__u32 attach_prog_id;
	/* Id of the BTF to which attach_btf_id refers; 0 for that of vmlinux or of a program. */
	__u32 attach_btf_obj_id;
	/* The thread that will make the load, in the first pid namespace; 0: the one that writes the ticket. */
	__u32 tid;
	/* CLOCK_BOOTTIME in nanoseconds. */
	__u64 deadline;
	/*
	 * SHA-256 of the program's maps; zero if its instructions refer to none. It is over the program's struct
	 * list_references, zeros up to 64 bytes, and for each map the first 88 bytes of its struct list_map and zeros up to
	 * 128 bytes. All numbers are the map's own; no range of the contents is zeroed.
	 */
	__u8 maps[32];
	__u32 flags;
	__u32 reserved;
};

/* guard_ticket.flags: takes the ticket of the task `tid` back, whatever load it is for; other fields are ignored. */
#define GUARD_TICKET_WITHDRAW 1

/* How many tickets are outstanding at most, and for how long, in nanoseconds. */
#define GUARD_TICKETS 64
#define GUARD_TICKET_LIFETIME 60000000000

/*
 * The attr of GUARD_COMMAND_LIST: a list file and its signature in the caller's memory, which are copied once. Errors:
 * EPERM: the caller is not root of the machine, or the guard is not sealed; EOPNOTSUPP: there is no trusted key; EBUSY:
 * another list is being copied; EFAULT: memory that cannot be read; EBADMSG: no list of this version, or no signature;
 * EXDEV: for another kernel; ESTALE: the generation is not greater than that in force; EDOM: the classes or the list
 * of files are not those in force; E2BIG: more entries or records than the tables have room for; EILSEQ: the tables are
 * not those of the header; and those of bpf_verify_pkcs7_signature(), with ENOPKG for SHA-1, too. After an error the
 * list in force stays.
 */
struct guard_list_command {
	__u64 list;
	__u64 signature;
	__u32 list_size;
	__u32 signature_size;
};
#define GUARD_MAX_LIST_SIGNATURE 8192

/*
 * Brings a signature for programs that the task loads before its next exec. Needs CAP_BPF. The answer is EALREADY, or
 * why it is not accepted: EBADMSG, ENOKEY, EKEYREJECTED, ENOPKG, the last one for SHA-1, too; EBUSY if too many tasks
 * bring one. EINVAL comes from a guard that has lost its links.
 */
#define GUARD_COMMAND_SIGNATURE 0x6706

/* The attr of GUARD_COMMAND_SIGNATURE. */
struct guard_signature {
	/* Addresses in the task: instructions with fds of maps and BTF objects, and offsets into maps, zero. */
	__u64 insns;
	/* A detached CMS signature over them. */
	__u64 signature;
	__u32 insn_cnt;
	/* In bytes. */
	__u32 signature_size;
};

#define GUARD_MAX_SIGNED_INSNS 32768
#define GUARD_MAX_SIGNATURE 4096
/* How many of the programs that a task brought last count. */
#define GUARD_SIGNED_PROGRAMS 16
