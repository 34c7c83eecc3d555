#pragma once

#include <dbackup/config.hpp>
#include <dbackup/descriptor.hpp>
#include <dbackup/detail/guard.hpp>

#include <memory>
#include <optional>

namespace dbackup {

/// What a connection test found out. Failures are thrown.
struct TestResult {
  std::string message;
  std::string version = {};
  std::string edition = {};
};

struct DatabaseInfo {
  std::string name;
  std::optional<int64_t> size_bytes = {};
  std::optional<int64_t> table_count = {};
};

struct DumpRequest {
  std::string database;
  bool compressed_by_host = false;  ///< the engine's own compression would be wasted
  Config options = {};              ///< of the job, for example pgCompression
};

struct DumpResult {
  std::string engine_version = {};
  bool already_compressed = false;
};

struct PrivilegedLogin {
  std::string user;
  std::string password;
};

struct RestoreRequest {
  std::string database;       ///< to restore into
  std::string original_name;  ///< under which it was dumped; "" when unknown
  std::string token = {};     ///< marks what this restore makes; letters, digits and '-', at most 36
  std::optional<PrivilegedLogin> privileged = {};
  Config options = {};
};

struct PrepareRestoreRequest {
  std::vector<std::string> databases;
  std::optional<PrivilegedLogin> privileged = {};
};

struct CleanupRestoreRequest {
  std::string database;  ///< that was to be restored into
  std::string token;     ///< of the restore whose process was killed
  std::optional<PrivilegedLogin> privileged = {};
};

/// What is backed up. One instance serves one operation at a time; each concurrent dump has its own.
/// A class may also offer (each declared in SourceCapabilities, found by its signature):
///   void list_databases(Call&, const std::function<void(const DatabaseInfo&)>& found);
///   void prepare_restore(Call&, const PrepareRestoreRequest&);  // throws when it could not succeed
///   void cleanup_restore(Call&, const CleanupRestoreRequest&);  // after a kill -9: see abi.h
///   void tables(Call&, const Config& request, ItemSink&);  // table_page.hpp helps with both
///   void rows(Call&, const Config& request, ItemSink&);
class Source {
 public:
  virtual ~Source() = default;
  /// Throws Error when the source cannot be used as configured.
  virtual TestResult test(Call& call) = 0;
  /// Writes one dump of `request.database`. Returning is the promise that the dump is complete.
  virtual DumpResult dump(Call& call, const DumpRequest& request, Writer& out) = 0;
  /// Restores one dump. When it throws, the target is as it was (or the descriptor says otherwise).
  virtual void restore(Call& call, const RestoreRequest& request, Reader& in) = 0;
};

namespace detail {

inline std::optional<PrivilegedLogin> privileged_login(const Config& request) {
  if (!request.has("privileged")) return std::nullopt;
  const Config login = request.object("privileged");
  return PrivilegedLogin{login.text("user"), login.text("password")};
}

inline Json to_json(const TestResult& result) {
  Json out{{"message", result.message}};
  if (!result.version.empty()) out["version"] = result.version;
  if (!result.edition.empty()) out["edition"] = result.edition;
  return out;
}

template <class T>
concept ListsDatabases = requires(T t, Call& c) {
  t.list_databases(c, [](const DatabaseInfo&) {});
};
template <class T>
concept PreparesRestore = requires(T t, Call& c, const PrepareRestoreRequest& r) {
  t.prepare_restore(c, r);
};
template <class T>
concept CleansUpRestore = requires(T t, Call& c, const CleanupRestoreRequest& r) {
  t.cleanup_restore(c, r);
};
template <class T>
concept HasTables = requires(T t, Call& c, const Config& r, ItemSink& s) { t.tables(c, r, s); };
template <class T>
concept HasRows = requires(T t, Call& c, const Config& r, ItemSink& s) { t.rows(c, r, s); };

template <class T>
dbackup_status open_instance(dbackup_str config, const dbackup_call* call, void** out) noexcept {
  *out = nullptr;
  return guard(call, [&](Call&) {
    *out = static_cast<T*>(std::make_unique<T>(Config::parse(view(config))).release());
  });
}
template <class T>
void close_instance(void* self) noexcept {
  delete static_cast<T*>(self);
}
template <class T>
dbackup_status test_instance(void* self, const dbackup_call* call, dbackup_str) noexcept {
  return guard(call, [&](Call& c) { answer(c, to_json(static_cast<T*>(self)->test(c))); });
}

template <class T>
dbackup_source make_source_table() noexcept {
  dbackup_source table{};
  table.struct_size = sizeof(dbackup_source);
  table.open = &open_instance<T>;
  table.close = &close_instance<T>;
  table.test = &test_instance<T>;
  table.dump = [](void* self, const dbackup_call* call, dbackup_str text,
                  const dbackup_writer* raw) noexcept {
    return guard(call, [&](Call& c) {
      const Config request = Config::parse(view(text));
      Writer out{raw};
      const DumpResult result = static_cast<T*>(self)->dump(
          c,
          {.database = request.text("database"),
           .compressed_by_host = request.flag_or("compressedByHost", false),
           .options = request.object("options")},
          out);
      answer(c, {{"engineVersion", result.engine_version},
                 {"alreadyCompressed", result.already_compressed}});
    });
  };
  table.restore = [](void* self, const dbackup_call* call, dbackup_str text,
                     const dbackup_reader* raw) noexcept {
    return guard(call, [&](Call& c) {
      const Config request = Config::parse(view(text));
      Reader in{raw};
      static_cast<T*>(self)->restore(c,
                                     {.database = request.text("database"),
                                      .original_name = request.text("originalName"),
                                      .token = request.text("token"),
                                      .privileged = privileged_login(request),
                                      .options = request.object("options")},
                                     in);
      answer(c, Json::object());
    });
  };
  if constexpr (ListsDatabases<T>) {
    table.list_databases = [](void* self, const dbackup_call* call, dbackup_str,
                              const dbackup_item_sink* raw) noexcept {
      return guard(call, [&](Call& c) {
        ItemSink sink{raw};
        static_cast<T*>(self)->list_databases(c, [&](const DatabaseInfo& found) {
          Json item{{"name", found.name}};
          if (found.size_bytes) item["sizeInBytes"] = *found.size_bytes;
          if (found.table_count) item["tableCount"] = *found.table_count;
          sink.item(item);
        });
        answer(c, Json::object());
      });
    };
  }
  if constexpr (PreparesRestore<T>) {
    table.prepare_restore = [](void* self, const dbackup_call* call, dbackup_str text) noexcept {
      return guard(call, [&](Call& c) {
        const Config request = Config::parse(view(text));
        static_cast<T*>(self)->prepare_restore(
            c, {.databases = request.list("databases"), .privileged = privileged_login(request)});
        answer(c, Json::object());
      });
    };
  }
  if constexpr (HasTables<T>) {
    table.tables = [](void* self, const dbackup_call* call, dbackup_str text,
                      const dbackup_item_sink* raw) noexcept {
      return guard(call, [&](Call& c) {
        ItemSink sink{raw};
        static_cast<T*>(self)->tables(c, Config::parse(view(text)), sink);
        answer(c, Json::object());
      });
    };
  }
  if constexpr (HasRows<T>) {
    table.rows = [](void* self, const dbackup_call* call, dbackup_str text,
                    const dbackup_item_sink* raw) noexcept {
      return guard(call, [&](Call& c) {
        ItemSink sink{raw};
        static_cast<T*>(self)->rows(c, Config::parse(view(text)), sink);
        answer(c, Json::object());
      });
    };
  }
  if constexpr (CleansUpRestore<T>) {
    table.cleanup_restore = [](void* self, const dbackup_call* call, dbackup_str text) noexcept {
      return guard(call, [&](Call& c) {
        const Config request = Config::parse(view(text));
        static_cast<T*>(self)->cleanup_restore(c, {.database = request.text("database"),
                                                   .token = request.text("token"),
                                                   .privileged = privileged_login(request)});
        answer(c, Json::object());
      });
    };
  }
  return table;
}

template <class T>
inline const dbackup_source kSourceTable = make_source_table<T>();

template <class T>
const void* source_extension(const char* id) noexcept {
  return std::string_view{id} == DBACKUP_EXT_SOURCE ? &kSourceTable<T> : nullptr;
}

}  // namespace detail

/// The table entry of a source adapter, for DBACKUP_PLUGIN. One class may serve several adapters: give
/// each its own `Tag`. Static storage.
template <class T, class Tag = T>
const dbackup_adapter* source(const AdapterInfo& info, const SourceCapabilities& capabilities) {
  static detail::AdapterHolder holder;
  Json descriptor = detail::base_descriptor("source", info);
  descriptor["capabilities"] = detail::capabilities_json(capabilities);
  holder.descriptor = to_text(descriptor);
  holder.adapter = {sizeof(dbackup_adapter), DBACKUP_KIND_SOURCE, info.id,
                    holder.descriptor.c_str(), &detail::source_extension<T>};
  return &holder.adapter;
}

}  // namespace dbackup
