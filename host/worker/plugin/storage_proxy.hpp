#pragma once

#include <functional>
#include <optional>
#include <string>

#include "worker/plugin/adapter_instance.hpp"

namespace dbackup::host {

/// One stored object, as a storage plugin describes it.
struct StoredObject {
  std::string path;
  uint64_t size = 0;
  int64_t modified_ms = 0;
  std::string storage_class;
  std::string sha256;  ///< hexadecimal, where the storage computes one itself; else empty
  bool is_unreadable_folder = false;  ///< of lists: what lies below it is not known
};

/// A storage plugin's instance. One call at a time, on any thread.
class StorageProxy : public AdapterInstance<dbackup_storage> {
 public:
  StorageProxy(const protocol::AdapterRef& ref, Journal& journal, CancelToken cancel);

  /// {message, version?, edition?}
  Json test() { return ask(table().test, Json::object()); }
  void ping() { ask(table().ping, Json::object()); }

  /// Stores `source`. Throws the source's own error when that failed. When it returns, the plugin
  /// says that it committed; whether it read to the end is to be asked of `source`.
  StoredObject put(const std::string& path, const std::string& token, ByteSource& source);
  /// Whether put_text() may take an existing object's place in one step.
  bool can_replace() const noexcept { return atomic_replace_; }
  enum class Existing { Refuse, Replace };
  /// Stores a short text. Replace only where can_replace().
  void put_text(const std::string& path, const std::string& token, std::string_view text,
                Existing existing = Existing::Refuse);
  /// Writes the bytes [offset, offset + length) to `sink`, which is not finished; nullopt: to the
  /// end. Works whether or not the plugin reads ranges. Returns how many bytes came.
  uint64_t get(const std::string& path, uint64_t offset, std::optional<uint64_t> length,
               ByteSink& sink);
  void list(const std::string& prefix, const std::function<void(const StoredObject&)>& found);
  /// The folders directly below `path` ("": the root). Error{Unimplemented} when the adapter does
  /// not offer it.
  void browse(const std::string& path,
              const std::function<void(const std::string& name, const std::string& path)>& found);
  std::optional<StoredObject> stat(const std::string& path);
  bool remove(const std::string& path);
  uint64_t cleanup(const std::string& token);

 private:
  StoredObject put(const Json& request, ByteSource& source);
  StoredObject parse_object(const Json& json) const;

  bool ranged_get_ = false;
  bool atomic_replace_ = false;
};

}  // namespace dbackup::host
