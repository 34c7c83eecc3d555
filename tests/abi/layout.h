/* The layout of abi.h as it was published, for C11 and C++20 alike. A line may be added; a line that has
 * been published never changes. Both sides of the border may be older than the other. */
#ifndef DBACKUP_TESTS_ABI_LAYOUT_H
#define DBACKUP_TESTS_ABI_LAYOUT_H

#include <dbackup/abi.h>

#ifdef __cplusplus
#define FREEZE(condition, text) static_assert(condition, text)
#else
#define FREEZE(condition, text) _Static_assert(condition, text)
#endif

#define FREEZE_SIZE(type, bytes) FREEZE(sizeof(type) == (bytes), "sizeof " #type)
#define FREEZE_AT(type, member, bytes) FREEZE(offsetof(type, member) == (bytes), #type "." #member)

FREEZE(DBACKUP_ABI_MAJOR == 1, "major");

FREEZE_SIZE(dbackup_status, 4);
FREEZE(DBACKUP_OK == 0 && DBACKUP_CANCELLED == 1 && DBACKUP_INVALID_ARGUMENT == 3, "codes");
FREEZE(DBACKUP_DEADLINE_EXCEEDED == 4 && DBACKUP_NOT_FOUND == 5 && DBACKUP_ALREADY_EXISTS == 6, "codes");
FREEZE(DBACKUP_PERMISSION_DENIED == 7 && DBACKUP_RESOURCE_EXHAUSTED == 8, "codes");
FREEZE(DBACKUP_FAILED_PRECONDITION == 9 && DBACKUP_ABORTED == 10 && DBACKUP_UNIMPLEMENTED == 12, "codes");
FREEZE(DBACKUP_INTERNAL == 13 && DBACKUP_UNAVAILABLE == 14 && DBACKUP_DATA_LOSS == 15, "codes");
FREEZE(DBACKUP_UNAUTHENTICATED == 16, "codes");
FREEZE(DBACKUP_LOG_DEBUG == 0 && DBACKUP_LOG_INFO == 1 && DBACKUP_LOG_WARNING == 2 && DBACKUP_LOG_ERROR == 3, "levels");
FREEZE(DBACKUP_KIND_SOURCE == 1 && DBACKUP_KIND_STORAGE == 2 && DBACKUP_KIND_NOTIFIER == 3, "kinds");

FREEZE_SIZE(dbackup_str, 16);
FREEZE_AT(dbackup_str, data, 0);
FREEZE_AT(dbackup_str, size, 8);

FREEZE(sizeof(dbackup_call) >= 64, "dbackup_call");
FREEZE_AT(dbackup_call, struct_size, 0);
FREEZE_AT(dbackup_call, ctx, 8);
FREEZE_AT(dbackup_call, is_cancelled, 16);
FREEZE_AT(dbackup_call, log, 24);
FREEZE_AT(dbackup_call, progress, 32);
FREEZE_AT(dbackup_call, fail, 40);
FREEZE_AT(dbackup_call, result, 48);
FREEZE_AT(dbackup_call, host_extension, 56);

FREEZE(sizeof(dbackup_writer) >= 24, "dbackup_writer");
FREEZE_AT(dbackup_writer, struct_size, 0);
FREEZE_AT(dbackup_writer, ctx, 8);
FREEZE_AT(dbackup_writer, write, 16);

FREEZE(sizeof(dbackup_reader) >= 24, "dbackup_reader");
FREEZE_AT(dbackup_reader, struct_size, 0);
FREEZE_AT(dbackup_reader, ctx, 8);
FREEZE_AT(dbackup_reader, read, 16);

FREEZE(sizeof(dbackup_item_sink) >= 24, "dbackup_item_sink");
FREEZE_AT(dbackup_item_sink, struct_size, 0);
FREEZE_AT(dbackup_item_sink, ctx, 8);
FREEZE_AT(dbackup_item_sink, item, 16);

FREEZE(sizeof(dbackup_source) >= 88, "dbackup_source");
FREEZE_AT(dbackup_source, struct_size, 0);
FREEZE_AT(dbackup_source, open, 8);
FREEZE_AT(dbackup_source, close, 16);
FREEZE_AT(dbackup_source, test, 24);
FREEZE_AT(dbackup_source, dump, 32);
FREEZE_AT(dbackup_source, restore, 40);
FREEZE_AT(dbackup_source, list_databases, 48);
FREEZE_AT(dbackup_source, prepare_restore, 56);
FREEZE_AT(dbackup_source, tables, 64);
FREEZE_AT(dbackup_source, rows, 72);
FREEZE_AT(dbackup_source, cleanup_restore, 80);

FREEZE(sizeof(dbackup_storage) >= 96, "dbackup_storage");
FREEZE_AT(dbackup_storage, struct_size, 0);
FREEZE_AT(dbackup_storage, open, 8);
FREEZE_AT(dbackup_storage, close, 16);
FREEZE_AT(dbackup_storage, test, 24);
FREEZE_AT(dbackup_storage, ping, 32);
FREEZE_AT(dbackup_storage, put, 40);
FREEZE_AT(dbackup_storage, get, 48);
FREEZE_AT(dbackup_storage, list, 56);
FREEZE_AT(dbackup_storage, stat, 64);
FREEZE_AT(dbackup_storage, remove, 72);
FREEZE_AT(dbackup_storage, cleanup, 80);
FREEZE_AT(dbackup_storage, browse, 88);

FREEZE(sizeof(dbackup_notifier) >= 40, "dbackup_notifier");
FREEZE_AT(dbackup_notifier, struct_size, 0);
FREEZE_AT(dbackup_notifier, open, 8);
FREEZE_AT(dbackup_notifier, close, 16);
FREEZE_AT(dbackup_notifier, test, 24);
FREEZE_AT(dbackup_notifier, send, 32);

FREEZE(sizeof(dbackup_host_exec) >= 80, "dbackup_host_exec");
FREEZE_AT(dbackup_host_exec, struct_size, 0);
FREEZE_AT(dbackup_host_exec, start, 8);
FREEZE_AT(dbackup_host_exec, read, 16);
FREEZE_AT(dbackup_host_exec, write, 24);
FREEZE_AT(dbackup_host_exec, close_stdin, 32);
FREEZE_AT(dbackup_host_exec, wait, 40);
FREEZE_AT(dbackup_host_exec, release, 48);
FREEZE_AT(dbackup_host_exec, side_file, 56);
FREEZE_AT(dbackup_host_exec, release_side_file, 64);
FREEZE_AT(dbackup_host_exec, which, 72);

FREEZE(sizeof(dbackup_host_reach) >= 24, "dbackup_host_reach");
FREEZE_AT(dbackup_host_reach, struct_size, 0);
FREEZE_AT(dbackup_host_reach, open, 8);
FREEZE_AT(dbackup_host_reach, release, 16);

FREEZE(sizeof(dbackup_adapter) >= 32, "dbackup_adapter");
FREEZE_AT(dbackup_adapter, struct_size, 0);
FREEZE_AT(dbackup_adapter, kind, 4);
FREEZE_AT(dbackup_adapter, id, 8);
FREEZE_AT(dbackup_adapter, descriptor_json, 16);
FREEZE_AT(dbackup_adapter, get_extension, 24);

FREEZE(sizeof(dbackup_plugin_entry) >= 48, "dbackup_plugin_entry");
FREEZE_AT(dbackup_plugin_entry, struct_size, 0);
FREEZE_AT(dbackup_plugin_entry, abi_major, 4);
FREEZE_AT(dbackup_plugin_entry, abi_minor, 8);
FREEZE_AT(dbackup_plugin_entry, adapter_count, 12);
FREEZE_AT(dbackup_plugin_entry, plugin_id, 16);
FREEZE_AT(dbackup_plugin_entry, name, 24);
FREEZE_AT(dbackup_plugin_entry, version, 32);
FREEZE_AT(dbackup_plugin_entry, adapters, 40);

#endif
