// What Swift cannot import of processes, or finds only through /proc.
#pragma once
#include <sys/types.h>

/// The words of the command line as the kernel gave them, and how many they are: Swift reads /proc/self/cmdline.
char *const *shim_arguments(void);
int shim_argument_count(void);

/// Threads share this many of malloc's arenas.
void shim_share_memory(int arenas);

/// fork(2), which is sound as long as this process has one thread.
pid_t shim_fork(void);
/// The new process gets this signal when the one that started it ends; 0, or -1 if that has ended already.
int shim_die_with_parent(int number, pid_t parent);
