#pragma once

#include <dbackup/source.hpp>

#include <functional>

namespace dbackup {

/// One stored object. `path` is relative to the adapter's root, with '/', without a leading slash.
struct ObjectInfo {
  std::string path;
  uint64_t size = 0;
  int64_t modified_ms = 0;  ///< milliseconds since 1970, UTC
  std::string storage_class = {};
  /// In lists: no object, but a folder that cannot be looked into. What lies below `path` is then not
  /// known, which is not the same as gone.
  bool is_unreadable_folder = false;
};

struct PutRequest {
  std::string path;
  /// Marks everything temporary this put makes, so that cleanup(token) finds what a crash left.
  std::string token;
  /// Take the place of an object of that path, in one step: at every instant a reader finds the old
  /// one or the new one. Asked only of storages whose descriptor says `atomic_replace`, and only for
  /// the side files of backups.
  bool replace = false;
};

/// Where backups are stored. Paths are relative; one that is absolute, has a ".." part or leaves the
/// root by a link is Error{InvalidArgument} or Error{PermissionDenied}, never followed. A class may also
/// offer `void browse(Call&, const std::string& path, const std::function<void(const std::string& name,
/// const std::string& path)>& folder)`.
class Storage {
 public:
  virtual ~Storage() = default;
  /// Writes, reads back and removes a probe under ".dbackup/test/". Throws Error when it cannot.
  virtual TestResult test(Call& call) = 0;
  /// Reaches the storage and writes nothing.
  virtual void ping(Call& call) = 0;
  /// Stores `in` as `request.path`, creating parents. Visible only when complete and durable; nothing
  /// stays when it throws. Error{AlreadyExists} when the path is taken and `replace` is not asked for.
  virtual ObjectInfo put(Call& call, const PutRequest& request, Reader& in) = 0;
  /// Writes `length` bytes from `offset` (nullopt: to the end). Error{NotFound} when there is no such
  /// object. An offset at or after the end writes nothing.
  virtual void get(Call& call, const std::string& path, uint64_t offset,
                   std::optional<uint64_t> length, Writer& out) = 0;
  /// Every object below `prefix` ("" = all), recursively; temporary objects of puts under way are not
  /// shown. A missing folder is an empty list; an unreachable root throws. A list that ends well is taken
  /// for all there is: what could not be seen is named (is_unreadable_folder) or thrown.
  virtual void list(Call& call, const std::string& prefix,
                    const std::function<void(const ObjectInfo&)>& found) = 0;
  /// nullopt when there is no such object.
  virtual std::optional<ObjectInfo> stat(Call& call, const std::string& path) = 0;
  /// Removes an object; true when it was there. Empty parent folders may go with it.
  virtual bool remove(Call& call, const std::string& path) = 0;
  /// Removes what a crashed put with this token left; the number of objects removed.
  virtual uint64_t cleanup(Call& call, const std::string& token) = 0;
};

namespace detail {

inline Json to_json(const ObjectInfo& info) {
  if (info.is_unreadable_folder) return {{"path", info.path}, {"unreadable", true}};
  Json out{{"path", info.path}, {"size", info.size}, {"modifiedMs", info.modified_ms}};
  if (!info.storage_class.empty()) out["storageClass"] = info.storage_class;
  return out;
}

template <class T>
concept Browses = requires(T t, Call& c, const std::string& p) {
  t.browse(c, p, [](const std::string&, const std::string&) {});
};

template <class T>
dbackup_storage make_storage_table() noexcept {
  dbackup_storage table{};
  table.struct_size = sizeof(dbackup_storage);
  table.open = &open_instance<T>;
  table.close = &close_instance<T>;
  table.test = &test_instance<T>;
  table.ping = [](void* self, const dbackup_call* call, dbackup_str) noexcept {
    return guard(call, [&](Call& c) {
      static_cast<T*>(self)->ping(c);
      answer(c, Json::object());
    });
  };
  table.put = [](void* self, const dbackup_call* call, dbackup_str text,
                 const dbackup_reader* raw) noexcept {
    return guard(call, [&](Call& c) {
      const Config request = Config::parse(view(text));
      Reader in{raw};
      answer(c, to_json(static_cast<T*>(self)->put(c,
                                                   {.path = request.required("path"),
                                                    .token = request.required("token"),
                                                    .replace = request.flag_or("replace", false)},
                                                   in)));
    });
  };
  table.get = [](void* self, const dbackup_call* call, dbackup_str text,
                 const dbackup_writer* raw) noexcept {
    return guard(call, [&](Call& c) {
      const Config request = Config::parse(view(text));
      Writer out{raw};
      const int64_t offset = request.integer_or("offset", 0);
      if (offset < 0) throw Error{ErrorCode::InvalidArgument, "\"offset\" must not be negative"};
      const int64_t length = request.integer_or("length", -1);
      static_cast<T*>(self)->get(c, request.required("path"), static_cast<uint64_t>(offset),
                                 length < 0 ? std::nullopt
                                            : std::optional{static_cast<uint64_t>(length)},
                                 out);
      answer(c, Json::object());
    });
  };
  table.list = [](void* self, const dbackup_call* call, dbackup_str text,
                  const dbackup_item_sink* raw) noexcept {
    return guard(call, [&](Call& c) {
      ItemSink sink{raw};
      static_cast<T*>(self)->list(c, Config::parse(view(text)).text("prefix"),
                                  [&](const ObjectInfo& found) { sink.item(to_json(found)); });
      answer(c, Json::object());
    });
  };
  table.stat = [](void* self, const dbackup_call* call, dbackup_str text) noexcept {
    return guard(call, [&](Call& c) {
      const std::string path = Config::parse(view(text)).required("path");
      const auto found = static_cast<T*>(self)->stat(c, path);
      answer(c, found ? Json{{"exists", true}, {"object", to_json(*found)}}
                      : Json{{"exists", false}});
    });
  };
  table.remove = [](void* self, const dbackup_call* call, dbackup_str text) noexcept {
    return guard(call, [&](Call& c) {
      const bool removed =
          static_cast<T*>(self)->remove(c, Config::parse(view(text)).required("path"));
      answer(c, {{"removed", removed}});
    });
  };
  table.cleanup = [](void* self, const dbackup_call* call, dbackup_str text) noexcept {
    return guard(call, [&](Call& c) {
      const uint64_t removed =
          static_cast<T*>(self)->cleanup(c, Config::parse(view(text)).required("token"));
      answer(c, {{"removed", removed}});
    });
  };
  if constexpr (Browses<T>) {
    table.browse = [](void* self, const dbackup_call* call, dbackup_str text,
                      const dbackup_item_sink* raw) noexcept {
      return guard(call, [&](Call& c) {
        ItemSink sink{raw};
        static_cast<T*>(self)->browse(c, Config::parse(view(text)).text("path"),
                                      [&](const std::string& name, const std::string& path) {
                                        sink.item({{"name", name}, {"path", path}});
                                      });
        answer(c, Json::object());
      });
    };
  }
  return table;
}

template <class T>
inline const dbackup_storage kStorageTable = make_storage_table<T>();

template <class T>
const void* storage_extension(const char* id) noexcept {
  return std::string_view{id} == DBACKUP_EXT_STORAGE ? &kStorageTable<T> : nullptr;
}

}  // namespace detail

/// The table entry of a storage adapter, for DBACKUP_PLUGIN. Static storage.
template <class T, class Tag = T>
const dbackup_adapter* storage(const AdapterInfo& info, const StorageCapabilities& capabilities) {
  static detail::AdapterHolder holder;
  Json descriptor = detail::base_descriptor("storage", info);
  descriptor["capabilities"] = detail::capabilities_json(capabilities);
  holder.descriptor = to_text(descriptor);
  holder.adapter = {sizeof(dbackup_adapter), DBACKUP_KIND_STORAGE, info.id,
                    holder.descriptor.c_str(), &detail::storage_extension<T>};
  return &holder.adapter;
}

}  // namespace dbackup
