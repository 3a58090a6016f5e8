#include "shim.h"
#include <dlfcn.h>
#include <stdarg.h>

// Newer versions of libcurl promise not to change what is read.
typedef __typeof__(_Generic(
    &curl_url_get, CURLUcode(*)(const CURLU *, CURLUPart, char **, unsigned): (const CURLU *)0, default: (CURLU *)0)) ReadURL;

// Each function of libcurl and OpenSSL that the program calls: its result, name, parameters and what it hands on. They stand
// here in their names' place, so that the libraries are loaded when somebody wants a request: with all that they need they
// would cost two thirds of each start.
#define FUNCTIONS(F)                                                                                                   \
  F(CURLcode, curl_global_init, (long flags), (flags))                                                                 \
  F(CURL *, curl_easy_init, (void), ())                                                                                \
  F(void, curl_easy_cleanup, (CURL * easy), (easy))                                                                    \
  F(const char *, curl_easy_strerror, (CURLcode code), (code))                                                         \
  F(void, curl_free, (void *memory), (memory))                                                                         \
  F(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text), (list, text))                \
  F(void, curl_slist_free_all, (struct curl_slist * list), (list))                                                     \
  F(CURLM *, curl_multi_init, (void), ())                                                                              \
  F(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy))                                      \
  F(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL *easy), (multi, easy))                                   \
  F(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running))                                    \
  F(CURLMcode, curl_multi_poll,                                                                                        \
    (CURLM * multi, struct curl_waitfd *files, unsigned count, int milliseconds, int *ready),                          \
    (multi, files, count, milliseconds, ready))                                                                        \
  F(CURLMcode, curl_multi_wakeup, (CURLM * multi), (multi))                                                            \
  F(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left))                                        \
  F(CURLU *, curl_url, (void), ())                                                                                     \
  F(void, curl_url_cleanup, (CURLU * url), (url))                                                                      \
  F(CURLUcode, curl_url_get, (ReadURL url, CURLUPart part, char **text, unsigned flags), (url, part, text, flags))     \
  F(CURLUcode, curl_url_set, (CURLU * url, CURLUPart part, const char *text, unsigned flags),                          \
    (url, part, text, flags))                                                                                          \
  F(const char *, curl_url_strerror, (CURLUcode code), (code))                                                         \
  F(BIO *, BIO_new_mem_buf, (const void *bytes, int count), (bytes, count))                                            \
  F(int, BIO_free, (BIO * memory), (memory))                                                                           \
  F(void, ERR_clear_error, (void), ())                                                                                 \
  F(X509 *, PEM_read_bio_X509, (BIO * memory, X509 **into, pem_password_cb *password, void *context),                  \
    (memory, into, password, context))                                                                                 \
  F(void, X509_free, (X509 * certificate), (certificate))                                                              \
  F(int, X509_STORE_add_cert, (X509_STORE * store, X509 *certificate), (store, certificate))                           \
  F(int, X509_STORE_CTX_get_error, (const X509_STORE_CTX *store), (store))                                             \
  F(void, X509_STORE_CTX_set_error, (X509_STORE_CTX * store, int code), (store, code))                                 \
  F(const char *, X509_verify_cert_error_string, (long code), (code))                                                  \
  F(int, X509_VERIFY_PARAM_set1_host, (X509_VERIFY_PARAM * parameters, const char *name, size_t count),                \
    (parameters, name, count))                                                                                         \
  F(int, X509_VERIFY_PARAM_set1_ip_asc, (X509_VERIFY_PARAM * parameters, const char *address), (parameters, address))  \
  F(void, X509_VERIFY_PARAM_set_hostflags, (X509_VERIFY_PARAM * parameters, unsigned flags), (parameters, flags))      \
  F(X509_VERIFY_PARAM *, SSL_CTX_get0_param, (SSL_CTX * context), (context))                                           \
  F(X509_STORE *, SSL_CTX_get_cert_store, (const SSL_CTX *context), (context))                                         \
  F(void *, SSL_CTX_get_ex_data, (const SSL_CTX *context, int index), (context, index))                                \
  F(int, SSL_CTX_set_ex_data, (SSL_CTX * context, int index, void *data), (context, index, data))                      \
  F(int, SSL_CTX_load_verify_file, (SSL_CTX * context, const char *path), (context, path))                             \
  F(void, SSL_CTX_set_client_cert_cb, (SSL_CTX * context, int (*choose)(SSL *, X509 **, EVP_PKEY **)),                 \
    (context, choose))                                                                                                 \
  F(void, SSL_CTX_set_verify, (SSL_CTX * context, int mode, SSL_verify_cb verify), (context, mode, verify))            \
  F(SSL_CTX *, SSL_get_SSL_CTX, (const SSL *ssl), (ssl))                                                               \
  F(const char *, SSL_get_version, (const SSL *ssl), (ssl))

#define POINTER(Result, name, parameters, arguments) static Result(*real_##name) parameters;
FUNCTIONS(POINTER)
static CURLcode (*real_curl_easy_setopt)(CURL *easy, CURLoption option, ...);
static CURLcode (*real_curl_easy_getinfo)(CURL *easy, CURLINFO info, ...);

// For this program alone: libcurl itself goes on calling its own.
#define HIDDEN __attribute__((visibility("hidden")))
#define HANDED_ON(Result, name, parameters, arguments)                                                                 \
  HIDDEN Result name parameters { return real_##name arguments; }
FUNCTIONS(HANDED_ON)

// Whatever type the last argument has, it comes and goes on in one register.
#undef curl_easy_setopt
HIDDEN CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  va_list values;
  va_start(values, option);
  void *value = va_arg(values, void *);
  va_end(values);
  return real_curl_easy_setopt(easy, option, value);
}
#undef curl_easy_getinfo
HIDDEN CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...) {
  va_list values;
  va_start(values, info);
  void *value = va_arg(values, void *);
  va_end(values);
  return real_curl_easy_getinfo(easy, info, value);
}

const char *shim_load(void) {
  // Through this one handle those libraries are seen that libcurl itself uses: one OpenSSL for both.
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
#define FIND(Result, name, parameters, arguments)                                                                      \
  if (!(*(void **)&real_##name = dlsym(library, #name))) return dlerror();
  FUNCTIONS(FIND)
  FIND(, curl_easy_setopt, , )
  FIND(, curl_easy_getinfo, , )
  return NULL;
}
