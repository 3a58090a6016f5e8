#pragma once
#include <sqlite3.h>

// `sqlite3_db_config` is variadic. The file's own schema runs no functions, and has no views and no triggers.
static inline int shim_distrust_schema(sqlite3 *database) {
  const int options[][2] = {
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
  };
  int result = SQLITE_OK;
  for (int i = 0; i < 4 && result == SQLITE_OK; i++) {
    result = sqlite3_db_config(database, options[i][0], options[i][1], (int *)0);
  }
  return result;
}
