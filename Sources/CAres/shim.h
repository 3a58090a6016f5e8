// Newer versions have other functions beside these, which work on; older ones have these alone.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <arpa/nameser.h>

// Macros in older versions, of a type of their own in newer ones.
static const int shim_success = ARES_SUCCESS;
static const int shim_no_data = ARES_ENODATA;
static const int shim_not_found = ARES_ENOTFOUND;
static const int shim_bad_name = ARES_EBADNAME;
static const int shim_server_failed = ARES_ESERVFAIL;
static const int shim_malformed = ARES_EFORMERR;
static const int shim_not_implemented = ARES_ENOTIMP;
static const int shim_bad_answer = ARES_EBADRESP;
static const int shim_refused = ARES_EREFUSED;
