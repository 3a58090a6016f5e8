/* A user's program that passes itself off as a proxy: COMM is its name for the kernel, PORT where it answers 502;
   FORK: a child of it does; LISTENS: at a socket that it was given.
   Wherever it runs it leaves a file that says as whom. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words) {
  char path[512];
  snprintf(path, sizeof path, "%s%d", TRAP, (int)getuid());
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file >= 0) {
    for (int i = 0; i < count; i++) dprintf(file, "%s ", words[i]);
    close(file);
  }
  char *name = getenv("COMM"), *port = getenv("PORT");
  if (!name || !port) return 0;
  prctl(PR_SET_NAME, name);
  if (getenv("FORK") && fork() > 0) for (;;) pause();
  signal(SIGPIPE, SIG_IGN);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  int one = 1, server = getenv("LISTENS") ? atoi(getenv("LISTENS")) : socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (!getenv("LISTENS") && bind(server, (struct sockaddr *)&address, sizeof address)) return 1;
  if (listen(server, 64)) return 1;
  static const char answer[] =
      "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 91\r\n\r\n"
      "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
  for (;;) {
    int client = accept(server, 0, 0);
    if (client < 0) continue;
    char request[4096];
    if (read(client, request, sizeof request) > 0 && write(client, answer, sizeof answer - 1) < 0) {}
    close(client);
  }
}
