/* app PORT [ADDR] [--unix PATH] [--hang] [--status N] [--base /p] [--v6only] [--delay S] [--header N] [--raw] [--name T]
   [--backlog N] [--one] [--die]: a small HTTP server.  dns PORT: a name server that knows nothing (NXDOMAIN). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static int hang, status = 200, header, raw, one, reset_; static double delay_; static const char *base = "", *name = "app";
static void *serve(void *p) {
  int c = (int)(long)p; char b[16384]; size_t n = 0; ssize_t r;
  if (raw) { dprintf(c, "220 %s ESMTP ready\r\n", name); r = read(c, b, sizeof b); dprintf(c, "500 what?\r\n"); close(c); return 0; }
  while (n < sizeof b - 1 && (r = read(c, b + n, sizeof b - 1 - n)) > 0) { n += r; b[n] = 0; if (strstr(b, "\r\n\r\n")) break; }
  if (!n) { close(c); return 0; }
  b[n] = 0;
  char m[16] = "", path[4096] = ""; sscanf(b, "%15s %4095s", m, path);
  if (reset_) { struct linger l = {1, 0}; setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof l); close(c); return 0; }
  if (hang) for (;;) pause();
  if (delay_ > 0) usleep((useconds_t)(delay_ * 1e6));
  if (!strncmp(path, "/slow", 5)) sleep(25);
  int st = status; if (st == 302 && !strncmp(path, "/login", 6)) st = 200;
  if (*base && (strncmp(path, base, strlen(base)) || (path[strlen(base)] && path[strlen(base)] != '/' && path[strlen(base)] != '?'))) st = 404;
  char body[2048]; int k = snprintf(body, sizeof body, "<!doctype html><html><head><title>%s</title></head><body><h1>%s</h1><p>%s %d</p></body></html>\n", name, name, path, st);
  FILE *f = fdopen(c, "w");
  fprintf(f, "HTTP/1.1 %d %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n", st, st == 200 ? "OK" : st == 404 ? "Not Found" : st == 401 ? "Unauthorized" : st == 302 ? "Found" : "Error", k);
  if (st == 401) fprintf(f, "WWW-Authenticate: Basic realm=\"%s\"\r\n", name);
  if (st == 302) fprintf(f, "Location: /login\r\n");
  for (int i = 0; i < header; i += 1000) { fprintf(f, "Set-Cookie: session_%d=", i); for (int j = 0; j < (header - i < 1000 ? header - i : 1000); j++) fputc('a' + j % 26, f); fprintf(f, "\r\n"); }
  fprintf(f, "\r\n%s", strcmp(m, "HEAD") ? body : ""); fclose(f);
  printf("%s %s %d\n", m, path, st); fflush(stdout);
  return 0;
}
int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN); signal(SIGTERM, _exit);
  if (argc > 2 && !strcmp(argv[1], "dns")) {
    int s = socket(AF_INET, SOCK_DGRAM, 0); struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))}, f; if (argc > 3) inet_pton(AF_INET, argv[3], &a.sin_addr);
    if (bind(s, (void *)&a, sizeof a)) { perror("bind"); return 1; }
    for (;;) { unsigned char q[1500]; socklen_t l = sizeof f; ssize_t n = recvfrom(s, q, sizeof q, 0, (void *)&f, &l); if (n < 12) continue;
      q[2] = 0x81; q[3] = 0x83; memset(q + 6, 0, 6); size_t e = 12; while (e < (size_t)n && q[e]) e += q[e] + 1; e += 5; sendto(s, q, e, 0, (void *)&f, l); }
  }
  int port = argc > 1 ? atoi(argv[1]) : 8080, v6only = 0, backlog = 128; const char *addr = 0, *un = 0;
  for (int i = 2; i < argc; i++) {
    if (!strcmp(argv[i], "--hang")) hang = 1; else if (!strcmp(argv[i], "--raw")) raw = 1; else if (!strcmp(argv[i], "--one")) one = 1; else if (!strcmp(argv[i], "--reset")) reset_ = 1;
    else if (!strcmp(argv[i], "--v6only")) v6only = 1; else if (!strcmp(argv[i], "--die")) { sleep(1); fprintf(stderr, "Error: Cannot find module '/app/server.js'\n"); return 1; }
    else if (!strcmp(argv[i], "--status")) status = atoi(argv[++i]); else if (!strcmp(argv[i], "--base")) base = argv[++i];
    else if (!strcmp(argv[i], "--delay")) delay_ = atof(argv[++i]); else if (!strcmp(argv[i], "--header")) header = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--name")) name = argv[++i]; else if (!strcmp(argv[i], "--unix")) un = argv[++i]; else if (!strcmp(argv[i], "--backlog")) backlog = atoi(argv[++i]);
    else addr = argv[i];
  }
  int s, y = 1;
  if (un) { s = socket(AF_UNIX, SOCK_STREAM, 0); struct sockaddr_un a = {.sun_family = AF_UNIX}; strncpy(a.sun_path, un, sizeof a.sun_path - 1); unlink(un); if (bind(s, (void *)&a, sizeof a)) { perror("bind"); return 1; } }
  else if (v6only || (addr && strchr(addr, ':'))) { s = socket(AF_INET6, SOCK_STREAM, 0); setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &y, sizeof y); setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)}; if (addr) inet_pton(AF_INET6, addr, &a.sin6_addr); if (bind(s, (void *)&a, sizeof a)) { perror("bind"); return 1; } }
  else { s = socket(AF_INET, SOCK_STREAM, 0); setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &y, sizeof y); struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)}; if (addr) inet_pton(AF_INET, addr, &a.sin_addr); if (bind(s, (void *)&a, sizeof a)) { perror("bind"); return 1; } }
  listen(s, backlog); printf("%s listening on %s:%d\n", name, un ? un : addr ? addr : v6only ? "[::]" : "0.0.0.0", port); fflush(stdout);
  for (;;) { int c = accept(s, 0, 0); if (c < 0) continue; if (one) { serve((void *)(long)c); continue; } pthread_t t; pthread_attr_t at; pthread_attr_init(&at); pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED); pthread_attr_setstacksize(&at, 131072); pthread_create(&t, &at, serve, (void *)(long)c); }
}
