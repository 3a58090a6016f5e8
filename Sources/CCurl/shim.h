#pragma once
// What Swift cannot import: the variadic setters and getters, and constants behind casts.
#include <curl/curl.h>

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
static inline CURLcode shim_set_blob(CURL *easy, CURLoption option, const void *data, size_t length) {
  struct curl_blob blob = {(void *)data, length, CURL_BLOB_COPY};
  return curl_easy_setopt(easy, option, &blob);
}
typedef size_t (*shim_bytes)(char *data, size_t size, size_t count, void *context);
static inline CURLcode shim_set_bytes(CURL *easy, CURLoption option, shim_bytes take) {
  return curl_easy_setopt(easy, option, take);
}
typedef curl_socket_t (*shim_opener)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
static inline CURLcode shim_set_opener(CURL *easy, shim_opener open) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open);
}
static inline CURLcode shim_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode shim_get_time(CURL *easy, CURLINFO info, curl_off_t *value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode shim_get_text(CURL *easy, CURLINFO info, const char **value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode shim_get_pointer(CURL *easy, CURLINFO info, void **value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline void *shim_message_context(CURLMsg *message) {
  void *context = NULL;
  curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
  return context;
}
static inline CURLcode shim_message_result(CURLMsg *message) { return message->data.result; }
