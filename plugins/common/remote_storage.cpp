#include "common/remote_storage.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace dbackup::plugins {
namespace {

constexpr size_t kDeepest = 200;
constexpr int kTries = 20;  // other operations may remove a folder between two steps of this one

ObjectInfo describe(std::string path, const RemoteEntry& entry) {
  return {.path = std::move(path), .size = entry.size, .modified_ms = entry.modified_ms};
}

bool is_hidden(const std::string& folder) {
  return folder == kTemporaryFolder || folder.starts_with(std::string{kTemporaryFolder} + "/");
}

ObjectPath parse_visible_path(const std::string& path) {
  ObjectPath parsed = parse_object_path(path);
  if (path == kTemporaryFolder || is_hidden(parsed.folder)) {
    throw Error{ErrorCode::InvalidArgument,
                "invalid path \"" + path + "\": such names are kept for unfinished objects"};
  }
  return parsed;
}

/// "<token>.<random>": the dot cannot be part of a token, so "a" does not match what "ab" left.
std::string new_temporary(const std::string& token) {
  std::random_device random;
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = joined(kTemporaryFolder, token + ".");
  for (int i = 0; i < 2; ++i) {
    for (uint32_t bits = random(), n = 0; n < 8; ++n, bits >>= 4U) out += kDigits[bits & 15U];
  }
  return out;
}

/// Makes the folder of an object, outermost part first, and notes what it made.
void ensure_folder(RemoteTree& tree, const std::string& folder, std::vector<std::string>& made) {
  if (folder.empty()) return;
  if (const auto there = tree.look(folder)) {
    if (there->kind == RemoteEntry::Kind::File || there->kind == RemoteEntry::Kind::Other) {
      throw Error{ErrorCode::FailedPrecondition,
                  "\"" + tree.shown(folder) + "\" cannot be used as a folder"};
    }
    return;
  }
  ensure_folder(tree, parent_of(folder), made);
  tree.make_folder(folder);
  made.push_back(folder);
}

void prune(RemoteTree& tree, std::string folder) noexcept {
  try {
    for (; !folder.empty(); folder = parent_of(folder)) {
      if (!tree.remove_empty_folder(folder)) return;
    }
  } catch (const std::exception&) {
    // An empty folder that stays harms nobody.
  }
}

/// A put's temporary object; takes it away again unless it got its name.
class Unfinished {
 public:
  Unfinished(RemoteTree& tree, const std::string& token)
      : tree_{tree}, name_{new_temporary(token)} {}
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    try {
      if (committed_) {
        tree_.committed(name_);
      } else {
        tree_.discard(name_);
      }
    } catch (const std::exception&) {
      // The server is gone; cleanup() finds it by its token.
    }
    if (!committed_ && !made_.empty()) prune(tree_, made_.back());
  }

  RemoteEntry fill(Reader& in) {
    uint64_t sent = 0;
    RemoteEntry stored = tree_.upload(name_, in, sent);
    if (stored.size != sent) {
      throw Error{ErrorCode::DataLoss, "of " + std::to_string(sent) + " bytes the server stored " +
                                           std::to_string(stored.size)};
    }
    return stored;
  }

  void commit(const ObjectPath& path, bool replace) {
    for (int attempt = 1;; ++attempt) {
      try {
        ensure_folder(tree_, path.folder, made_);
        tree_.commit(name_, path.full(), replace);
        committed_ = true;
        return;
      } catch (const Error& error) {
        if (error.code() != ErrorCode::NotFound || attempt == kTries) throw;
      }
    }
  }

 private:
  RemoteTree& tree_;
  std::string name_;
  std::vector<std::string> made_;
  bool committed_ = false;
};

Error taken(const RemoteTree& tree, const std::string& path) {
  return Error{ErrorCode::AlreadyExists, "\"" + tree.shown(path) + "\" already exists"};
}

ObjectInfo store(const Call& call, RemoteTree& tree, const PutRequest& request, Reader& in) {
  const ObjectPath path = parse_visible_path(request.path);
  check_token(request.token);
  // Before the first byte is sent; the commit looks, or the server decides, once more.
  if (!request.replace && tree.look(path.full())) throw taken(tree, path.full());
  Unfinished object{tree, request.token};
  const RemoteEntry stored = object.fill(in);
  call.check_cancelled();
  object.commit(path, request.replace);
  return describe(path.full(), stored);
}

/// False: there is no such folder, as far as the server says.
bool walk(const Call& call, RemoteTree& tree, const std::string& folder, size_t depth,
          const std::function<void(const ObjectInfo&)>& found) {
  // One folder's subfolders are held at a time, and those of its parents: a listing has to end
  // before the next one can begin on the same connection.
  std::vector<std::string> folders;
  const bool is_there = tree.each_entry(folder, [&](const RemoteEntry& entry) {
    call.check_cancelled();
    std::string path = joined(folder, entry.name);
    const auto leave_out = [&](const char* why) {
      call.warning("\"" + tree.shown(path) + "\" is left out: " + why);
    };
    if (!can_be_named(path)) return leave_out("its name is not UTF-8");
    switch (entry.kind) {
      case RemoteEntry::Kind::File:
        if (!is_temporary_name(entry.name)) found(describe(std::move(path), entry));
        return;
      case RemoteEntry::Kind::Folder:
        if (is_hidden(path)) return;
        if (depth >= kDeepest) {
          found({.path = path, .is_unreadable_folder = true});
          return leave_out("too deep");
        }
        folders.push_back(entry.name);
        return;
      case RemoteEntry::Kind::Link:
        return leave_out("it is a link");
      case RemoteEntry::Kind::Other:
        return;
    }
  });
  for (const std::string& name : folders) {
    const std::string path = joined(folder, name);
    std::string why;
    try {
      // Some servers say of a folder that may not be entered what they say of one that is not
      // there, and this one was there just now.
      if (!walk(call, tree, path, depth + 1, found)) why = "it cannot be looked into";
    } catch (const Error& error) {
      if (error.code() != ErrorCode::PermissionDenied) throw;
      why = error.what();
    }
    if (why.empty()) continue;
    call.warning("\"" + tree.shown(path) + "\" is left out: " + why);
    found({.path = path, .is_unreadable_folder = true});
  }
  return is_there;
}

/// A text in memory as a stream, and a stream that keeps its first bytes.
struct TextReader {
  std::string_view left;
  dbackup_reader raw{sizeof(dbackup_reader), this,
                     [](void* ctx, void* buffer, uint64_t size) noexcept -> int64_t {
                       auto& text = static_cast<TextReader*>(ctx)->left;
                       const size_t n = std::min<size_t>(size, text.size());
                       std::memcpy(buffer, text.data(), n);
                       text.remove_prefix(n);
                       return static_cast<int64_t>(n);
                     }};
};

struct TextWriter {
  std::array<char, 256> bytes{};
  size_t size = 0;
  dbackup_writer raw{sizeof(dbackup_writer), this,
                     [](void* ctx, const void* data, uint64_t n) noexcept -> int64_t {
                       auto& me = *static_cast<TextWriter*>(ctx);
                       const size_t kept = std::min<size_t>(n, me.bytes.size() - me.size);
                       std::memcpy(me.bytes.data() + me.size, data, kept);
                       me.size += kept;
                       return static_cast<int64_t>(n);
                     }};
};

}  // namespace

TestResult RemoteStorage::test(Call& call) {
  const auto tree = connect(call);
  const std::string_view content = "connection test\n";
  const std::string path = probe_path(adapter_id_);
  TextReader text{content};
  Reader in{&text.raw};
  store(call, *tree, {.path = path, .token = "connection-test"}, in);
  const auto remove_probe = [&] {
    tree->remove_file(path);
    prune(*tree, parent_of(path));
  };
  try {
    TextWriter back;
    Writer out{&back.raw};
    tree->download(path, {.length = content.size(), .size = content.size()}, out);
    if (std::string_view{back.bytes.data(), back.size} != content) {
      throw Error{ErrorCode::DataLoss,
                  "\"" + tree->shown("") + "\" does not give back what was written"};
    }
  } catch (const std::exception&) {
    try {
      remove_probe();
    } catch (const std::exception&) {  // the first failure is the one to tell
    }
    throw;
  }
  remove_probe();
  return {.message = "Connection successful (Write/Delete verified)" + test_note(*tree)};
}

void RemoteStorage::ping(Call& call) { connect(call)->check_root(); }

ObjectInfo RemoteStorage::put(Call& call, const PutRequest& request, Reader& in) {
  parse_visible_path(request.path);  // before a connection is opened for nothing
  return store(call, *connect(call), request, in);
}

void RemoteStorage::get(Call& call, const std::string& path, uint64_t offset,
                        std::optional<uint64_t> length, Writer& out) {
  parse_visible_path(path);
  const auto tree = connect(call);
  const auto there = tree->look(path);
  if (!there || there->kind != RemoteEntry::Kind::File) {
    throw Error{ErrorCode::NotFound, "no file \"" + tree->shown(path) + "\""};
  }
  if (offset >= there->size) return;
  const uint64_t wanted = std::min(length.value_or(there->size - offset), there->size - offset);
  if (wanted == 0) return;
  if (tree->download(path, {offset, wanted, there->size}, out) != wanted) {
    throw Error{ErrorCode::DataLoss, "\"" + tree->shown(path) + "\" ended before its size"};
  }
}

void RemoteStorage::list(Call& call, const std::string& prefix,
                         const std::function<void(const ObjectInfo&)>& found) {
  const std::string folder = parse_folder_path(prefix);
  const auto tree = connect(call);
  tree->check_root();
  if (is_hidden(folder) || walk(call, *tree, folder, 0, found)) return;
  if (folder.empty() || tree->look(folder)) {
    throw Error{ErrorCode::PermissionDenied, "cannot look into \"" + tree->shown(folder) + "\""};
  }
}

std::optional<ObjectInfo> RemoteStorage::stat(Call& call, const std::string& path) {
  parse_visible_path(path);
  const auto there = connect(call)->look(path);
  if (!there || there->kind != RemoteEntry::Kind::File) return std::nullopt;
  return describe(path, *there);
}

bool RemoteStorage::remove(Call& call, const std::string& path) {
  const ObjectPath parsed = parse_visible_path(path);
  const auto tree = connect(call);
  const auto there = tree->look(path);
  if (!there || there->kind != RemoteEntry::Kind::File || !tree->remove_file(path)) return false;
  prune(*tree, parsed.folder);
  return true;
}

uint64_t RemoteStorage::cleanup(Call& call, const std::string& token) {
  check_token(token);
  const auto tree = connect(call);
  std::vector<std::string> left;
  tree->each_entry(kTemporaryFolder, [&](const RemoteEntry& entry) {
    if (entry.name.starts_with(token + ".")) left.push_back(joined(kTemporaryFolder, entry.name));
  });
  uint64_t removed = 0;
  for (const std::string& temporary : left) {
    call.check_cancelled();
    if (tree->discard(temporary)) ++removed;
  }
  return removed;
}

void RemoteStorage::browse(
    Call& call, const std::string& path,
    const std::function<void(const std::string&, const std::string&)>& folder) {
  const std::string parent = parse_folder_path(path);
  const auto tree = connect(call);
  const bool there = tree->each_entry(parent, [&](const RemoteEntry& entry) {
    call.check_cancelled();
    const std::string child = joined(parent, entry.name);
    if (entry.kind != RemoteEntry::Kind::Folder || is_hidden(child) || !can_be_named(child)) return;
    folder(entry.name, child);
  });
  if (there) return;
  tree->check_root();
  throw Error{ErrorCode::NotFound, "no folder \"" + tree->shown(parent) + "\""};
}

}  // namespace dbackup::plugins
