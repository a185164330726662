#define _GNU_SOURCE
#include "fake-kernel.h"
#include "kernel-objects.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define INSN_SIZE 8
#define ARRAY_SIZE(of) (sizeof(of) / sizeof((of)[0]))

static struct object objects[4096];
static uint32_t object_count;
static uint32_t map_count;

// vmlinux and then the modules, in the order of their BTF ids, which start with 1.
static struct {
	char name[64];
	struct blob btf;
} kernel_btfs[128];
static uint32_t kernel_btf_count;

static struct utsname name_of_kernel;
static unsigned release;
static bool has_kprobes;
#define RELEASE(major, minor) ((major) * 1000 + (minor))

static FILE *record;
int (*fake_kernel_passes_on)(int command, union bpf_attr *attr);
int64_t (*fake_kernel_id_behind)(int fd, enum kind kind);
uint32_t attr_size;
const char *(*fake_kernel_name_of)(const void *insns);
struct fake_kernel_times fake_kernel_times;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

uint64_t fake_kernel_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void fake_kernel_restart(void)
{
	memset(&fake_kernel_times, 0, sizeof(fake_kernel_times));
	for (uint32_t i = 0; i < object_count; i++)
		if (!objects[i].of_kernel)
			free(objects[i].btf.bytes);
	object_count = 0;
	map_count = 0;
}

void fake_kernel_record(FILE *to)
{
	record = to;
}

void fake_kernel_line(const char *line)
{
	fprintf(record, "%s\n", line);
	fflush(record);
}

void json_string(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(to, "\\u%04x", *text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

void json_hex(FILE *to, const void *bytes, size_t size)
{
	fputc('"', to);
	for (size_t i = 0; i < size; i++)
		fprintf(to, "%02x", ((const uint8_t *)bytes)[i]);
	fputc('"', to);
}

static struct blob read_file(const char *folder, const char *name)
{
	char path[4096];
	struct stat stat;
	struct blob blob;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) < 0)
		die(path);
	blob.bytes = calloc(1, stat.st_size + 1);
	blob.size = stat.st_size;
	if (read(fd, blob.bytes, stat.st_size) != stat.st_size)
		die(path);
	close(fd);
	return blob;
}

static void read_kernel_btf(const char *folder, const char *name)
{
	char path[128];

	if (kernel_btf_count == ARRAY_SIZE(kernel_btfs))
		die("too many modules");
	snprintf(path, sizeof(path), "btf/%s", name);
	snprintf(kernel_btfs[kernel_btf_count].name, sizeof(kernel_btfs[0].name), "%s", name);
	kernel_btfs[kernel_btf_count++].btf = read_file(folder, path);
}

void fake_kernel_read(const char *folder)
{
	unsigned major, minor;
	char *modules = read_file(folder, "modules").bytes;

	snprintf(name_of_kernel.sysname, sizeof(name_of_kernel.sysname), "Linux");
	snprintf(name_of_kernel.nodename, sizeof(name_of_kernel.nodename), "localhost");
	snprintf(name_of_kernel.release, sizeof(name_of_kernel.release), "%s", (char *)read_file(folder, "release").bytes);
	snprintf(name_of_kernel.version, sizeof(name_of_kernel.version), "%s", (char *)read_file(folder, "version").bytes);
	snprintf(name_of_kernel.machine, sizeof(name_of_kernel.machine), "x86_64");
	if (sscanf(name_of_kernel.release, "%u.%u", &major, &minor) != 2)
		die(name_of_kernel.release);
	release = RELEASE(major, minor);
	has_kprobes = strstr(read_file(folder, "config").bytes, "\nCONFIG_KPROBE_EVENTS=y\n");
	read_kernel_btf(folder, "vmlinux");
	for (char *name = strtok(modules, "\n"); name; name = strtok(NULL, "\n"))
		read_kernel_btf(folder, name);
}

static void bind_over(const char *folder, const char *name, const char *target)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (mount(path, target, NULL, MS_BIND, NULL) < 0)
		die(target);
}

void fake_kernel_enter(const char *folder)
{
	char config[256];

	fake_kernel_read(folder);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("unshare");
	bind_over(folder, "btf", "/sys/kernel/btf");
	bind_over(folder, "kallsyms", "/proc/kallsyms");
	if (mount("none", "/boot", "tmpfs", 0, NULL) < 0)
		die("/boot");
	snprintf(config, sizeof(config), "/boot/config-%s", name_of_kernel.release);
	close(open(config, O_CREAT | O_WRONLY, 0600));
	bind_over(folder, "config", config);
	// A loader pins there; what it pins is gone with the namespace.
	if (mount("none", "/sys/fs/bpf", "bpf", 0, NULL) < 0)
		die("/sys/fs/bpf");
}

int uname(struct utsname *to)
{
	if (fake_kernel_passes_on)
		return syscall(SYS_uname, to);
	*to = name_of_kernel;
	return 0;
}

static FILE *vmlinux;
static uint64_t vmlinux_opened;

FILE *fopen64(const char *path, const char *mode)
{
	static FILE *(*original)(const char *, const char *);
	static char kprobe_type[] = "6\n";

	// libbpf then probes by perf_event_open(2), and not by writing to tracefs
	if (!fake_kernel_passes_on && !strcmp(path, "/sys/bus/event_source/devices/kprobe/type"))
		return fmemopen(kprobe_type, strlen(kprobe_type), "r");
	if (!original)
		original = dlsym(RTLD_NEXT, "fopen64");
	FILE *file = original(path, mode);
	if (!strcmp(path, "/sys/kernel/btf/vmlinux")) {
		vmlinux = file;
		vmlinux_opened = fake_kernel_now();
	}
	return file;
}

int fclose(FILE *file)
{
	static int (*original)(FILE *);

	if (!original)
		original = dlsym(RTLD_NEXT, "fclose");
	if (file == vmlinux) {
		fake_kernel_times.in_vmlinux += fake_kernel_now() - vmlinux_opened;
		vmlinux = NULL;
	}
	return original(file);
}

static long (*passed_on)(long, ...);

struct object *new_object(enum kind kind, uint32_t id, const char *name)
{
	if (object_count == ARRAY_SIZE(objects))
		die("too many objects");
	struct object *object = &objects[object_count++];
	memset(object, 0, sizeof(*object));
	object->kind = kind;
	object->id = id;
	object->kernel_id = -1;
	snprintf(object->name, sizeof(object->name), "%s", name);
	return object;
}

int new_fd(enum kind kind, uint32_t id, const char *name)
{
	struct stat stat;
	int fd = memfd_create("fake", MFD_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat) < 0)
		die("memfd_create");
	new_object(kind, id, name)->inode = stat.st_ino;
	return fd;
}

// The newest of an inode: the inode of a closed memfd is used again.
struct object *behind(int fd, enum kind kind)
{
	struct stat stat;
	int64_t kernel_id = fake_kernel_id_behind ? fake_kernel_id_behind(fd, kind) : -1;

	if (kernel_id >= 0) {
		for (uint32_t i = object_count; i-- > 0;)
			if (objects[i].kind == kind && objects[i].kernel_id == kernel_id)
				return &objects[i];
		return NULL;
	}
	if (fstat(fd, &stat) < 0)
		return NULL;
	for (uint32_t i = object_count; i-- > 0;)
		if (objects[i].inode == stat.st_ino)
			return objects[i].kind == kind ? &objects[i] : NULL;
	return NULL;
}

static struct blob copy(const void *bytes, uint32_t size)
{
	struct blob blob = {malloc(size + 1), size};

	memcpy(blob.bytes, bytes, size);
	return blob;
}

uint32_t next_btf_id(void)
{
	return OWN_BTF_ID + object_count;
}

void record_btf(uint32_t id, const void *bytes, uint32_t size)
{
	if (!record || is_probe_btf(size))
		return;
	fprintf(record, "{\"event\":\"btf\",\"btf\":%u,\"bytes\":", id);
	json_hex(record, bytes, size);
	fputs("}\n", record);
}

static int load_btf(const void *bytes, uint32_t size)
{
	uint32_t id = next_btf_id();
	int fd = new_fd(BTF, id, "object");

	objects[object_count - 1].btf = copy(bytes, size);
	record_btf(id, bytes, size);
	return fd;
}

int fake_kernel_program(const void *data, uint32_t size)
{
	uint32_t id = OWN_BTF_ID + object_count;

	load_btf(data, size);
	return new_fd(PROGRAM, id, "target");
}

static int btf_by_id(uint32_t id)
{
	if (id >= 1 && id <= kernel_btf_count) {
		int fd = new_fd(BTF, id, kernel_btfs[id - 1].name);

		objects[object_count - 1].of_kernel = true;
		objects[object_count - 1].btf = kernel_btfs[id - 1].btf;
		return fd;
	}
	for (uint32_t i = 0; i < object_count; i++)
		if (objects[i].kind == BTF && objects[i].id == id) {
			int fd = new_fd(BTF, id, "object");

			objects[object_count - 1].btf = copy(objects[i].btf.bytes, objects[i].btf.size);
			return fd;
		}
	errno = ENOENT;
	return -1;
}

static int info(union bpf_attr *attr)
{
	void *to = (void *)attr->info.info;
	struct object *object;

	if ((object = behind(attr->info.bpf_fd, BTF))) {
		struct bpf_btf_info *info = to;

		if (info->btf && info->btf_size)
			memcpy((void *)info->btf, object->btf.bytes,
			       info->btf_size < object->btf.size ? info->btf_size : object->btf.size);
		info->btf_size = object->btf.size;
		info->id = object->id;
		info->kernel_btf = object->of_kernel;
		const char *name = object->of_kernel ? object->name : "";
		if (info->name && info->name_len > strlen(name))
			strcpy((char *)info->name, name);
		info->name_len = strlen(name);
		return 0;
	}
	if ((object = behind(attr->info.bpf_fd, PROGRAM))) {
		struct bpf_prog_info *info = to;

		memset(info, 0, attr->info.info_len);
		info->btf_id = object->id;
		return 0;
	}
	errno = EINVAL;
	return -1;
}

bool is_probe_map(const union bpf_attr *attr)
{
	return !strncmp(attr->map_name, "libbpf_", 7) || !strncmp(attr->map_name, "arr", BPF_OBJ_NAME_LEN);
}

uint32_t next_map_number(const union bpf_attr *attr)
{
	return is_probe_map(attr) ? UINT32_MAX : map_count++;
}

void record_map(struct object *map, const union bpf_attr *attr)
{
	map->value_size = attr->value_size;
	if (!record || is_probe_map(attr))
		return;
	fprintf(record, "{\"event\":\"map\",\"map\":%u,\"name\":", map->id);
	json_string(record, map->name);
	fprintf(record, ",\"type\":%u,\"key_size\":%u,\"value_size\":%u,\"max_entries\":%u,\"flags\":%u,\"extra\":%llu}\n",
		attr->map_type, attr->key_size, attr->value_size, attr->max_entries, attr->map_flags, attr->map_extra);
}

static int create_map(const union bpf_attr *attr)
{
	char name[BPF_OBJ_NAME_LEN + 1] = "";
	uint64_t size = (uint64_t)attr->value_size * (attr->max_entries ? attr->max_entries : 1);

	memcpy(name, attr->map_name, BPF_OBJ_NAME_LEN);
	int fd = new_fd(MAP, next_map_number(attr), name);
	if (attr->map_type == BPF_MAP_TYPE_ARENA)
		size = (uint64_t)attr->max_entries * sysconf(_SC_PAGESIZE);
	if ((attr->map_flags & BPF_F_MMAPABLE) && ftruncate(fd, size) < 0)
		die("ftruncate");
	record_map(&objects[object_count - 1], attr);
	return fd;
}

// Writes down the contents that the loader gives to maps of global data, which have a dot in their names.
void record_update(struct object *map, const union bpf_attr *attr)
{
	if (record && !map->updated && attr->value && strchr(map->name, '.')) {
		fprintf(record, "{\"event\":\"contents\",\"map\":%u,\"contents\":", map->id);
		json_hex(record, (void *)attr->value, map->value_size);
		fputs("}\n", record);
	}
	map->updated = true;
}

static int update_map(const union bpf_attr *attr)
{
	struct object *map = behind(attr->map_fd, MAP);

	if (!map) {
		errno = EBADF;
		return -1;
	}
	record_update(map, attr);
	return 0;
}

static bool is_probe(const union bpf_attr *attr)
{
	static const char *const probes[] = {"", "libbpf_nametest", "det_arg_ctx", "global_reloc", "test"};

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strncmp(attr->prog_name, probes[i], BPF_OBJ_NAME_LEN))
			return true;
	return false;
}

static const char *btf_name(int fd)
{
	struct object *btf = fd ? behind(fd, BTF) : NULL;

	return btf ? btf->name : fd ? "?" : "vmlinux";
}

// Instructions as the kernel hashes them, with the fds of BTF zeroed too, and beside them what the fds stand for.
static void record_insns(const struct bpf_insn *from, uint32_t count)
{
	struct bpf_insn *insns = calloc(count + 1, INSN_SIZE);
	const char *separator = "";

	memcpy(insns, from, (size_t)count * INSN_SIZE);
	fputs(",\"maps\":[", record);
	for (uint32_t i = 0; i + 1 < count; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD || insns[i].src_reg == BPF_PSEUDO_MAP_VALUE) {
			struct object *map = behind(insns[i].imm, MAP);

			fprintf(record, "%s[%u,%u,%d,%d]", separator, i, insns[i].src_reg, map ? (int)map->id : -1, insns[i + 1].imm);
			separator = ",";
			insns[i].imm = insns[i + 1].imm = 0;
		}
		i++;
	}
	fputs("],\"btfs\":[", record);
	separator = "";
	for (uint32_t i = 0; i + 1 < count; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_BTF_ID) {
			fprintf(record, "%s[%u,\"%s\"]", separator, i, btf_name(insns[i + 1].imm));
			separator = ",";
			insns[i + 1].imm = 0;
		}
		i++;
	}
	fputs("],\"insns\":", record);
	json_hex(record, insns, (size_t)count * INSN_SIZE);
	free(insns);
}

// libbpf says nowhere how long fd_array is: its length is known from the calls that use it.
static void record_fd_array(const struct bpf_insn *insns, uint32_t count, const int *fds)
{
	int last = -1;

	for (uint32_t i = 0; i < count; i++) {
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++;
		else if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL && insns[i].off > last)
			last = insns[i].off;
	}
	fputs(",\"fd_array\":[", record);
	for (int i = 0; fds && i <= last; i++)
		fprintf(record, "%s\"%s\"", i ? "," : "", btf_name(fds[i]));
	fputs("]", record);
}

static int refuse(int with)
{
	errno = with;
	return -1;
}

const char *program_name(const union bpf_attr *attr)
{
	return fake_kernel_name_of ? fake_kernel_name_of((void *)attr->insns) : is_probe(attr) ? NULL : attr->prog_name;
}

int record_program(const char *name, const union bpf_attr *attr)
{
	const struct bpf_insn *insns = (void *)attr->insns;

	if (fake_kernel_times.first == 0) {
		fake_kernel_times.first = fake_kernel_now();
		fake_kernel_times.in_bpf_at_first = fake_kernel_times.in_bpf;
	}
	if (record) {
		fputs("{\"event\":\"program\",\"name\":", record);
		json_string(record, name);
		fprintf(record, ",\"type\":%u,\"attach_type\":%u,\"flags\":%u,\"attach_btf_id\":%u,\"attach_btf\":", attr->prog_type,
			attr->expected_attach_type, attr->prog_flags, attr->attach_btf_id);
		json_string(record, attr->prog_type == BPF_PROG_TYPE_EXT ? "" : btf_name(attr->attach_btf_obj_fd));
		struct object *btf = attr->prog_btf_fd ? behind(attr->prog_btf_fd, BTF) : NULL;
		fprintf(record, ",\"btf\":%u,\"core_relo_cnt\":%u,\"func_info\":", btf ? btf->id : 0, attr->core_relo_cnt);
		json_hex(record, (void *)attr->func_info, (size_t)attr->func_info_cnt * attr->func_info_rec_size);
		record_fd_array(insns, attr->insn_cnt, (void *)attr->fd_array);
		record_insns(insns, attr->insn_cnt);
		fputs("}\n", record);
	}
	return new_fd(PROGRAM, 0, name);
}

static int load_program(const union bpf_attr *attr)
{
	const char *name = program_name(attr);

	if (name)
		return record_program(name, attr);
	// Since 6.8 the kernel knows `arg:ctx`.
	if (!strcmp(attr->prog_name, "det_arg_ctx") && release < RELEASE(6, 8))
		return refuse(EINVAL);
	// The verifier's message of each kernel: the limit fell in 7.0.
	if (!strcmp(attr->prog_name, "global_reloc")) {
		if (attr->log_buf)
			snprintf((char *)attr->log_buf, attr->log_size, "%s",
				 release < RELEASE(7, 0) ? "direct value offset of 1073741824 is not allowed"
						       : "invalid access to map value pointer");
		return refuse(EINVAL);
	}
	return new_fd(PROGRAM, 0, "probe");
}

// Links are asked for only by probes: a bad fd is found before an attach type that the kernel does not know.
static int create_link(const union bpf_attr *attr)
{
	if (attr->link_create.attach_type != BPF_TRACE_UPROBE_MULTI)
		return refuse(EBADF);
	// The check of the process id came with 6.10.
	bool checked = release >= RELEASE(6, 10) && (int)attr->link_create.uprobe_multi.pid < 0;
	return refuse(release < RELEASE(6, 6) || checked ? EINVAL : EBADF);
}

// `?` at the start of a section's name is valid since 6.9.
static bool knows_btf(const uint8_t *bytes, uint32_t size)
{
	static const char optional[] = "?.data";

	return release >= RELEASE(6, 9) || !is_probe_btf(size) || !memmem(bytes, size, optional, sizeof(optional));
}

// Writes down what a loader asks only to learn what the kernel supports, and the answer.
static void record_probe(int command, const union bpf_attr *attr, int error)
{
	const struct bpf_insn *insns = (void *)attr->insns;

	if (command == BPF_PROG_LOAD ? program_name(attr) != NULL
	    : command == BPF_BTF_LOAD ? !is_probe_btf(attr->btf_size)
	    : command == BPF_MAP_CREATE ? !is_probe_map(attr)
				     : command != BPF_LINK_CREATE)
		return;
	fprintf(record, "{\"event\":\"probe\",\"command\":%d,\"errno\":%d", command, error);
	if (command == BPF_PROG_LOAD) {
		fputs(",\"name\":", record);
		json_string(record, attr->prog_name);
		fprintf(record, ",\"type\":%u,\"attach_type\":%u", attr->prog_type, attr->expected_attach_type);
		record_insns(insns, attr->insn_cnt);
	} else if (command == BPF_BTF_LOAD) {
		fputs(",\"btf\":", record);
		json_hex(record, (void *)attr->btf, attr->btf_size);
	} else if (command == BPF_MAP_CREATE) {
		fputs(",\"name\":", record);
		json_string(record, attr->map_name);
		fprintf(record, ",\"type\":%u,\"flags\":%u", attr->map_type, attr->map_flags);
	} else {
		fprintf(record, ",\"attach_type\":%u,\"pid\":%d", attr->link_create.attach_type,
			(int)attr->link_create.uprobe_multi.pid);
	}
	fputs("}\n", record);
}

static int answer(int command, union bpf_attr *attr)
{
	switch (command) {
	case BPF_MAP_CREATE:
		return create_map(attr);
	case BPF_MAP_UPDATE_ELEM:
		return update_map(attr);
	case BPF_PROG_LOAD:
		return load_program(attr);
	case BPF_BTF_LOAD:
		return knows_btf((void *)attr->btf, attr->btf_size) ? load_btf((void *)attr->btf, attr->btf_size)
								    : refuse(EINVAL);
	case BPF_BTF_GET_NEXT_ID:
		if (attr->start_id >= kernel_btf_count)
			return refuse(ENOENT);
		attr->next_id = attr->start_id + 1;
		return 0;
	case BPF_BTF_GET_FD_BY_ID:
		return btf_by_id(attr->btf_id);
	case BPF_OBJ_GET_INFO_BY_FD:
		return info(attr);
	case BPF_LINK_CREATE:
		return create_link(attr);
	case BPF_MAP_FREEZE:
	case BPF_PROG_BIND_MAP:
	case BPF_OBJ_PIN:
		return 0;
	default:
		return refuse(ENOENT);
	}
}

int fake_kernel_bpf(int command, uintptr_t attr)
{
	uint64_t start = fake_kernel_now();
	int (*ask)(int, union bpf_attr *) = fake_kernel_passes_on ? fake_kernel_passes_on : answer;
	int result = ask(command, (union bpf_attr *)attr);
	int error = result < 0 ? errno : 0;

	fake_kernel_times.in_bpf += fake_kernel_now() - start;
	if (record)
		record_probe(command, (union bpf_attr *)attr, error);
	errno = error ? error : errno;
	return result;
}

long syscall(long number, ...)
{
	va_list arguments;
	long a[6];

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	// libbpf probes for a function of the kernel; the architecture's functions of system calls are on every kernel
	if (number == SYS_perf_event_open && !fake_kernel_passes_on)
		return has_kprobes ? memfd_create("fake", MFD_CLOEXEC) : refuse(ENOENT);
	if (number != SYS_bpf) {
		if (!passed_on)
			passed_on = dlsym(RTLD_NEXT, "syscall");
		return passed_on(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	attr_size = a[2];
	return fake_kernel_bpf(a[0], a[1]);
}
