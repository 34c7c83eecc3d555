#pragma once

#include <sqlite3.h>

#include <common/unique_fd.hpp>
#include <dbackup/call.hpp>
#include <memory>
#include <span>
#include <string>

namespace dbackup::sqlite {

enum class Check { Full, Quick, None };

/// Holds SQLite's exclusive lock on a file, whatever its content, without reading or writing it.
class ExclusiveLock {
 public:
  /// Throws Error{FailedPrecondition} when another connection uses the database: always seen in WAL
  /// mode, in the other modes while it reads or writes.
  explicit ExclusiveLock(const std::string& path);

 private:
  struct Close {
    void operator()(sqlite3* raw) const noexcept { sqlite3_close(raw); }
  };
  std::unique_ptr<sqlite3, Close> raw_;
};

/// A new content for a database: written beside it, checked, then put in its place. Until commit()
/// returns the target is as it was; without it nothing stays.
class Replacement {
 public:
  /// Removes what killed restores of the same target left, and makes a new file, marked by `token`.
  /// Throws Error.
  Replacement(const Call& call, std::string target, const std::string& token);
  ~Replacement();
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  /// Removes what the killed restore with that token left beside `target`; one that still runs
  /// keeps its file. Throws Error.
  static void remove_leftover(const Call& call, const std::string& target,
                              const std::string& token);

  void write(std::span<const std::byte> block);
  /// Makes the file durable and checks that it is a sound database. Throws Error{DataLoss}.
  void check(Check how);
  /// Puts the file in the target's place, with the mode and owner of the file that was there, or of
  /// `model`. Throws Error{FailedPrecondition} when the target is in use.
  void commit(const std::string& model);

 private:
  void remove_leftovers() const;
  bool settle_old() const;
  void inherit_rights(const std::string& model) const;

  Call call_;
  std::string target_;
  std::string folder_;
  std::string path_;  ///< of the new file; "" once it is in place
  plugins::UniqueFd folder_fd_;
  plugins::UniqueFd fd_;
  uint64_t written_ = 0;
  uint64_t flushed_ = 0;
};

}  // namespace dbackup::sqlite
