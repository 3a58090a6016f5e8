#include "shim.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

static char *const *words;
static int count;

// glibc gives the arguments of `main` to constructors, too.
__attribute__((constructor)) static void keep(int argc, char **argv) {
  count = argc;
  words = argv;
}

char *const *shim_arguments(void) { return words; }
int shim_argument_count(void) { return count; }

void shim_share_memory(int arenas) { mallopt(M_ARENA_MAX, arenas); }

pid_t shim_fork(void) { return fork(); }

int shim_die_with_parent(int number, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, number);
  return getppid() == parent ? 0 : -1;
}
