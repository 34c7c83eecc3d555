// Plugins that are wrong in one way each; DBACKUP_FAULT says which. All the rest is a source that
// works: adapter "bad-<fault>", one database "bad", a dump of 1 MiB. Written against the C tables,
// since the C++ layer makes most of these mistakes impossible.

#include <dbackup/abi.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace {

enum class Fault {
  wrong_major,     // another ABI major: refused, naming both numbers
  newer_minor,     // no fault: a newer minor loads and works
  short_entry,     // the entry ends after the version numbers
  short_table,     // the source's table ends before dump
  no_table,        // get_extension knows nothing
  null_adapters,   // an adapter count without adapters
  no_json,         // a descriptor that is not JSON
  twin_ids,        // two adapters of one id
  throws,          // an exception leaves a function of the table
  crash,           // SIGSEGV in dump
  hang,            // dump never returns and does not ask for cancellation
  exits,           // dump ends the process with status 0, as if all were well
  noisy,           // no fault of the data: megabytes on standard output and error
  leaks,           // descriptors are opened and never closed
  eats_memory,     // dump allocates without end
  leaves_child,    // dump leaves a process running
  garbage_result,  // the answer of dump is not JSON
  bad_status,      // a status that does not exist
  silent_failure,  // a failure without fail()
  lying_writer,    // dump returns OK although the consumer failed
  start_crash,     // aborts in a static constructor
  start_throw,     // throws in a static constructor
};

constexpr Fault kFault = Fault::DBACKUP_FAULT;
#define DBACKUP_TEXT_OF(x) #x
#define DBACKUP_TEXT(x) DBACKUP_TEXT_OF(x)
constexpr const char* kId = "bad-" DBACKUP_TEXT(DBACKUP_FAULT_ID);

constexpr dbackup_str text(std::string_view view) { return {view.data(), view.size()}; }

[[gnu::noinline]] void throw_something() { throw std::runtime_error{"thrown across the border"}; }

dbackup_status open_source(dbackup_str, const dbackup_call*, void** out) noexcept {
  static int instance = 0;
  *out = &instance;
  return DBACKUP_OK;
}
void close_source(void*) noexcept {}

dbackup_status test_source(void*, const dbackup_call* call, dbackup_str) noexcept {
  call->result(call->ctx, text(R"({"message":"Connection successful"})"));
  return DBACKUP_OK;
}

dbackup_status list(void*, const dbackup_call* call, dbackup_str,
                    const dbackup_item_sink* sink) noexcept {
  const dbackup_status status = sink->item(sink->ctx, text(R"({"name":"bad"})"));
  call->result(call->ctx, text("{}"));
  return status;
}

void misbehave() {
  if constexpr (kFault == Fault::throws) throw_something();
  if constexpr (kFault == Fault::crash) std::raise(SIGSEGV);
  if constexpr (kFault == Fault::exits) std::exit(0);
  if constexpr (kFault == Fault::hang) {
    for (;;) ::pause();
  }
  if constexpr (kFault == Fault::noisy) {
    for (int line = 0; line < 20'000; ++line) {
      std::puts("{\"op\":\"result\",\"id\":1,\"note\":\"this is no event\"}");
      std::fputs("plugin chatter on standard error\n", stderr);
    }
    std::fflush(stdout);
  }
  if constexpr (kFault == Fault::leaks) {
    for (int n = 0; n < 200; ++n) (void)::open("/dev/null", O_RDONLY);
  }
  if constexpr (kFault == Fault::eats_memory) {
    for (;;) {
      constexpr size_t kBytes = 64 * 1024 * 1024;
      void* block = std::malloc(kBytes);
      if (block == nullptr) std::abort();
      std::memset(block, 1, kBytes);
    }
  }
  if constexpr (kFault == Fault::leaves_child) {
    if (::fork() == 0) {
      for (;;) ::pause();
    }
  }
}

dbackup_status dump(void*, const dbackup_call* call, dbackup_str,
                    const dbackup_writer* out) noexcept {
  misbehave();
  if constexpr (kFault == Fault::bad_status) return 4711;
  if constexpr (kFault == Fault::silent_failure) return DBACKUP_ABORTED;
  std::array<char, 4096> block{};
  block.fill('\n');
  constexpr std::string_view kRow = "SELECT 'a row of the bad plugin';\n";
  std::memcpy(block.data(), kRow.data(), kRow.size());
  for (int n = 0; n < 256; ++n) {
    if (call->is_cancelled(call->ctx) != 0) {
      call->fail(call->ctx, DBACKUP_CANCELLED, text("cancelled"), text(""));
      return DBACKUP_CANCELLED;
    }
    for (size_t at = 0; at < block.size();) {
      const int64_t taken = out->write(out->ctx, block.data() + at, block.size() - at);
      if (taken <= 0) {
        if constexpr (kFault == Fault::lying_writer) break;
        call->fail(call->ctx, DBACKUP_ABORTED, text("the consumer of the stream ended it"),
                   text(""));
        return DBACKUP_ABORTED;
      }
      at += static_cast<size_t>(taken);
    }
  }
  constexpr bool kGarbage = kFault == Fault::garbage_result;
  call->result(call->ctx, text(kGarbage ? "\xFF{not json" : R"({"engineVersion":"1.0"})"));
  return DBACKUP_OK;
}

dbackup_status restore(void*, const dbackup_call* call, dbackup_str,
                       const dbackup_reader* in) noexcept {
  std::array<char, 65536> block{};
  for (;;) {
    const int64_t n = in->read(in->ctx, block.data(), block.size());
    if (n == 0) break;
    if (n < 0) {
      call->fail(call->ctx, DBACKUP_ABORTED, text("the stream ended with an error"), text(""));
      return DBACKUP_ABORTED;
    }
  }
  call->result(call->ctx, text("{}"));
  return DBACKUP_OK;
}

constexpr dbackup_source kSource{.struct_size = kFault == Fault::short_table
                                                    ? offsetof(dbackup_source, dump)
                                                    : sizeof(dbackup_source),
                                 .open = &open_source,
                                 .close = &close_source,
                                 .test = &test_source,
                                 .dump = &dump,
                                 .restore = &restore,
                                 .list_databases = &list,
                                 .prepare_restore = nullptr,
                                 .tables = nullptr,
                                 .rows = nullptr};

const void* extension(const char* id) noexcept {
  if (kFault == Fault::no_table || std::strcmp(id, DBACKUP_EXT_SOURCE) != 0) return nullptr;
  return &kSource;
}

constexpr const char* kDescriptor =
    kFault == Fault::no_json
        ? "{\"kind\":\"source\", this is no JSON"
        : "{\"kind\":\"source\",\"id\":\"bad-" DBACKUP_TEXT(DBACKUP_FAULT_ID)
          "\",\"name\":\"Bad source\",\"group\":\"\",\"beta\":false,\"options\":[],\"credentials\":{},"
          "\"capabilities\":{\"extension\":\"sql\",\"listDatabases\":true,\"prepareRestore\":false,"
          "\"tables\":false,\"rows\":false,\"restoreRenamed\":false,\"atomicRestore\":false,"
          "\"stagesLocally\":false,\"combinable\":true}}";

constexpr dbackup_adapter kAdapter{sizeof(dbackup_adapter), DBACKUP_KIND_SOURCE, kId, kDescriptor,
                                   &extension};
constexpr const dbackup_adapter* kAdapters[] = {&kAdapter, &kAdapter};

struct AtStart {
  AtStart() {
    if constexpr (kFault == Fault::start_crash) std::abort();
    if constexpr (kFault == Fault::start_throw) throw_something();
  }
} const at_start;

}  // namespace

extern "C" const dbackup_plugin_entry dbackup_plugin = {
    kFault == Fault::short_entry ? offsetof(dbackup_plugin_entry, adapter_count)
                                 : sizeof(dbackup_plugin_entry),
    kFault == Fault::wrong_major ? DBACKUP_ABI_MAJOR + 1 : DBACKUP_ABI_MAJOR,
    kFault == Fault::newer_minor ? DBACKUP_ABI_MINOR + 41 : DBACKUP_ABI_MINOR,
    kFault == Fault::twin_ids ? 2u : 1u,
    "test.bad",
    "Bad plugin",
    "1.0.0",
    kFault == Fault::null_adapters ? nullptr : kAdapters};
