// proc-files PID: writes to every file in /proc/PID, and prints for each of them what came of it. The threads of the
// process and its fds are one name each, `task/TID` and `fd/N`; if they differ, there is a line for each result.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What some file takes: a number for most; a mapping of ids; a clock with its offset; words.
static const char *const VALUES[] = {"1", "0", "19", "1000", "4000000000000000000", "0 0 1", "monotonic 1 0", "deny", "+1", "x"};

static char said[1 << 20];

static void say(const char *name, const char *outcome)
{
	char line[512];

	snprintf(line, sizeof(line), "\n%s: %s\n", name, outcome);
	if (strstr(said, line) || strlen(said) + strlen(line) >= sizeof(said))
		return;
	strcat(said, line + (said[0] ? 1 : 0));
	fputs(line + 1, stdout);
}

// Whether a file takes one of the values; otherwise why it did not take the first, or cannot be opened.
static const char *outcome_of(const char *path)
{
	int first = 0;

	for (size_t i = 0; i < sizeof(VALUES) / sizeof(*VALUES); i++) {
		int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0)
			return strerrorname_np(errno);
		errno = 0;
		if (write(fd, VALUES[i], strlen(VALUES[i])) >= 0)
			return close(fd), "written";
		first = first ? first : errno;
		close(fd);
	}
	return strerrorname_np(first);
}

static int is_number(const char *text) { return text[strspn(text, "0123456789")] == 0; }

// The files of a folder. `name` is what the folder is called below that of the process, with a slash if it is not that.
static void walk(const char *folder, const char *name)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;

	if (entries == NULL)
		return say(name, strerrorname_np(errno));
	while ((entry = readdir(entries))) {
		char path[512], called[512];
		const char *last = entry->d_name;
		struct stat stat;

		if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%.250s/%.250s", folder, last);
		if (is_number(last))
			last = strcmp(name, "task/") == 0 ? "TID" : "N";
		else if (strcmp(name, "map_files/") == 0 || strstr(name, "TID/map_files/"))
			last = "RANGE";
		snprintf(called, sizeof(called), "%.250s%.250s", name, last);
		// links of a process lead to folders and files elsewhere; the link itself is what is tried
		if (lstat(path, &stat) < 0)
			continue;
		if (!S_ISDIR(stat.st_mode)) {
			say(called, outcome_of(path));
			continue;
		}
		strcat(called, "/");
		walk(path, called);
	}
	closedir(entries);
}

int main(int argc, char **argv)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "/proc/%s", argc > 1 ? argv[1] : "self");
	walk(folder, "");
	return 0;
}
