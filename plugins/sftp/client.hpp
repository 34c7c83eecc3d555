#pragma once

#include <dbackup/exec.hpp>
#include <deque>
#include <set>

#include "wire.hpp"

namespace dbackup::sftp {

/// The answer to one request. `body` is what follows the id; valid until the next one is asked for.
struct Reply {
  Type type;
  uint32_t id;
  std::string_view body;
};

/// One SFTP session over the byte streams of a process. Used by one thread, without a deadlock: all
/// answers to the writes in flight, and all requests for the reads in flight, fit into the smallest
/// pipe, so that neither side ever waits for the other to read.
class Client {
 public:
  /// Opens the subsystem and greets. `server` is its name in messages ("host:22").
  Client(const Call& call, std::string server);

  const Call& call() const noexcept { return call_; }
  const std::string& server() const noexcept { return server_; }
  bool offers(const std::string& extension) const { return extensions_.contains(extension); }
  /// The most bytes one READ or WRITE may carry (limits@openssh.com; 32 KiB without).
  size_t largest_write() const noexcept { return largest_write_; }
  size_t largest_read() const noexcept { return largest_read_; }

  uint32_t next_id() noexcept { return ++last_id_; }
  void send(std::string_view packet);
  /// The next answer of the server, to whatever request.
  Reply receive();
  /// The answer to the request `id`. Answers to others are dropped: those of a transfer that was
  /// given up.
  Reply receive(uint32_t id);

  /// Sends a request made of one path and waits for the answer.
  Reply ask(Type type, std::string_view path);
  /// The STATUS code of an answer. Any other packet is an Error{Unavailable}.
  static Code status_of(const Reply& reply);

  /// "lstat" or "stat"; nullopt when there is nothing.
  std::optional<Attributes> attributes(Type type, const std::string& path);
  std::string real_path(const std::string& path);
  /// A handle of an opened file or folder.
  std::string expect_handle(const Reply& reply, const std::string& what);
  void close(const std::string& handle);
  void expect_ok(const Reply& reply, const std::string& what) const;
  /// The error for a STATUS with `code`, as "<what>: <reason>".
  static Error failure(Code code, const std::string& what);
  /// Has the file system that holds `path` no room left? False where the server cannot tell.
  bool is_full(const std::string& path);

 private:
  void greet();
  void learn_limits();
  void fill(size_t wanted);
  [[noreturn]] void lost();

  const Call call_;
  std::string server_;
  Process process_;
  std::set<std::string> extensions_;
  size_t largest_write_ = size_t{32} * 1024;
  size_t largest_read_ = size_t{32} * 1024;
  uint32_t last_id_ = 0;
  std::string buffer_;
  size_t begin_ = 0;  ///< of the bytes in `buffer_` not yet used
  size_t end_ = 0;
};

}  // namespace dbackup::sftp
