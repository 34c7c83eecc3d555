#include "sftp_tree.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "transfer.hpp"

namespace dbackup::sftp {
namespace {

using plugins::RemoteEntry;

constexpr uint32_t kFileMode = 0640;
constexpr uint32_t kFolderMode = 0750;

RemoteEntry describe(std::string name, const Attributes& attributes, char listed_type = '-') {
  RemoteEntry out{.name = std::move(name),
                  .size = attributes.size,
                  .modified_ms = int64_t{attributes.modified} * 1000};
  uint32_t type = attributes.permissions & S_IFMT;
  if (type == 0) {  // a server that gives no type shows it in the line for people
    type = listed_type == 'd' ? S_IFDIR : listed_type == 'l' ? S_IFLNK : S_IFREG;
  }
  out.kind = type == S_IFREG   ? RemoteEntry::Kind::File
             : type == S_IFDIR ? RemoteEntry::Kind::Folder
             : type == S_IFLNK ? RemoteEntry::Kind::Link
                               : RemoteEntry::Kind::Other;
  return out;
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Closes a handle in every case; what a close says matters only where the file was written.
class OpenHandle {
 public:
  OpenHandle(Client& client, std::string handle) : client_{client}, handle_{std::move(handle)} {}
  OpenHandle(const OpenHandle&) = delete;
  OpenHandle& operator=(const OpenHandle&) = delete;
  ~OpenHandle() {
    if (handle_.empty()) return;
    try {
      client_.close(handle_);
    } catch (const std::exception&) {  // nothing depends on it
    }
  }
  const std::string& get() const noexcept { return handle_; }
  void forget() noexcept { handle_.clear(); }

 private:
  Client& client_;
  std::string handle_;
};

}  // namespace

SftpTree::SftpTree(const Call& call, const std::string& server, std::string prefix)
    : client_{call, server}, prefix_{std::move(prefix)} {
  while (prefix_.size() > 1 && prefix_.ends_with('/')) prefix_.pop_back();
}

std::string SftpTree::remote(const std::string& path) const {
  if (path.empty()) return prefix_.empty() ? "." : prefix_;
  // "./": a name that begins with "~" or "-" is nothing special then.
  if (prefix_.empty()) return "./" + path;
  return prefix_.ends_with('/') ? prefix_ + path : prefix_ + "/" + path;
}

std::string SftpTree::shown(const std::string& path) const {
  return client_.server() + ":" + remote(path);
}

void SftpTree::check_root() {
  const auto found = client_.attributes(Type::Stat, remote(""));
  if (!found) throw Error{ErrorCode::NotFound, missing_root()};
  if (describe("", *found, 'd').kind != RemoteEntry::Kind::Folder) {
    throw Error{ErrorCode::FailedPrecondition, "\"" + shown("") + "\" is not a folder"};
  }
}

/// Why the prefix is not there, for a person: the first part that is missing, where the login
/// begins and what lies there, and the shorter path that a confined account would need.
std::string SftpTree::missing_root() {
  std::string text = "\"pathPrefix\" does not exist on " + client_.server() + ": ";
  for (size_t end = prefix_.find('/', 1);; end = prefix_.find('/', end + 1)) {
    const std::string so_far = prefix_.substr(0, end);
    std::optional<Attributes> there;
    try {
      there = client_.attributes(Type::Stat, so_far);
    } catch (const Error&) {  // a parent that may not be looked at
    }
    if (!there || end == std::string::npos) {
      text += "no \"" + so_far + "\"";
      break;
    }
  }
  const std::string login = client_.real_path(".");
  text += "; the login begins in \"" + login + "\"";
  std::string folders;
  size_t count = 0;
  const Reply opened = client_.ask(Type::OpenDir, ".");
  if (opened.type == Type::Handle) {
    const OpenHandle handle{client_, std::string{Fields{opened.body}.text()}};
    const Reply names = client_.ask(Type::ReadDir, handle.get());
    Fields in{names.body};
    for (uint32_t left = names.type == Type::Name ? in.u32() : 0; left > 0; --left) {
      const std::string name{in.text()};
      const std::string_view line = in.text();
      const Attributes attributes = Attributes::read(in);
      const char type = line.empty() ? '-' : line.front();
      if (name.starts_with('.') ||
          describe(name, attributes, type).kind != RemoteEntry::Kind::Folder || ++count > 10) {
        continue;
      }
      folders += (folders.empty() ? "" : ", ") + name;
    }
  }
  text += folders.empty() ? ", which shows no folders" : ", with the folders: " + folders;
  // A confined account sees "/home/user/backups" as "/backups".
  for (size_t cut = prefix_.find('/', 1); cut != std::string::npos;
       cut = prefix_.find('/', cut + 1)) {
    const std::string shorter = prefix_.substr(cut);
    if (client_.attributes(Type::Stat, shorter)) {
      return text + ". \"" + shorter +
             "\" exists: the account may be confined to a folder, try \"" + shorter +
             "\" as \"pathPrefix\"";
    }
  }
  return text;
}

std::optional<RemoteEntry> SftpTree::look(const std::string& path) {
  const auto found = client_.attributes(Type::Lstat, remote(path));
  if (!found) return std::nullopt;
  return describe(last_part(path), *found);
}

bool SftpTree::each_entry(const std::string& folder,
                          const std::function<void(const RemoteEntry&)>& found) {
  const Reply opened = client_.ask(Type::OpenDir, remote(folder));
  if (opened.type == Type::Status) {
    const Code code = Client::status_of(opened);
    if (code == Code::NoSuchFile) return false;
    if (code == Code::Failure) {  // ENOTDIR has no code of its own
      const auto there = look(folder);
      if (!there || there->kind != RemoteEntry::Kind::Folder) return false;
    }
  }
  const OpenHandle handle{client_,
                          client_.expect_handle(opened, "cannot list \"" + shown(folder) + "\"")};
  for (;;) {
    client_.call().check_cancelled();
    const Reply reply = client_.ask(Type::ReadDir, handle.get());
    if (reply.type != Type::Name) {
      const Code code = Client::status_of(reply);
      if (code == Code::Eof) return true;
      throw Client::failure(code, "cannot list \"" + shown(folder) + "\"");
    }
    Fields in{reply.body};
    for (uint32_t left = in.u32(); left > 0; --left) {
      std::string name{in.text()};
      const std::string_view line = in.text();
      const Attributes attributes = Attributes::read(in);
      if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        continue;
      }
      found(describe(std::move(name), attributes, line.empty() ? '-' : line.front()));
    }
  }
}

void SftpTree::make_folder(const std::string& path) {
  const uint32_t id = client_.next_id();
  client_.send(
      Packet{Type::MakeDir, id}.text(remote(path)).u32(kAttrPermissions).u32(kFolderMode).take());
  const Code code = Client::status_of(client_.receive(id));
  if (code == Code::Ok) return;
  if (code == Code::Failure && client_.attributes(Type::Stat, remote(path))) return;
  throw Client::failure(code, "cannot make \"" + shown(path) + "\"");
}

bool SftpTree::remove_empty_folder(const std::string& path) {
  return Client::status_of(client_.ask(Type::RemoveDir, remote(path))) == Code::Ok;
}

bool SftpTree::remove_file(const std::string& path) {
  const Code code = Client::status_of(client_.ask(Type::Remove, remote(path)));
  if (code == Code::Ok) return true;
  if (code == Code::NoSuchFile) return false;
  throw Client::failure(code, "cannot remove \"" + shown(path) + "\"");
}

std::string SftpTree::create(const std::string& temporary) {
  const std::string what = "cannot create a file in \"" + shown(plugins::kTemporaryFolder) + "\"";
  const auto open = [&]() -> std::optional<std::string> {
    const uint32_t id = client_.next_id();
    client_.send(Packet{Type::Open, id}
                     .text(remote(temporary))
                     .u32(kOpenWrite | kOpenCreate | kOpenExclusive)
                     .u32(kAttrPermissions)
                     .u32(kFileMode)
                     .take());
    const Reply reply = client_.receive(id);
    if (reply.type == Type::Status && Client::status_of(reply) == Code::NoSuchFile) {
      return std::nullopt;
    }
    return client_.expect_handle(reply, what);
  };
  if (auto handle = open()) return *handle;
  check_root();  // the prefix is never made: a wrong one has to be noticed
  make_folder(plugins::parent_of(plugins::kTemporaryFolder));
  make_folder(plugins::kTemporaryFolder);
  if (auto handle = open()) return *handle;
  throw Client::failure(Code::NoSuchFile, what);
}

RemoteEntry SftpTree::upload(const std::string& temporary, Reader& in, uint64_t& sent) {
  OpenHandle handle{client_, create(temporary)};
  try {
    sent = write_file(client_, handle.get(), in, shown(temporary));
    // The three are asked for at once; a server may report a full quota at any of them.
    const bool syncs = client_.offers("fsync@openssh.com");
    const uint32_t sync_id = client_.next_id();
    if (syncs) {
      client_.send(
          Packet{Type::Extended, sync_id}.text("fsync@openssh.com").text(handle.get()).take());
    }
    const uint32_t stat_id = client_.next_id();
    client_.send(Packet{Type::Fstat, stat_id}.text(handle.get()).take());
    const uint32_t close_id = client_.next_id();
    client_.send(Packet{Type::Close, close_id}.text(handle.get()).take());
    handle.forget();
    if (syncs)
      client_.expect_ok(client_.receive(sync_id), "cannot sync \"" + shown(temporary) + "\"");
    const Reply reply = client_.receive(stat_id);
    if (reply.type != Type::Attributes) {
      throw Client::failure(Client::status_of(reply),
                            "cannot look at \"" + shown(temporary) + "\"");
    }
    Fields fields{reply.body};
    const RemoteEntry stored = describe(last_part(temporary), Attributes::read(fields));
    client_.expect_ok(client_.receive(close_id), "cannot close \"" + shown(temporary) + "\"");
    return stored;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::FailedPrecondition || !client_.is_full(remote(""))) throw;
    throw Error{ErrorCode::ResourceExhausted, "\"" + shown("") + "\" is full", error.what()};
  }
}

Code SftpTree::rename(const std::string& from, const std::string& to) {
  const uint32_t id = client_.next_id();
  client_.send(Packet{Type::Rename, id}.text(remote(from)).text(remote(to)).take());
  return Client::status_of(client_.receive(id));
}

void SftpTree::commit(const std::string& temporary, const std::string& path, bool replace) {
  const std::string what = "cannot name \"" + shown(path) + "\"";
  const auto extended = [&](const char* name) {
    const uint32_t id = client_.next_id();
    client_.send(
        Packet{Type::Extended, id}.text(name).text(remote(temporary)).text(remote(path)).take());
    return Client::status_of(client_.receive(id));
  };
  if (replace) {
    if (!client_.offers("posix-rename@openssh.com")) {
      throw Error{ErrorCode::Unimplemented, client_.server() +
                                                " cannot replace a file in one step: it lacks "
                                                "posix-rename@openssh.com"};
    }
    const Code code = extended("posix-rename@openssh.com");
    if (code != Code::Ok) throw Client::failure(code, what);
    return;
  }
  // A second name is refused by the kernel when it is taken, whoever races for it.
  Code code = Code::Unsupported;
  if (client_.offers("hardlink@openssh.com")) {
    code = extended("hardlink@openssh.com");
    if (code == Code::Ok) {
      remove_file(temporary);
      return;
    }
  }
  if (code != Code::NoSuchFile) {
    if (look(path)) throw Error{ErrorCode::AlreadyExists, "\"" + shown(path) + "\" already exists"};
    // A file system without links. The draft has RENAME refuse a name that is taken (section 6.5).
    code = rename(temporary, path);
  }
  if (code == Code::Ok) return;
  if (code == Code::Failure && look(path)) {
    throw Error{ErrorCode::AlreadyExists, "\"" + shown(path) + "\" already exists"};
  }
  throw Client::failure(code, what);
}

uint64_t SftpTree::download(const std::string& path, const plugins::RemotePart& part, Writer& out) {
  const uint32_t id = client_.next_id();
  client_.send(Packet{Type::Open, id}.text(remote(path)).u32(kOpenRead).u32(0).take());
  const std::string what = "cannot open \"" + shown(path) + "\"";
  const OpenHandle handle{client_, client_.expect_handle(client_.receive(id), what)};
  return read_file(client_, handle.get(), part.offset, part.length, out, shown(path));
}

}  // namespace dbackup::sftp
