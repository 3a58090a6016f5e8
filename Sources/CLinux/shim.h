#pragma once
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <linux/inet_diag.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// Swift's module of glibc was built without _GNU_SOURCE, which hides what only Linux has.
#ifndef O_PATH
#define O_PATH 010000000
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

// Several modules hold these enumerators, and Swift then finds none.
static const int shim_stream = SOCK_STREAM;
static const int shim_stream_socket = SOCK_STREAM | SOCK_CLOEXEC;
static const int shim_raw_socket = SOCK_RAW | SOCK_CLOEXEC;
static const int shim_nonblocking = SOCK_NONBLOCK;

// Asks for every listening TCP socket of a family.
static const int shim_by_family = SOCK_DIAG_BY_FAMILY;
struct shim_listening_request {
  struct nlmsghdr head;
  struct inet_diag_req_v2 sockets;
};
static inline struct shim_listening_request shim_listening_request(unsigned char family) {
  struct shim_listening_request request = {
      .head = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
      .sockets = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << 10 /* TCP_LISTEN */}};
  return request;
}

// Moves the calling thread, and no other, into a namespace; 0, or -1 with errno.
static inline int shim_enter_namespace(int descriptor) { return (int)syscall(SYS_setns, descriptor, 0); }

// Opens `path` as if `root` were the file system's root, links included (Linux 5.6); the descriptor, or -1 with errno.
static inline int shim_open_in_root(int root, const char *path, int flags) {
  struct open_how how = {.flags = (unsigned int)flags, .resolve = RESOLVE_IN_ROOT};
  return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// Open file description locks; `fcntl` is variadic. 0, or -1 with errno.
static inline int shim_lock(int descriptor, short type, long start, long length) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(descriptor, F_OFD_SETLK, &lock);
}

// 1 if another process holds any lock there, else 0.
static inline int shim_is_locked(int descriptor, long start, long length) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

// 1 if an open file lies on no storage but is the kernel itself, or that cannot be told; else 0.
static inline int shim_is_kernels_own(int descriptor) {
  struct statfs system;
  if (fstatfs(descriptor, &system) != 0) return 1;
  switch ((unsigned int)system.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case BPF_FS_MAGIC:
    case PSTOREFS_MAGIC:
    case EFIVARFS_MAGIC:
    case BINFMTFS_MAGIC:
    case 0x62656570: /* configfs */
      return 1;
    default:
      return 0;
  }
}

// A pipe whose ends no other program inherits; 0, or -1 with errno.
static inline int shim_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

// glibc 2.34, for `posix_spawn_file_actions_t`: the new program gets no descriptor from `first` on.
extern int posix_spawn_file_actions_addclosefrom_np(void *actions, int first);

// Gives the calling thread, and no other, the user and the groups of another process for the file system; 0, or -1 if
// it may not. glibc's own functions would change all threads. With another user than root the kernel takes the right
// to override permissions away. Source: setfsuid(2), capabilities(7).
static inline int shim_become(unsigned int user, unsigned int group, const unsigned int *groups, unsigned long count) {
  int is_same = syscall(SYS_setfsuid, -1) == (long)user && syscall(SYS_setfsgid, -1) == (long)group;
  if (syscall(SYS_setgroups, count, groups) != 0) return is_same ? 0 : -1;
  syscall(SYS_setfsgid, group);
  syscall(SYS_setfsuid, user);
  if (syscall(SYS_setfsuid, -1) != (long)user || syscall(SYS_setfsgid, -1) != (long)group) return -1;
  return 0;
}
