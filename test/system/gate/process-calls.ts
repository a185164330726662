/**
 * System calls of x86-64 that name no other process or thread by an id or a pidfd: what they change belongs to the
 * caller, or is not a process.
 */
export const NAME_NO_PROCESS: ReadonlySet<string> = new Set(
  `
  _sysctl accept accept4 access acct add_key adjtimex afs_syscall alarm arch_prctl bind brk cachestat chdir chmod
  chown chroot clock_adjtime clock_getres clock_nanosleep clock_settime clone close close_range connect
  copy_file_range creat create_module delete_module dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
  epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
  faccessat2 fadvise64 fallocate fanotify_init fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat
  fdatasync fgetxattr file_getattr file_setattr finit_module flistxattr flock fork fremovexattr fsconfig fsmount
  fsopen fspick fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat
  get_kernel_syms get_mempolicy get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups
  getitimer getpeername getpgrp getpid getpmsg getppid getrandom getresgid getresuid getrlimit getrusage getsockname
  getsockopt gettid gettimeofday getuid getxattr getxattrat init_module inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit io_uring_enter
  io_uring_register io_uring_setup ioperm iopl kexec_file_load kexec_load landlock_add_rule landlock_create_ruleset
  landlock_restrict_self lchown lgetxattr link linkat listen listmount listns listxattr listxattrat llistxattr
  lookup_dcookie lremovexattr lseek lsetxattr lsm_get_self_attr lsm_list_modules lsm_set_self_attr lstat madvise
  map_shadow_stack mbind membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
  mlockall mmap modify_ldt mount mount_setattr move_mount mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at
  nanosleep newfstatat nfsservctl open open_by_handle_at open_tree open_tree_attr openat openat2 pause personality
  pipe pipe2 pivot_root pkey_alloc pkey_free pkey_mprotect poll ppoll pread64 preadv preadv2 pselect6 putpmsg
  pwrite64 pwritev pwritev2 query_module quotactl quotactl_fd read readahead readlink readlinkat readv reboot
  recvfrom recvmmsg recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 request_key
  restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait
  sched_get_priority_max sched_get_priority_min sched_yield seccomp security select semctl semget semop semtimedop
  sendfile sendmmsg sendmsg sendto set_mempolicy set_mempolicy_home_node set_robust_list set_thread_area
  set_tid_address setdomainname setfsgid setfsuid setgid setgroups sethostname setitimer setregid setresgid
  setresuid setreuid setrlimit setsid setsockopt settimeofday setuid setxattr setxattrat shmat shmctl shmdt shmget
  shutdown sigaltstack signalfd signalfd4 socket socketpair splice stat statfs statmount statx swapoff swapon
  symlink symlinkat sync sync_file_range syncfs sysfs sysinfo syslog tee time timer_delete timer_getoverrun
  timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times truncate tuxcall umask umount2
  uname unlink unlinkat unshare uprobe uretprobe uselib userfaultfd ustat utime utimensat utimes vfork vhangup
  vmsplice vserver write writev
`
    .trim()
    .split(/\s+/),
);

/**
 * What comes of each call that names another process, if that is the gate: `attack/process-calls.c` makes them as root,
 * under `run` in enforcement. `why` says who denies it, or why it does no harm.
 */
interface Row {
  readonly outcome: readonly string[];
  readonly why: string;
}

const SIGNAL = { outcome: ["EPERM"], why: "Landlock's scope of signals" };
const TRACING = { outcome: ["EPERM"], why: "Landlock: the gate may not be traced" };
const TARGET = { outcome: ["EPERM"], why: "the gate itself: gate_target" };
const READS = { outcome: ["done"], why: "only reads" };
const OWNER = { outcome: ["done"], why: "the owner gets no signal: Landlock's scope (hook_file_send_sigiotask)" };

export const ON_THE_GATE: Readonly<Record<string, Row>> = {
  kill: SIGNAL,
  tkill: SIGNAL,
  tgkill: SIGNAL,
  rt_sigqueueinfo: SIGNAL,
  rt_tgsigqueueinfo: SIGNAL,
  pidfd_send_signal: SIGNAL,
  "fcntl, F_SETOWN": OWNER,
  "fcntl, F_SETOWN_EX": OWNER,
  "ioctl, FIOSETOWN": OWNER,
  "timer_create, SIGEV_THREAD_ID": { outcome: ["EINVAL"], why: "the kernel: only threads of the caller" },
  "timer_create, its clock": READS,
  clock_gettime: READS,
  pidfd_open: { outcome: ["done"], why: "gives no access by itself" },
  pidfd_getfd: TRACING,
  setns: TRACING,
  "setns, user": TRACING,
  "ptrace, PTRACE_ATTACH": TRACING,
  "ptrace, PTRACE_SEIZE": TRACING,
  process_vm_readv: TRACING,
  process_vm_writev: TRACING,
  kcmp: TRACING,
  move_pages: TRACING,
  migrate_pages: TRACING,
  get_robust_list: TRACING,
  process_madvise: {
    outcome: ["done", "EPERM", "ENOMEM"],
    why: "from Linux 6.15 on CAP_PERFMON is enough; changes where pages are, not what they hold",
  },
  process_mrelease: { outcome: ["EINVAL"], why: "the kernel: only of a process that ends" },
  "prctl, PR_SCHED_CORE_CREATE": {
    outcome: ["EPERM", "EINVAL", "ENODEV"],
    why: "as tracing; EINVAL or ENODEV without CONFIG_SCHED_CORE or SMT",
  },
  "prctl, PR_SCHED_CORE_SHARE_TO": {
    outcome: ["EPERM", "EINVAL", "ENODEV"],
    why: "as tracing; EINVAL or ENODEV without CONFIG_SCHED_CORE or SMT",
  },
  prlimit64: TARGET,
  setpriority: TARGET,
  "setpriority, PRIO_PGRP": TARGET,
  "setpriority, PRIO_USER": TARGET,
  ioprio_set: TARGET,
  sched_setparam: TARGET,
  sched_setscheduler: TARGET,
  sched_setaffinity: TARGET,
  sched_setattr: TARGET,
  getpriority: READS,
  ioprio_get: READS,
  sched_getparam: READS,
  sched_getscheduler: READS,
  sched_getaffinity: READS,
  sched_getattr: READS,
  sched_rr_get_interval: READS,
  "perf_event_open, sigtrap": TARGET,
  "perf_event_open, sigtrap, a thread": TARGET,
  "perf_event_open, sigtrap, a breakpoint": TARGET,
  "perf_event_open, samples": TARGET,
  "perf_event_open, samples of all": { outcome: ["done"], why: "sees the gate and changes nothing" },
  "perf_event_open, sigtrap to all": { outcome: ["EINVAL"], why: "the kernel: signals only to one task" },
  "perf_event_open, samples of a cgroup": {
    outcome: ["done", "EINVAL", "EBADF"],
    why: "sees what is in the cgroup and changes nothing; the others without CONFIG_CGROUP_PERF or its hierarchy",
  },
  "perf_event_open, itself": { outcome: ["done"], why: "is not the gate" },
  "perf_event_open, itself by its id": { outcome: ["done"], why: "is not the gate" },
  "perf_event_open, nobody": { outcome: ["ESRCH"], why: "the kernel's errno" },
  capget: READS,
  capset: { outcome: ["EPERM"], why: "the kernel: only of the caller" },
  fsetxattr: { outcome: ["done", "EOPNOTSUPP", "EPERM"], why: "a text at the pidfd, from Linux 6.17 on" },
  setpgid: { outcome: ["ESRCH"], why: "the kernel: only of the caller and its children" },
  getpgid: READS,
  getsid: READS,
  wait4: { outcome: ["ECHILD"], why: "the kernel: only for children" },
  waitid: { outcome: ["ECHILD"], why: "the kernel: only for children" },
  "keyctl, KEYCTL_SESSION_TO_PARENT": { outcome: ["EPERM"], why: "the kernel: not of a parent with threads" },
  "bpf, BPF_TASK_FD_QUERY": { outcome: ["errno 524", "EPERM", "EBADF"], why: "only reads, of fds of events" },
  "clone3, set_tid": { outcome: ["EEXIST"], why: "the kernel: the id is in use" },
};

/** Calls of which the gate decides, and whose targets it is asked about: nothing answers them once it has ended. */
export const ASKED: readonly string[] = [
  ...Object.keys(ON_THE_GATE).filter((call) => ON_THE_GATE[call] === TARGET),
  "perf_event_open, itself by its id",
  "perf_event_open, nobody",
  "bpf, BPF_TASK_FD_QUERY",
];
