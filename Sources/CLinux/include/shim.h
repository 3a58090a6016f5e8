#pragma once
// Enters the network namespace behind `fd`: this thread only. 0, or -1 with errno set.
int shim_enter_network(int fd);

// Flag of open(2) for a handle that cannot be read.
extern const int shim_path_only;

// Opens `path` below the directory `root`, which links and `..` cannot leave. Linux 5.6 or newer.
int shim_open_in_root(int root, const char *path, int flags);

// Asks the DNS server at a `sockaddr_in` or `sockaddr_in6` for one record type; the answer's length, or -1.
int shim_dns_query(const void *server, int server_length, const char *name, int type, int seconds, unsigned char *answer,
                   int length);

// The response code of an answer.
int shim_dns_code(const unsigned char *answer);

// The addresses of an answer's records of `type`, `width` bytes each; returns how many.
int shim_dns_addresses(const unsigned char *answer, int length, int type, int width, unsigned char *out, int most);
