/*
 * Attacks on the keyring whose signatures allow programs: root wants a certificate of its own in it, or to have it
 * gone, so that its serial number can be given to another one. Each is tried by root as it is, and by root with the
 * real uid of the loader while it made the keyring, whose user keyring holds it.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

#define RING_UID 0xffff6767u
#define EVERYTHING 0x3f3f3f3fL

static long key_call(int operation, long first, long second, long third, long fourth)
{
	return syscall(SYS_keyctl, operation, first, second, third, fourth);
}

/* Without a guard: a keyring as the loader makes it, with the permissions that the kernel gives it. */
static int32_t make_ring(void)
{
	syscall(SYS_setresuid, RING_UID, -1, -1);
	key_call(KEYCTL_CLEAR, KEY_SPEC_USER_KEYRING, 0, 0, 0);
	key_call(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING, 0, 0);
	int32_t ring = syscall(SYS_add_key, "keyring", "countersign-programs", NULL, 0UL, (long)KEY_SPEC_USER_KEYRING);
	long restricted = key_call(KEYCTL_RESTRICT_KEYRING, ring, 0, 0, 0);
	key_call(KEYCTL_CLEAR, KEY_SPEC_PROCESS_KEYRING, 0, 0, 0);
	syscall(SYS_setresuid, 0, -1, -1);
	if (ring <= 0 || restricted)
		skipped("the kernel has no keyrings");
	return ring;
}

static int32_t ring_of_guard(void)
{
	static int32_t ring;
	uint64_t denials[DENIALS];
	if (ring == 0)
		ring = read_denials(denials) ? read_program_ring() : make_ring();
	if (ring == 0)
		skipped("there is no keyring");
	return ring;
}

/*
 * Has the uid of the keyring, as far as root can: real uid, that of files, and its user keyring in those of the
 * process.
 */
static void become_owner(void)
{
	if (syscall(SYS_setresuid, RING_UID, -1, -1))
		held("setresuid");
	key_call(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING, 0, 0);
	key_call(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING, 0, 0);
}

/*
 * Calls as root, then as owner with each uid for files. `broken` if one of them works; `held` with the errno of the
 * last one, if the keyring is still there.
 */
static _Noreturn void try_all(int operation, long first, long second, long third, const char *how)
{
	int32_t ring = ring_of_guard();
	long result = key_call(operation, first, second, third, 0);
	if (result == -1) {
		become_owner();
		result = key_call(operation, first, second, third, 0);
	}
	if (result == -1) {
		syscall(SYS_setfsuid, RING_UID);
		result = key_call(operation, first, second, third, 0);
	}
	if (result != -1)
		broken("%s", how);
	int error = errno;
	if (key_call(KEYCTL_DESCRIBE, ring, 0, 0, 0) == -1 && errno != EACCES)
		broken("the keyring is gone");
	errno = error;
	held(how);
}

static void unlink_ring(void)
{
	try_all(KEYCTL_UNLINK, ring_of_guard(), KEY_SPEC_USER_KEYRING, 0, "unlink");
}

static void clear_ring(void)
{
	try_all(KEYCTL_CLEAR, ring_of_guard(), 0, 0, "clear");
}

static void clear_user_keyring(void)
{
	int32_t ring = ring_of_guard();
	become_owner();
	long result = key_call(KEYCTL_CLEAR, KEY_SPEC_USER_KEYRING, 0, 0, 0);
	int error = errno;
	usleep(100000); /* the kernel collects what nothing holds */
	if (result == 0 || (key_call(KEYCTL_DESCRIBE, ring, 0, 0, 0) == -1 && errno != EACCES))
		broken("the user keyring is empty");
	errno = error;
	held("clear");
}

static void invalidate_user_keyring(void)
{
	int32_t ring = ring_of_guard();
	become_owner();
	long result = key_call(KEYCTL_INVALIDATE, KEY_SPEC_USER_KEYRING, 0, 0, 0);
	int error = errno;
	long again = key_call(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1, 0, 0);
	usleep(100000);
	if (result == 0 || again > 0 || (key_call(KEYCTL_DESCRIBE, ring, 0, 0, 0) == -1 && errno != EACCES))
		broken("the uid has another user keyring");
	errno = error;
	held("invalidate");
}

static void set_permissions(void)
{
	try_all(KEYCTL_SETPERM, ring_of_guard(), EVERYTHING, 0, "setperm");
}

static void change_owner(void)
{
	try_all(KEYCTL_CHOWN, ring_of_guard(), 0, 0, "chown");
}

static void revoke_ring(void)
{
	try_all(KEYCTL_REVOKE, ring_of_guard(), 0, 0, "revoke");
}

static void invalidate_ring(void)
{
	try_all(KEYCTL_INVALIDATE, ring_of_guard(), 0, 0, "invalidate");
}

static void set_timeout(void)
{
	try_all(KEYCTL_SET_TIMEOUT, ring_of_guard(), 1, 0, "set_timeout");
}

static long own_key(void)
{
	return syscall(SYS_add_key, "user", "countersign-attack", "x", 1UL, (long)KEY_SPEC_PROCESS_KEYRING);
}

/* Without a guard nobody may add a key either, since the keyring is restricted: taking it along is then enough. */
static void link_key(void)
{
	int32_t ring = ring_of_guard();
	if (key_call(KEYCTL_LINK, own_key(), ring, 0, 0) == 0)
		broken("a key was added");
	try_all(KEYCTL_LINK, ring, KEY_SPEC_PROCESS_KEYRING, 0, "link");
}

static void move_key(void)
{
	int32_t ring = ring_of_guard();
	if (key_call(KEYCTL_MOVE, own_key(), KEY_SPEC_PROCESS_KEYRING, ring, 0) == 0)
		broken("a key was moved into it");
	try_all(KEYCTL_MOVE, ring, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING, "move");
}

static void owner_of_ring(void)
{
	int32_t ring = ring_of_guard();
	become_owner();
	if (key_call(KEYCTL_READ, ring, 0, 0, 0) != -1 || key_call(KEYCTL_DESCRIBE, ring, 0, 0, 0) != -1)
		broken("the keyring is readable");
	held("read");
}

const struct attack keyring_attacks[] = {
    {"unlink-keyring", unlink_ring},
    {"clear-keyring", clear_ring},
    {"permit-keyring", set_permissions},
    {"chown-keyring", change_owner},
    {"link-keyring", link_key},
    {"move-keyring", move_key},
    {"owner-of-keyring", owner_of_ring},
    {"expire-keyring", set_timeout},
    {"clear-user-keyring", clear_user_keyring},
    {"revoke-keyring", revoke_ring},
    {"invalidate-keyring", invalidate_ring},
    {"invalidate-user-keyring", invalidate_user_keyring},
    {0},
};
