// Linux calls that glibc gives no name, or whose headers Swift cannot import.
#define _GNU_SOURCE
#include "shim.h"

#include <arpa/nameser.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Enters the network namespace behind `fd`: this thread only.
int shim_enter_network(int fd) { return setns(fd, CLONE_NEWNET); }

const int shim_path_only = O_PATH;

int shim_open_in_root(int root, const char *path, int flags) {
  struct open_how how = {.flags = (unsigned long long)flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

int shim_dns_query(const void *server, int server_length, const char *name, int type, int seconds, unsigned char *answer,
                   int length) {
  const struct sockaddr_in *v4 = server_length == sizeof(struct sockaddr_in) ? server : NULL;
  const struct sockaddr_in6 *v6 = server;
  struct __res_state state;
  memset(&state, 0, sizeof state);
  if (res_ninit(&state) != 0) return -1;
  state.nscount = 1;
  state.retrans = seconds;
  state.retry = 1;
  state.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
  struct sockaddr_in6 copy;
  if (v4) {
    state.nsaddr_list[0] = *v4;
  } else {
    copy = *v6;
    state.nsaddr_list[0].sin_family = 0;
    state._u._ext.nsaddrs[0] = &copy;
    state._u._ext.nscount = 1;
  }
  unsigned char question[512];
  int size = res_nmkquery(&state, ns_o_query, name, ns_c_in, type, NULL, 0, NULL, question, sizeof question);
  int got = size < 0 ? -1 : res_nsend(&state, question, size, answer, length);
  if (!v4) state._u._ext.nsaddrs[0] = NULL;
  res_nclose(&state);
  return got;
}

int shim_dns_code(const unsigned char *answer) { return ((const HEADER *)answer)->rcode; }

int shim_dns_addresses(const unsigned char *answer, int length, int type, int width, unsigned char *out,
                                     int most) {
  ns_msg message;
  if (ns_initparse(answer, length, &message) != 0) return 0;
  int count = 0;
  for (int i = 0; i < ns_msg_count(message, ns_s_an) && count < most; i++) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return count;
    if (ns_rr_type(record) != type || ns_rr_rdlen(record) != width) continue;
    memcpy(out + count * width, ns_rr_rdata(record), width);
    count++;
  }
  return count;
}
