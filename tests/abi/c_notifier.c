/* A notifier in plain C11: what the ABI asks of somebody who uses none of our C++. It appends each event to
 * the file its configuration names, as "path=<file>" would in any JSON parser: here by a search that knows
 * exactly the configuration of its test. */
#include <dbackup/abi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct channel {
  char path[512];
} channel;

static dbackup_str text(const char *zero_ended) {
  dbackup_str out = {zero_ended, strlen(zero_ended)};
  return out;
}

static dbackup_status fail(const dbackup_call *call, dbackup_status code, const char *message) {
  call->fail(call->ctx, code, text(message), text(""));
  return code;
}

static dbackup_status open_channel(dbackup_str config, const dbackup_call *call, void **out) {
  static const char key[] = "\"path\":\"";
  char copy[1024];
  *out = NULL;
  if (config.size >= sizeof copy) return fail(call, DBACKUP_INVALID_ARGUMENT, "the configuration is too long");
  memcpy(copy, config.data, config.size);
  copy[config.size] = '\0';
  const char *start = strstr(copy, key);
  const char *end = start != NULL ? strchr(start + strlen(key), '"') : NULL;
  if (end == NULL) return fail(call, DBACKUP_INVALID_ARGUMENT, "\"path\" is required");
  channel *made = calloc(1, sizeof *made);
  if (made == NULL) return fail(call, DBACKUP_RESOURCE_EXHAUSTED, "out of memory");
  start += strlen(key);
  size_t size = (size_t)(end - start);
  if (size >= sizeof made->path) size = sizeof made->path - 1;
  memcpy(made->path, start, size);
  *out = made;
  return DBACKUP_OK;
}

static void close_channel(void *self) { free(self); }

static dbackup_status append(const channel *self, const dbackup_call *call, dbackup_str line) {
  if (call->is_cancelled(call->ctx)) return fail(call, DBACKUP_CANCELLED, "cancelled");
  FILE *file = fopen(self->path, "ae");
  if (file == NULL) return fail(call, DBACKUP_NOT_FOUND, "cannot open the file");
  int wrong = fwrite(line.data, 1, line.size, file) != line.size || fputc('\n', file) == EOF;
  wrong |= fclose(file) != 0;
  if (wrong) return fail(call, DBACKUP_RESOURCE_EXHAUSTED, "cannot write the file");
  call->result(call->ctx, text("{\"message\":\"written\"}"));
  return DBACKUP_OK;
}

static dbackup_status test(void *self, const dbackup_call *call, dbackup_str request) {
  (void)request;
  return append(self, call, text("test"));
}

static dbackup_status send_event(void *self, const dbackup_call *call, dbackup_str event) {
  return append(self, call, event);
}

static const dbackup_notifier table = {sizeof table, open_channel, close_channel, test, send_event};

static const void *extension(const char *id) {
  return strcmp(id, DBACKUP_EXT_NOTIFIER) == 0 ? &table : NULL;
}

static const dbackup_adapter adapter = {
    sizeof adapter, DBACKUP_KIND_NOTIFIER, "c-file",
    "{\"kind\":\"notifier\",\"id\":\"c-file\",\"name\":\"File\",\"group\":\"\",\"beta\":false,"
    "\"options\":[{\"name\":\"path\",\"type\":\"path\",\"help\":\"File.\",\"required\":true,\"secret\":false}],"
    "\"credentials\":{},\"capabilities\":{}}",
    extension};
static const dbackup_adapter *const adapters[] = {&adapter};

const dbackup_plugin_entry dbackup_plugin = {
    sizeof dbackup_plugin, DBACKUP_ABI_MAJOR, DBACKUP_ABI_MINOR, 1, "test.c-file", "File in C", "1.0.0", adapters};
