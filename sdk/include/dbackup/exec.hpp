#pragma once

#include <dbackup/config.hpp>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

namespace dbackup {

/// How a program ended.
struct ExitStatus {
  int exit_code = -1;  ///< -1 when a signal ended it
  int signal = 0;
  std::string output;  ///< standard output when it was collected, at most 1 MiB
  std::string errors;  ///< the last 16 KiB of standard error

  bool ok() const noexcept { return exit_code == 0; }
};

/// What becomes of a program's standard output.
enum class Output { Pipe, Collect, Discard };

struct ProgramOptions {
  /// Added to a minimal environment (PATH, HOME, LANG=C.UTF-8, TZ). Never a secret: environments of
  /// running programs can be read; use a side file.
  std::map<std::string, std::string> environment = {};
  bool input = false;  ///< open a pipe to standard input
  Output output = Output::Pipe;
};

namespace detail {

template <class T>
struct TableCall {
  const T* table = nullptr;
  const dbackup_call* call = nullptr;
};

inline dbackup_status collect_item(void* ctx, dbackup_str text) DBACKUP_NOEXCEPT {
  try {
    *static_cast<Json*>(ctx) = Json::parse(view(text), nullptr, false);
    return DBACKUP_OK;
  } catch (...) {
    return DBACKUP_INTERNAL;
  }
}

inline dbackup_item_sink into(Json& target) noexcept {
  return {sizeof(dbackup_item_sink), &target, &collect_item};
}

inline Error host_error(dbackup_status status, const std::string& what) {
  return Error{static_cast<ErrorCode>(status), what};
}

}  // namespace detail

/// A running program with its pipes; ends it when it goes. Not thread-safe, except that reading and
/// writing may happen on two threads.
class Process {
 public:
  Process(const dbackup_host_exec* table, void* handle, std::string name)
      : table_{table}, handle_{handle, Release{table}}, name_{std::move(name)} {}

  /// Bytes of standard output; 0 at its end. Throws Error{Cancelled} when the operation shall end.
  size_t read(std::span<std::byte> buffer) {
    const int64_t n = table_->read(handle_.get(), buffer.data(), buffer.size());
    if (n < 0) throw detail::host_error(static_cast<dbackup_status>(-n), "cannot read from " + name_);
    return static_cast<size_t>(n);
  }

  /// Writes all of `block` to standard input. False when the program has closed it.
  bool write(std::span<const std::byte> block) {
    while (!block.empty()) {
      const int64_t n = table_->write(handle_.get(), block.data(), block.size());
      if (n == -DBACKUP_ABORTED) return false;
      if (n <= 0) {
        throw detail::host_error(n == 0 ? DBACKUP_INTERNAL : static_cast<dbackup_status>(-n),
                                 "cannot write to " + name_);
      }
      block = block.subspan(static_cast<size_t>(n));
    }
    return true;
  }
  void close_input() { table_->close_stdin(handle_.get()); }

  /// Copies standard output to `out` until its end, reporting progress; the number of bytes.
  uint64_t copy_output_to(Writer& out, const Call& call) {
    const auto buffer = std::make_unique<Block>();
    uint64_t done = 0;
    while (const size_t n = read(*buffer)) {
      out.write(std::span{*buffer}.first(n));
      done += n;
      call.progress(done, 0);
    }
    return done;
  }

  /// Feeds `in` to standard input and closes it at the end of `in`. A program that stops reading early
  /// is left to explain itself by its exit status: the rest of `in` is not read. The number of bytes.
  uint64_t copy_input_from(Reader& in, const Call& call) {
    const auto buffer = std::make_unique<Block>();
    uint64_t done = 0;
    while (const size_t n = in.read(*buffer)) {
      call.check_cancelled();
      if (!write(std::span{*buffer}.first(n))) return done;
      done += n;
      call.progress(done, 0);
    }
    close_input();
    return done;
  }

  ExitStatus wait() {
    Json item;
    const dbackup_item_sink sink = detail::into(item);
    const dbackup_status status = table_->wait(handle_.get(), &sink);
    if (status != DBACKUP_OK) throw detail::host_error(status, name_ + " was ended");
    const Config result{item};
    return {.exit_code = static_cast<int>(result.integer_or("exit_code", -1)),
            .signal = static_cast<int>(result.integer_or("signal", 0)),
            .output = result.text("stdout"),
            .errors = result.text("stderr")};
  }

  /// Waits and throws Error{Aborted} with the end of standard error unless the program exited with 0. A
  /// tool can end its output and fail afterwards, so this comes before a dump returns.
  ExitStatus expect_success() {
    ExitStatus status = wait();
    if (!status.ok()) throw failure(status);
    return status;
  }

  /// The error for a failed end: names the program, the exit code or signal, and its last words.
  Error failure(const ExitStatus& status) const {
    std::string how = status.exit_code >= 0 ? " failed with exit code " + std::to_string(status.exit_code)
                                            : " was killed by signal " + std::to_string(status.signal);
    std::string words = last_words(status.errors);
    return Error{ErrorCode::Aborted, name_ + how + (words.empty() ? "" : ": " + words), status.errors};
  }

 private:
  using Block = std::array<std::byte, 256 * 1024>;
  struct Release {
    const dbackup_host_exec* table;
    void operator()(void* handle) const noexcept { table->release(handle); }
  };

  static std::string last_words(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    constexpr size_t kMost = 600;
    if (text.size() > kMost) text = "…" + text.substr(text.size() - kMost);
    for (char& c : text) {
      if (c == '\n') c = ' ';
    }
    return text;
  }

  const dbackup_host_exec* table_;
  std::unique_ptr<void, Release> handle_;
  std::string name_;
};

/// A 0600 file where the programs run; removed when it goes.
class SideFile {
 public:
  SideFile(const dbackup_host_exec* table, void* handle, std::string path)
      : handle_{handle, Release{table}}, path_{std::move(path)} {}
  const std::string& path() const noexcept { return path_; }

 private:
  struct Release {
    const dbackup_host_exec* table;
    void operator()(void* handle) const noexcept { table->release_side_file(handle); }
  };
  std::unique_ptr<void, Release> handle_;
  std::string path_;
};

class StagingFile;

/// Programs on the machine the adapter works on, which may be another one.
class Exec {
 public:
  explicit Exec(const Call& call)
      : table_{static_cast<const dbackup_host_exec*>(call.host_extension(DBACKUP_EXT_HOST_EXEC))},
        call_{call.raw()} {
    if (table_ == nullptr) {
      throw Error{ErrorCode::Unimplemented, "this host cannot run programs for adapters"};
    }
  }

  /// Starts argv[0] with exactly these arguments; no shell is involved. Throws Error{NotFound} when the
  /// program does not exist.
  Process start(const std::vector<std::string>& argv, const ProgramOptions& options = {}) {
    static constexpr std::array kOutput{"pipe", "collect", "discard"};
    const Json request{{"argv", argv},
                       {"env", options.environment},
                       {"stdin", options.input ? "pipe" : "none"},
                       {"stdout", kOutput[static_cast<size_t>(options.output)]}};
    const std::string text = to_text(request);
    void* handle = nullptr;
    const dbackup_status status = table_->start(call_->ctx, borrow(text), &handle);
    if (status != DBACKUP_OK) {
      throw detail::host_error(status, "cannot start \"" + argv.front() + "\"" +
                                           (status == DBACKUP_NOT_FOUND ? ": no such program" : ""));
    }
    return Process{table_, handle, argv.front()};
  }

  /// Opens a subsystem ("sftp") of the SSH server the adapter works on: both its pipes. Throws
  /// Error{FailedPrecondition} when it does not work by SSH.
  Process start_subsystem(const std::string& name) {
    const std::string text =
        to_text({{"subsystem", name}, {"stdin", "pipe"}, {"stdout", "pipe"}});
    void* handle = nullptr;
    const dbackup_status status = table_->start(call_->ctx, borrow(text), &handle);
    if (status != DBACKUP_OK) {
      throw detail::host_error(status, "cannot open the subsystem \"" + name + "\"");
    }
    return Process{table_, handle, name};
  }

  /// Runs a program to its end and returns what it printed.
  ExitStatus run(const std::vector<std::string>& argv, ProgramOptions options = {}) {
    options.output = Output::Collect;
    return start(argv, options).wait();
  }

  SideFile side_file(std::string_view content) {
    void* handle = nullptr;
    dbackup_str path{};
    const dbackup_status status = table_->side_file(call_->ctx, borrow(content), &handle, &path);
    if (status != DBACKUP_OK) throw detail::host_error(status, "cannot make a side file");
    return SideFile{table_, handle, std::string{view(path)}};
  }

  /// An empty file on disk where the programs run, for a tool that insists on one; its name ends in
  /// `suffix`.
  StagingFile staging_file(const std::string& suffix);

  /// The first of `names` that can be run. Throws Error{NotFound} naming them.
  std::string which(const std::vector<std::string>& names) {
    const std::string request = to_text({{"names", names}});
    Json item;
    const dbackup_item_sink sink = detail::into(item);
    const dbackup_status status = table_->which(call_->ctx, borrow(request), &sink);
    if (status != DBACKUP_OK) {
      std::string all;
      for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
      throw detail::host_error(status, "none of these programs is installed: " + all);
    }
    return Config{item}.required("path");
  }

 private:
  const dbackup_host_exec* table_;
  const dbackup_call* call_;
};

/// A 0600 file on disk where the programs run, for tools that insist on a whole file; removed when it
/// goes. Filling and fetching check the size.
class StagingFile {
 public:
  StagingFile(Exec& exec, SideFile file) : exec_{exec}, file_{std::move(file)} {}
  const std::string& path() const noexcept { return file_.path(); }

  /// The size of the file in bytes.
  uint64_t size() {
    const ExitStatus status = exec_.run({"wc", "-c", path()});
    if (!status.ok()) throw Error{ErrorCode::Aborted, "cannot read the size of a staged file", status.errors};
    return std::strtoull(status.output.c_str(), nullptr, 10);
  }
  /// Writes all of `in` into the file. Throws Error{DataLoss} when it does not arrive whole.
  void fill_from(Reader& in, const Call& call) {
    Process tool = exec_.start({"dd", "of=" + path(), "bs=256k", "status=none"},
                               {.input = true, .output = Output::Discard});
    const uint64_t sent = tool.copy_input_from(in, call);
    tool.expect_success();
    check_size(sent, size());
  }
  /// Writes the whole file to `out`. Throws Error{DataLoss} when it does not arrive whole.
  void copy_to(Writer& out, const Call& call) {
    const uint64_t there = size();
    Process tool = exec_.start({"cat", path()});
    const uint64_t fetched = tool.copy_output_to(out, call);
    tool.expect_success();
    check_size(there, fetched);
  }

 private:
  static void check_size(uint64_t sent, uint64_t arrived) {
    if (sent == arrived) return;
    throw Error{ErrorCode::DataLoss, "of " + std::to_string(sent) + " bytes of a staged file " +
                                         std::to_string(arrived) + " arrived"};
  }

  Exec& exec_;
  SideFile file_;
};

inline StagingFile Exec::staging_file(const std::string& suffix) {
  if (!DBACKUP_HAS(dbackup_host_exec, table_, staging_file)) {
    throw Error{ErrorCode::Unimplemented, "this host cannot stage files for adapters"};
  }
  const std::string request = to_text({{"suffix", suffix}});
  void* handle = nullptr;
  dbackup_str path{};
  const dbackup_status status =
      table_->staging_file(call_->ctx, borrow(request), &handle, &path);
  if (status != DBACKUP_OK) throw detail::host_error(status, "cannot make a staging file");
  return StagingFile{*this, SideFile{table_, handle, std::string{view(path)}}};
}

/// An endpoint this process can dial in place of a host and port on the target's side.
class Endpoint {
 public:
  Endpoint(const dbackup_host_reach* table, void* handle, std::string host, int port)
      : handle_{handle, Release{table}}, host_{std::move(host)}, port_{port} {}
  const std::string& host() const noexcept { return host_; }
  int port() const noexcept { return port_; }

 private:
  struct Release {
    const dbackup_host_reach* table;
    void operator()(void* handle) const noexcept {
      if (handle != nullptr) table->release(handle);
    }
  };
  std::unique_ptr<void, Release> handle_;
  std::string host_;
  int port_;
};

/// Dials `host`:`port` as the target's side sees them. The endpoint is valid while the result lives.
inline Endpoint reach(const Call& call, const std::string& host, int64_t port) {
  const auto* table =
      static_cast<const dbackup_host_reach*>(call.host_extension(DBACKUP_EXT_HOST_REACH));
  if (table == nullptr) throw Error{ErrorCode::Unimplemented, "this host cannot reach for adapters"};
  const std::string request = to_text({{"host", host}, {"port", port}});
  Json item;
  const dbackup_item_sink sink = detail::into(item);
  void* handle = nullptr;
  const dbackup_status status = table->open(call.raw()->ctx, borrow(request), &sink, &handle);
  if (status != DBACKUP_OK) {
    throw detail::host_error(status, "cannot reach " + host + ":" + std::to_string(port));
  }
  const Config answer{item};
  return Endpoint{table, handle, answer.required("host"),
                  static_cast<int>(answer.integer_or("port", port))};
}

}  // namespace dbackup
