#pragma once
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>
#include <string.h>

// `curl_easy_setopt` and `curl_easy_getinfo` are variadic; Swift imports no such function. One for each type.
static inline CURLcode shim_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode shim_set_text(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode shim_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode shim_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode shim_set_bytes(CURL *easy, CURLoption option, const void *bytes, size_t count) {
  struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
  return curl_easy_setopt(easy, option, &blob);
}

typedef size_t (*shim_receive)(char *bytes, size_t size, size_t count, void *transfer);
static inline CURLcode shim_set_receive(CURL *easy, CURLoption option, shim_receive function) {
  return curl_easy_setopt(easy, option, function);
}
static inline CURLcode shim_set_open_socket(CURL *easy, curl_opensocket_callback function) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}
static inline CURLcode shim_set_before_request(CURL *easy, curl_prereq_callback function) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
}
static inline CURLcode shim_set_tls_context(CURL *easy, curl_ssl_ctx_callback function) {
  return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, function);
}

static inline long shim_get_long(CURL *easy, CURLINFO info) {
  long value = 0;
  curl_easy_getinfo(easy, info, &value);
  return value;
}
static inline curl_off_t shim_get_microseconds(CURL *easy, CURLINFO info) {
  curl_off_t value = 0;
  curl_easy_getinfo(easy, info, &value);
  return value;
}
static inline const char *shim_get_text(CURL *easy, CURLINFO info) {
  char *value = NULL;
  curl_easy_getinfo(easy, info, &value);
  return value;
}
static inline struct curl_certinfo *shim_get_certificates(CURL *easy) {
  struct curl_certinfo *value = NULL;
  curl_easy_getinfo(easy, CURLINFO_CERTINFO, &value);
  return value;
}

// Makes OpenSSL's own verification compare the certificate with `host`, a name or an IP address. 1 if it will.
static inline int shim_expect_host(void *context, const char *host) {
  X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param((SSL_CTX *)context);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host)) return 1;
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(parameters, host, 0);
}
static const long shim_trusted = X509_V_OK;
