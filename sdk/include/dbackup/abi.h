/* The binary promise between the host and a plugin. C11 and C++20; <stdint.h> and <stddef.h> only.
 *
 * Both sides must agree on this file and on nothing else: no exceptions, RTTI, std:: types, C enums,
 * bool, long, FILE* or ownership of memory cross this border. Who allocates frees. Members are only
 * ever appended, and read only through DBACKUP_HAS. Every function carries a thread tag:
 *   [any-thread]  may be called from any thread at any time;
 *   [worker]      one call at a time per instance, on any thread of the worker process.
 */
#ifndef DBACKUP_ABI_H
#define DBACKUP_ABI_H

#include <stddef.h>
#include <stdint.h>

#define DBACKUP_ABI_MAJOR 1u /* differs: the host refuses the plugin, naming both numbers */
#define DBACKUP_ABI_MINOR 0u /* grows when a member is appended or an extension is added */

#define DBACKUP_SDK_VERSION "1.0.0" /* the one place where the SDK's version is kept */

/* Was the other side's build new enough to have this member, and did it fill it in? */
#define DBACKUP_HAS(type, p, member) \
  ((p)->struct_size >= offsetof(type, member) + sizeof((p)->member) && (p)->member)

#ifdef __cplusplus
#define DBACKUP_NOEXCEPT noexcept
#else
#define DBACKUP_NOEXCEPT
#endif
#define DBACKUP_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Canonical status codes; 0 is success. A number outside this list is read as DBACKUP_INTERNAL. */
typedef int32_t dbackup_status;
#define DBACKUP_OK 0
#define DBACKUP_CANCELLED 1
#define DBACKUP_INVALID_ARGUMENT 3
#define DBACKUP_DEADLINE_EXCEEDED 4
#define DBACKUP_NOT_FOUND 5
#define DBACKUP_ALREADY_EXISTS 6
#define DBACKUP_PERMISSION_DENIED 7
#define DBACKUP_RESOURCE_EXHAUSTED 8
#define DBACKUP_FAILED_PRECONDITION 9
#define DBACKUP_ABORTED 10
#define DBACKUP_UNIMPLEMENTED 12
#define DBACKUP_INTERNAL 13
#define DBACKUP_UNAVAILABLE 14
#define DBACKUP_DATA_LOSS 15
#define DBACKUP_UNAUTHENTICATED 16

/* Log levels. */
#define DBACKUP_LOG_DEBUG 0
#define DBACKUP_LOG_INFO 1
#define DBACKUP_LOG_WARNING 2
#define DBACKUP_LOG_ERROR 3

/* Adapter kinds. */
#define DBACKUP_KIND_SOURCE 1u
#define DBACKUP_KIND_STORAGE 2u
#define DBACKUP_KIND_NOTIFIER 3u

/* UTF-8 text, borrowed: valid until the call it is passed to returns. Not NUL-terminated. */
typedef struct dbackup_str {
  const char *data;
  uint64_t size;
} dbackup_str;

/* One operation. Owned by the host, valid until the operation returns; pass `ctx` back unchanged. */
typedef struct dbackup_call {
  uint32_t struct_size;
  void *ctx;
  /* Non-zero once the operation shall end: write nothing more and return DBACKUP_CANCELLED. Cheap; ask
   * at least once per block. [any-thread] */
  int32_t (*is_cancelled)(void *ctx) DBACKUP_NOEXCEPT;
  /* One line for the log of the run. No secrets. The host adds plugin and execution. [any-thread] */
  void (*log)(void *ctx, int32_t level, dbackup_str text) DBACKUP_NOEXCEPT;
  /* Bytes done so far; total 0 = unknown. As often as wished: the host thins it. [any-thread] */
  void (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes) DBACKUP_NOEXCEPT;
  /* Says why the operation fails; copied. `message` may be shown to clients, `detail` goes to the log
   * only. Call at most once, then return `code`. [any-thread] */
  void (*fail)(void *ctx, dbackup_status code, dbackup_str message, dbackup_str detail)
      DBACKUP_NOEXCEPT;
  /* The operation's answer, a JSON object; copied. At most once, before returning DBACKUP_OK. */
  void (*result)(void *ctx, dbackup_str json) DBACKUP_NOEXCEPT;
  /* A table of the host by id ("dbackup.host.exec/1"), or NULL. Static for the process; its functions
   * take this call's `ctx`. [any-thread] */
  const void *(*host_extension)(void *ctx, const char *id) DBACKUP_NOEXCEPT;
} dbackup_call;

/* Where bytes go. Partial writes are normal: the result is the number of bytes taken (at least 1 for a
 * non-empty block), or a negated status. Blocks while the consumer is slower. [worker] */
typedef struct dbackup_writer {
  uint32_t struct_size;
  void *ctx;
  int64_t (*write)(void *ctx, const void *data, uint64_t size) DBACKUP_NOEXCEPT;
} dbackup_writer;

/* Where bytes come from: the number of bytes read, 0 at the end, or a negated status. The end of file is
 * the permission to commit; after an error nothing may become visible. Blocks. [worker] */
typedef struct dbackup_reader {
  uint32_t struct_size;
  void *ctx;
  int64_t (*read)(void *ctx, void *buffer, uint64_t size) DBACKUP_NOEXCEPT;
} dbackup_reader;

/* A list leaves a plugin one JSON object per call; a result other than DBACKUP_OK ends the listing and
 * is to be returned. [worker] */
typedef struct dbackup_item_sink {
  uint32_t struct_size;
  void *ctx;
  dbackup_status (*item)(void *ctx, dbackup_str json) DBACKUP_NOEXCEPT;
} dbackup_item_sink;

/* Every operation takes its request as a JSON object and answers through call->result, so both can grow
 * without a new ABI. sdk/README.md lists the members. open() makes one instance from the configuration
 * (defaults applied, credentials merged, types checked by the host); close() frees it and never fails. */

#define DBACKUP_EXT_SOURCE "dbackup.source/1"
typedef struct dbackup_source {
  uint32_t struct_size;
  dbackup_status (*open)(dbackup_str config_json, const dbackup_call *call, void **out) DBACKUP_NOEXCEPT; /* [worker] */
  void (*close)(void *self) DBACKUP_NOEXCEPT;                                                       /* [worker] */
  dbackup_status (*test)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  dbackup_status (*dump)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_writer *out) DBACKUP_NOEXCEPT;
  dbackup_status (*restore)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_reader *in) DBACKUP_NOEXCEPT;
  /* Optional from here on: NULL when not offered; the descriptor's capabilities say the same. */
  dbackup_status (*list_databases)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_item_sink *sink) DBACKUP_NOEXCEPT;
  dbackup_status (*prepare_restore)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  dbackup_status (*tables)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_item_sink *sink) DBACKUP_NOEXCEPT;
  dbackup_status (*rows)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_item_sink *sink) DBACKUP_NOEXCEPT;
  /* Removes what a restore with that token left behind when its process was killed, and nothing else;
   * nothing there is a success. Never called while that restore runs. */
  dbackup_status (*cleanup_restore)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
} dbackup_source;

#define DBACKUP_EXT_STORAGE "dbackup.storage/1"
typedef struct dbackup_storage {
  uint32_t struct_size;
  dbackup_status (*open)(dbackup_str config_json, const dbackup_call *call, void **out) DBACKUP_NOEXCEPT;
  void (*close)(void *self) DBACKUP_NOEXCEPT;
  /* test writes and removes a probe object; ping only reaches out and writes nothing. */
  dbackup_status (*test)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  dbackup_status (*ping)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  /* Visible only when committed; an aborted put leaves nothing; never replaces an existing object. */
  dbackup_status (*put)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_reader *in) DBACKUP_NOEXCEPT;
  dbackup_status (*get)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_writer *out) DBACKUP_NOEXCEPT;
  dbackup_status (*list)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_item_sink *sink) DBACKUP_NOEXCEPT;
  dbackup_status (*stat)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  dbackup_status (*remove)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  dbackup_status (*cleanup)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  /* Optional. */
  dbackup_status (*browse)(void *self, const dbackup_call *call, dbackup_str request, const dbackup_item_sink *sink) DBACKUP_NOEXCEPT;
} dbackup_storage;

#define DBACKUP_EXT_NOTIFIER "dbackup.notifier/1"
typedef struct dbackup_notifier {
  uint32_t struct_size;
  dbackup_status (*open)(dbackup_str config_json, const dbackup_call *call, void **out) DBACKUP_NOEXCEPT;
  void (*close)(void *self) DBACKUP_NOEXCEPT;
  dbackup_status (*test)(void *self, const dbackup_call *call, dbackup_str request) DBACKUP_NOEXCEPT;
  dbackup_status (*send)(void *self, const dbackup_call *call, dbackup_str event) DBACKUP_NOEXCEPT;
} dbackup_notifier;

/* Programs, here or on another machine: the plugin does not know which. `ctx` is that of the call. */
#define DBACKUP_EXT_HOST_EXEC "dbackup.host.exec/1"
typedef struct dbackup_host_exec {
  uint32_t struct_size;
  /* request: {"argv":[…],"env":{…},"stdin":"none"|"pipe","stdout":"pipe"|"collect"|"discard"}. argv[0]
   * without a slash is searched in PATH. stderr is always collected (its last 16 KiB) and logged line by
   * line. Instead of argv, "subsystem":"sftp" opens that subsystem of the SSH server the adapter works
   * on; without SSH it fails. A subsystem can still be written to and read for 300 ms after a
   * cancellation, so that what was made on the far side can be taken back. On failure *process is NULL and
   * call->fail was called. */
  dbackup_status (*start)(void *ctx, dbackup_str request, void **process) DBACKUP_NOEXCEPT;
  /* stdout of a process started with "pipe": bytes read, 0 at the end, negated status (cancelled, …). */
  int64_t (*read)(void *process, void *buffer, uint64_t size) DBACKUP_NOEXCEPT;
  /* stdin: bytes taken or negated status; a program that closed its input gives -DBACKUP_ABORTED. */
  int64_t (*write)(void *process, const void *data, uint64_t size) DBACKUP_NOEXCEPT;
  void (*close_stdin)(void *process) DBACKUP_NOEXCEPT;
  /* Waits for the end; the sink gets one item {"exit_code":n|null,"signal":n|null,"stdout":…,"stderr":…}
   * (stdout only when collected, at most 1 MiB). A cancelled call ends the program first. */
  dbackup_status (*wait)(void *process, const dbackup_item_sink *sink) DBACKUP_NOEXCEPT;
  /* Frees the handle; a program that still runs is killed and reaped. */
  void (*release)(void *process) DBACKUP_NOEXCEPT;
  /* A file only its owner can read, where the programs run, holding `content`; *path is valid until
   * release_side_file, which removes the file. It is removed in every case, kill -9 included, where the
   * platform allows. */
  dbackup_status (*side_file)(void *ctx, dbackup_str content, void **file, dbackup_str *path) DBACKUP_NOEXCEPT;
  void (*release_side_file)(void *file) DBACKUP_NOEXCEPT;
  /* Finds the first of {"names":[…]} that can be run; the sink gets one item {"path":…}, or
   * DBACKUP_NOT_FOUND is returned. */
  dbackup_status (*which)(void *ctx, dbackup_str request, const dbackup_item_sink *sink) DBACKUP_NOEXCEPT;
  /* For a tool that insists on a file of any size: an empty 0600 file on disk where the programs run.
   * request: {"suffix":".rdb"}. Released and removed as side files are. An adapter that uses it declares
   * "stagesLocally". */
  dbackup_status (*staging_file)(void *ctx, dbackup_str request, void **file, dbackup_str *path) DBACKUP_NOEXCEPT;
} dbackup_host_exec;

/* Host and port as the target's side sees them → an endpoint that can be dialled from this process. */
#define DBACKUP_EXT_HOST_REACH "dbackup.host.reach/1"
typedef struct dbackup_host_reach {
  uint32_t struct_size;
  /* request: {"host":…,"port":n}; the sink gets one item {"host":…,"port":n}. Valid until release. */
  dbackup_status (*open)(void *ctx, dbackup_str request, const dbackup_item_sink *sink, void **endpoint) DBACKUP_NOEXCEPT;
  void (*release)(void *endpoint) DBACKUP_NOEXCEPT;
} dbackup_host_reach;

/* `id` is what the REST API calls adapterId; several adapters may share a file. Static storage. */
typedef struct dbackup_adapter {
  uint32_t struct_size;
  uint32_t kind; /* DBACKUP_KIND_* */
  const char *id;
  const char *descriptor_json;
  /* The table of an extension id, or NULL when it is not offered. [any-thread] */
  const void *(*get_extension)(const char *extension_id) DBACKUP_NOEXCEPT;
} dbackup_adapter;

/* The first three members never move, in any major version: they are read before anything is called. */
typedef struct dbackup_plugin_entry {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t adapter_count;
  const char *plugin_id;
  const char *name;
  const char *version;
  const dbackup_adapter *const *adapters; /* pointers: the two builds may disagree on the stride */
} dbackup_plugin_entry;

/* The one symbol a plugin exports. */
DBACKUP_EXPORT extern const dbackup_plugin_entry dbackup_plugin;

#ifdef __cplusplus
}
#endif

#endif
