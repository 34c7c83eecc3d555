#pragma once

#include <common/object_path.hpp>
#include <dbackup/storage.hpp>
#include <memory>

// Storages on servers that keep a tree of folders and files (SFTP, FTP, WebDAV) differ in how they
// name, move and list; what a put, a list or a cleanup is made of is the same. Below the configured
// prefix:
//
//   <path of the object>              complete objects
//   .dbackup/tmp/<token>.<random>…    puts under way; hidden from lists, found by cleanup(token)
//   .dbackup/test/connection-test-…   probes

namespace dbackup::plugins {

inline constexpr const char* kTemporaryFolder = ".dbackup/tmp";

struct RemoteEntry {
  enum class Kind { File, Folder, Link, Other };

  std::string name;  ///< the last part of its path
  Kind kind = Kind::File;
  uint64_t size = 0;
  int64_t modified_ms = 0;
};

/// Bytes of an object that has `size` of them.
struct RemotePart {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t size = 0;
};

/// One login on a server, for one operation. Paths are relative to the configured prefix, checked
/// by the caller, with '/'; "" is the prefix itself. Every function may throw Error{Unavailable}
/// when the server is gone and Error{Cancelled}. Used by one thread.
class RemoteTree {
 public:
  virtual ~RemoteTree() = default;

  /// Throws an Error that explains it when the prefix is no folder that can be used.
  virtual void check_root() = 0;
  /// What is there under that name, a link as such; nullopt: nothing.
  virtual std::optional<RemoteEntry> look(const std::string& path) = 0;
  /// Calls `found` for each entry of a folder. False: no such folder.
  virtual bool each_entry(const std::string& folder,
                          const std::function<void(const RemoteEntry&)>& found) = 0;
  /// One folder whose parent exists; one that is there already is no error. Error{NotFound} when
  /// the parent went away.
  virtual void make_folder(const std::string& path) = 0;
  /// Removes a folder only when it is empty; false when it stays. Never throws for a refusal.
  virtual bool remove_empty_folder(const std::string& path) = 0;
  /// False: it was not there.
  virtual bool remove_file(const std::string& path) = 0;

  /// Stores all of `in` under `temporary`, a name below kTemporaryFolder that nothing has; that
  /// folder may have to be made. Returns what the server then says is there, when it is durable.
  virtual RemoteEntry upload(const std::string& temporary, Reader& in, uint64_t& sent) = 0;
  /// Gives a temporary object its name in a folder that exists. Error{AlreadyExists} when the name
  /// is taken and `replace` is not asked for, {NotFound} when the folder went away.
  virtual void commit(const std::string& temporary, const std::string& path, bool replace) = 0;
  /// Removes all that belongs to `temporary`; false when there was nothing. Also asked for within
  /// the half second that a cancelled operation has left: then it has to be quick or to give up.
  virtual bool discard(const std::string& temporary) = 0;
  /// After a commit: removes what the temporary name still holds, where it is more than a file.
  virtual void committed(const std::string& temporary) { (void)temporary; }
  /// Writes `part.length` bytes from `part.offset`, which lie inside the object; the number
  /// written.
  virtual uint64_t download(const std::string& path, const RemotePart& part, Writer& out) = 0;
  /// "host:/prefix/path" or alike, for messages.
  virtual std::string shown(const std::string& path) const = 0;
};

/// The operations of a storage over a RemoteTree. A put shows nothing before all bytes are on the
/// server and their number was checked; parents are made only then, so that one that fails leaves
/// no folders.
class RemoteStorage : public Storage {
 public:
  explicit RemoteStorage(std::string adapter_id) : adapter_id_{std::move(adapter_id)} {}

  TestResult test(Call& call) override;
  void ping(Call& call) override;
  ObjectInfo put(Call& call, const PutRequest& request, Reader& in) override;
  void get(Call& call, const std::string& path, uint64_t offset, std::optional<uint64_t> length,
           Writer& out) override;
  void list(Call& call, const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& found) override;
  std::optional<ObjectInfo> stat(Call& call, const std::string& path) override;
  bool remove(Call& call, const std::string& path) override;
  uint64_t cleanup(Call& call, const std::string& token) override;
  void browse(Call& call, const std::string& path,
              const std::function<void(const std::string&, const std::string&)>& folder);

 protected:
  virtual std::unique_ptr<RemoteTree> connect(const Call& call) const = 0;
  /// What a successful test adds to its message.
  virtual std::string test_note(const RemoteTree&) const { return ""; }

 private:
  std::string adapter_id_;
};

}  // namespace dbackup::plugins
