#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>
#include <string.h>

/// Loads libcurl and OpenSSL; nothing else here may be called before it. NULL, or why they could not be loaded.
const char *shim_load(void);

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

// Trusts the certificates of a PEM file, or of PEM text. 1 if there was one.
static inline int shim_trust_file(void *context, const char *path) {
  return SSL_CTX_load_verify_file((SSL_CTX *)context, path);
}
static inline int shim_trust_text(void *context, const char *text) {
  BIO *memory = BIO_new_mem_buf(text, -1);
  X509_STORE *store = SSL_CTX_get_cert_store((SSL_CTX *)context);
  X509 *certificate;
  int count = 0;
  while (memory && (certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL))) {
    count += X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
  }
  BIO_free(memory);
  ERR_clear_error();
  return count > 0;
}
static const long shim_trusted = X509_V_OK;

// Takes a certificate whoever issued it: only its names and dates are judged.
static inline int shim_accept_issuer(int isGood, X509_STORE_CTX *store) {
  switch (X509_STORE_CTX_get_error(store)) {
  case X509_V_ERR_CERT_NOT_YET_VALID:
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    return isGood;
  default:
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
}
static inline void shim_ignore_issuers(void *context) {
  SSL_CTX_set_verify((SSL_CTX *)context, SSL_VERIFY_NONE, shim_accept_issuer);
}

// Writes 1 to `flag` when the server asks for a certificate of the client's; none is given.
static inline int shim_note_request(SSL *ssl, X509 **certificate, EVP_PKEY **key) {
  int *flag = (int *)SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  if (flag) *flag = 1;
  return 0;
}
static inline void shim_watch_requests(void *context, int *flag) {
  SSL_CTX_set_app_data((SSL_CTX *)context, flag);
  SSL_CTX_set_client_cert_cb((SSL_CTX *)context, shim_note_request);
}

// `TLSv1.2`, while the transfer runs; NULL without TLS.
static inline const char *shim_get_tls_version(CURL *easy) {
  struct curl_tlssessioninfo *session = NULL;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session || !session->internals) return NULL;
  return SSL_get_version((const SSL *)session->internals);
}
