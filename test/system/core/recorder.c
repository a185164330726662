// recorder [--separately] KERNEL OBJECT…: what libbpf would load of each object on another kernel, as JSON lines.
//
// KERNEL is a folder as fake_kernel_enter takes it, or `-` for the running kernel, which then loads all but programs.
// First all programs of an object are loaded at once; if that fails, or with --separately, each by itself, so that one
// that cannot be loaded does not hide the others. For each attempt:
//   {"event":"attempt","object":…,"program":null or NAME}, the events of fake-kernel.c,
//   {"event":"result","errno":…,"log":…,"own_ns":…,"vmlinux_ns":…}
// and, if it failed because a program's attach target does not exist, before it is tried with another one:
//   {"event":"retarget","program":NAME,"target":…}
// own_ns is what libbpf took until the first program, without bpf(2), and vmlinux_ns its share for the kernel's BTF.
// Each object has a process of its own: {"event":"crash","signal":…} if libbpf crashes on it.
#define _GNU_SOURCE
#include "fake-kernel.h"
#include "real-kernel.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *log_text;
static size_t log_size;
static FILE *log_file;

static int keep(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN && log_file ? vfprintf(log_file, format, arguments) : 0;
}

static struct bpf_object *current;
static bool is_real;

// The name of the program that these instructions are of, which libbpf passes to the kernel where they are.
static const char *name_of(const void *insns)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, current)
		if (bpf_program__insns(program) == insns)
			return bpf_program__name(program);
	return NULL;
}

static struct bpf_object *open_object(const char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);

	return bpf_object__open_file(path, &options);
}

// A function that every kernel has, in place of a target that this one lacks.
static const char *some_target(const struct bpf_program *program)
{
	switch (bpf_program__expected_attach_type(program)) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
		return "vfs_read";
	case BPF_LSM_MAC:
	case BPF_LSM_CGROUP:
		return "file_open";
	case BPF_TRACE_RAW_TP:
		return "sched_switch";
	case BPF_TRACE_ITER:
		return "task";
	default:
		return NULL;
	}
}

// Has the object's own BTF stand for that of the program whose function this one replaces.
static void give_victim(struct bpf_program *program)
{
	uint32_t size;
	const void *data = btf__raw_data(bpf_object__btf(current), &size);

	int fd = is_real ? real_kernel_program(data, size) : fake_kernel_program(data, size);
	bpf_program__set_attach_target(program, fd, NULL);
}

static void print_name(const char *key, const char *name)
{
	printf(",\"%s\":", key);
	if (name)
		json_string(stdout, name);
	else
		fputs("null", stdout);
}

// Programs whose attach targets do not exist. They get others, and a type without targets if these do not exist either.
static struct {
	char *name;
	bool untyped;
} retargeted[64];
static int retargeted_count;

static int place_of(const char *name)
{
	for (int i = 0; i < retargeted_count; i++)
		if (!strcmp(retargeted[i].name, name))
			return i;
	return -1;
}

static void retarget(struct bpf_program *program)
{
	int place = place_of(bpf_program__name(program));

	if (place < 0)
		return;
	if (retargeted[place].untyped)
		bpf_program__set_type(program, BPF_PROG_TYPE_SOCKET_FILTER);
	else
		bpf_program__set_attach_target(program, 0, some_target(program));
}

// The name of the program whose target does not exist, from the log of the last attempt; null if it failed otherwise.
static char *without_target(void)
{
	static char name[256];
	const char *line = strstr(log_text, "': failed to find kernel BTF type ID of");

	if (!line)
		return NULL;
	const char *start = line;
	while (start > log_text && start[-1] != '\'')
		start--;
	snprintf(name, sizeof(name), "%.*s", (int)(line - start), start);
	return name;
}

// One attempt: to load the whole object, or one of its programs. Returns 0 or a negative errno.
static int attempt(const char *path, const char *only)
{
	struct bpf_program *program;
	int result;

	free(log_text);
	log_file = open_memstream(&log_text, &log_size);
	fake_kernel_restart();
	current = open_object(path);
	result = current ? 0 : -errno;
	if (current)
		bpf_object__for_each_program(program, current) {
			bool wanted = !only || !strcmp(bpf_program__name(program), only);

			bpf_program__set_autoload(program, wanted);
			if (wanted && bpf_program__type(program) == BPF_PROG_TYPE_EXT)
				give_victim(program);
			if (wanted)
				retarget(program);
		}
	printf("{\"event\":\"attempt\",\"object\":");
	json_string(stdout, path);
	print_name("program", only);
	puts("}");
	fflush(stdout);
	uint64_t start = fake_kernel_now();
	if (current)
		result = bpf_object__load(current);
	uint64_t end = fake_kernel_now();
	fflush(log_file);
	// Until the first program is loaded, without bpf(2): what libbpf itself takes.
	uint64_t own = fake_kernel_times.first ? fake_kernel_times.first - start - fake_kernel_times.in_bpf_at_first
					       : end - start - fake_kernel_times.in_bpf;
	printf("{\"event\":\"result\",\"errno\":%d,\"own_ns\":%llu,\"vmlinux_ns\":%llu,\"log\":", -result,
	       (unsigned long long)own, (unsigned long long)fake_kernel_times.in_vmlinux);
	json_string(stdout, log_text);
	puts("}");
	fclose(log_file);
	log_file = NULL;
	return result;
}

// Loads an object, or one of its programs; again with other targets as long as targets are what is missing.
static int attempt_with_targets(const char *path, const char *only)
{
	int result;

	memset(retargeted, 0, sizeof(retargeted));
	retargeted_count = 0;
	while ((result = attempt(path, only))) {
		const char *name = without_target();
		struct bpf_program *program = name ? bpf_object__find_program_by_name(current, name) : NULL;

		int place = name ? place_of(name) : -1;
		if (!program || !some_target(program) || retargeted_count == 64 || (place >= 0 && retargeted[place].untyped))
			break;
		printf("{\"event\":\"retarget\",\"program\":");
		json_string(stdout, name);
		print_name("target", place < 0 ? some_target(program) : "none");
		puts("}");
		if (place < 0)
			retargeted[retargeted_count++].name = strdup(name);
		else
			retargeted[place].untyped = true;
		bpf_object__close(current);
	}
	bpf_object__close(current);
	return result;
}

static void each_program(const char *path)
{
	struct bpf_object *object = open_object(path);
	struct bpf_program *program;

	if (!object)
		return;
	bpf_object__for_each_program(program, object)
		attempt_with_targets(path, bpf_program__name(program));
	bpf_object__close(object);
}

static void describe(const char *path)
{
	struct bpf_object *object = open_object(path);
	struct bpf_program *program;
	const char *separator = "";

	printf("{\"event\":\"object\",\"object\":");
	json_string(stdout, path);
	printf(",\"programs\":[");
	if (object)
		bpf_object__for_each_program(program, object) {
			printf("%s{\"name\":", separator);
			json_string(stdout, bpf_program__name(program));
			print_name("section", bpf_program__section_name(program));
			printf(",\"type\":%d}", bpf_program__type(program));
			separator = ",";
		}
	puts("]}");
	bpf_object__close(object);
}

static void record_object(const char *path, bool separately)
{
	describe(path);
	if (separately || attempt_with_targets(path, NULL))
		each_program(path);
}

int main(int argc, char **argv)
{
	bool separately = argc > 1 && !strcmp(argv[1], "--separately");
	char **arguments = argv + 1 + separately;

	if (argc < 3 + separately) {
		fprintf(stderr, "usage: recorder [--separately] KERNEL OBJECT...\n");
		return 2;
	}
	is_real = !strcmp(*arguments, "-");
	if (is_real)
		real_kernel_enter();
	else
		fake_kernel_enter(*arguments);
	arguments++;
	fake_kernel_record(stdout);
	fake_kernel_name_of = name_of;
	libbpf_set_print(keep);
	printf("{\"event\":\"loader\",\"version\":\"libbpf %s\"}\n", libbpf_version_string());
	for (; *arguments; arguments++) {
		int status;

		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			record_object(*arguments, separately);
			fflush(stdout);
			_exit(0);
		}
		waitpid(child, &status, 0);
		if (WIFSIGNALED(status))
			printf("\n{\"event\":\"crash\",\"signal\":%d}\n", WTERMSIG(status));
	}
	return 0;
}
