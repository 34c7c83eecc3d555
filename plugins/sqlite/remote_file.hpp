#pragma once

#include <dbackup/exec.hpp>
#include <dbackup/source.hpp>
#include <dbackup/table_page.hpp>

#include "replacement.hpp"

namespace dbackup::sqlite {

/// A word of one of sqlite3's dot-commands.
std::string dot_word(const std::string& word);

/// Throws what sqlite3 says about the file.
[[noreturn]] void failed(const std::string& path, const ExitStatus& status);

/// One SQLite file on another machine, through the sqlite3 program there. Every path and every
/// statement is one word of an argument vector; names and texts inside statements are quoted here.
class RemoteFile {
 public:
  /// Throws Error{InvalidArgument} for a path or a program's name that could not work.
  explicit RemoteFile(const Config& config);

  const std::string& name() const noexcept { return name_; }

  TestResult test(Call& call) const;
  /// A copy made there by SQLite itself, then fetched.
  DumpResult dump(Call& call, Writer& out) const;
  void describe(Call& call, const std::function<void(const DatabaseInfo&)>& found) const;
  void tables(Call& call, ItemSink& sink) const;
  void rows(Call& call, const RowsRequest& request, ItemSink& sink) const;

  void prepare_restore(Call& call, const std::string& name) const;
  /// Beside the target under a temporary name, checked, then renamed over it. `head` was read
  /// already.
  void restore(Call& call, const RestoreRequest& request, std::span<const std::byte> head,
               Reader& in, Check check) const;
  void cleanup_restore(Call& call, const std::string& name, const std::string& token) const;

 private:
  using Row = std::vector<std::optional<std::string>>;

  std::vector<std::string> tool(const std::string& database) const;
  std::string require_file(Call& call) const;
  std::string target(Call& call, const std::string& name) const;
  /// Rows of a statement whose columns are all made by cell_of(): texts or null.
  std::vector<Row> query(Call& call, const std::string& path, const std::string& sql) const;
  int64_t number(Call& call, const std::string& path, const std::string& sql) const;
  void verify(Call& call, const std::string& path, uint64_t bytes, Check how) const;
  void place(Call& call, const std::string& from, const std::string& to) const;
  std::vector<std::string> holder(const std::string& path) const;
  bool refuses_lock(Call& call, const std::string& path) const;

  std::string path_, folder_, name_, program_;
};

}  // namespace dbackup::sqlite
