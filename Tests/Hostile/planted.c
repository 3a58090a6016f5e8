/* A library that leaves a file that says as whom it was loaded. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void) {
  char path[512];
  snprintf(path, sizeof path, "%s%d", TRAP, (int)getuid());
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file >= 0) { dprintf(file, "a library was loaded "); close(file); }
}
