#pragma once
#include <sqlite3.h>

// `sqlite3_db_config` is variadic. Neither the file's own schema nor its triggers and views run functions.
static inline int shim_distrust_schema(sqlite3 *database) {
  int result = sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
  return result == SQLITE_OK ? sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0) : result;
}
