#pragma once

/// Adapters without a server: a source whose dump is computed and whose restore checks every byte,
/// and a storage that counts and forgets. For measurements, for large sizes, and for faults at a
/// chosen byte.

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <dbackup/plugin.hpp>
#include <limits>
#include <map>
#include <mutex>
#include <thread>

namespace dbackup::testing {

/// An endless text, the same for the same seed. Rows of 128 bytes: a share of constant SQL (which
/// compresses to next to nothing) and letters of four random bits each; a share of 0 gives plain
/// random bytes, which do not compress at all.
class SyntheticText {
 public:
  /// `compressibility`: 0 to 100.
  SyntheticText(uint64_t seed, int64_t compressibility)
      : state_{seed * 0x9E3779B97F4A7C15u + 1},
        constant_{static_cast<size_t>(compressibility) * kRow / 100},
        letters_{compressibility > 0} {
    static constexpr std::string_view kSql =
        "INSERT INTO orders (id, customer, placed_at, state, total) VALUES (DEFAULT, 4711, now(), "
        "'paid', 19.90);";
    static_assert(kSql.size() <= kRow);
    row_.fill(' ');
    std::memcpy(row_.data(), kSql.data(), kSql.size());
  }

  /// Gives the next `out.size()` bytes.
  void next(std::span<std::byte> out) {
    while (!out.empty()) {
      if (at_ == block_.size()) refill();
      const size_t n = std::min(out.size(), block_.size() - at_);
      std::memcpy(out.data(), block_.data() + at_, n);
      at_ += n;
      out = out.subspan(n);
    }
  }

 private:
  static constexpr size_t kRow = 128;

  void refill() {
    for (size_t row = 0; row < block_.size(); row += kRow) {
      std::memcpy(block_.data() + row, row_.data(), constant_);
      size_t at = constant_;
      for (; at + 8 <= kRow; at += 8) put(row + at, 8);
      if (at < kRow) put(row + at, kRow - at);
      if (letters_) block_[row + kRow - 1] = '\n';
    }
    at_ = 0;
  }
  void put(size_t at, size_t size) {
    state_ += 0x9E3779B97F4A7C15u;  // splitmix64
    uint64_t bits = state_;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
    bits ^= bits >> 31;
    if (letters_) bits = (bits & 0x0F0F0F0F0F0F0F0Fu) + 0x6161616161616161u;  // 'a' to 'p'
    std::memcpy(block_.data() + at, &bits, size);
  }

  uint64_t state_;
  size_t constant_;
  bool letters_;
  std::array<char, kRow> row_{};
  std::array<char, 32 * 1024> block_{};
  size_t at_ = block_.size();
};

/// What goes wrong, and after how many bytes; -1 = never.
struct SyntheticFaults {
  int64_t fail_at_byte;  ///< Error{Aborted} in words
  int64_t hang_at_byte;  ///< for ever, deaf to cancellation
  int64_t wait_at_byte;  ///< until the operation is cancelled
  int64_t exit_at_byte;  ///< abort()
  ErrorCode fail_code = ErrorCode::Aborted;

  static SyntheticFaults of(const Config& config) {
    return {.fail_at_byte = config.integer_or("fail_at_byte", -1),
            .hang_at_byte = config.integer_or("hang_at_byte", -1),
            .wait_at_byte = config.integer_or("wait_at_byte", -1),
            .exit_at_byte = config.integer_or("exit_at_byte", -1)};
  }
  /// How many of `size` bytes may be handled now, so that faults come at their very byte.
  size_t clipped(uint64_t done, size_t size) const {
    for (const int64_t at : {fail_at_byte, hang_at_byte, wait_at_byte, exit_at_byte}) {
      if (at < 0 || static_cast<uint64_t>(at) <= done) continue;
      size = static_cast<size_t>(std::min<uint64_t>(size, static_cast<uint64_t>(at) - done));
    }
    return size;
  }
  void strike(const Call& call, uint64_t done) const {
    const auto now = [&](int64_t at) { return at >= 0 && static_cast<uint64_t>(at) <= done; };
    if (now(exit_at_byte)) std::abort();
    while (now(hang_at_byte)) ::pause();
    while (now(wait_at_byte)) {
      call.check_cancelled();
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    if (now(fail_at_byte))
      throw Error{fail_code, "the configured fault at byte " + std::to_string(done)};
  }
};

inline constexpr Option kSyntheticSourceOptions[] = {
    {.name = "size_bytes",
     .type = "integer",
     .help = "Length of a dump.",
     .fallback = "16777216",
     .minimum = 0},
    {.name = "seed", .type = "integer", .help = "Another seed, another content.", .fallback = "1"},
    {.name = "compressibility",
     .type = "integer",
     .help = "Share of constant text, in percent.",
     .fallback = "50",
     .minimum = 0,
     .maximum = 100},
    {.name = "databases",
     .type = "integer",
     .help = "How many databases there are.",
     .fallback = "1",
     .minimum = 1,
     .maximum = 1000},
    {.name = "fail_at_byte", .type = "integer", .help = "Fails there; -1 never.", .fallback = "-1"},
    {.name = "hang_at_byte", .type = "integer", .help = "Hangs there for ever.", .fallback = "-1"},
    {.name = "wait_at_byte",
     .type = "integer",
     .help = "Waits there to be cancelled.",
     .fallback = "-1"},
    {.name = "exit_at_byte",
     .type = "integer",
     .help = "Aborts the process there.",
     .fallback = "-1"},
};

/// Databases "synthetic", "synthetic-2", …, each with its own content.
class SyntheticSource final : public Source {
 public:
  explicit SyntheticSource(const Config& config)
      : size_{static_cast<uint64_t>(config.integer_or("size_bytes", 16 * 1024 * 1024))},
        seed_{static_cast<uint64_t>(config.integer_or("seed", 1))},
        compressibility_{config.integer_or("compressibility", 50)},
        databases_{config.integer_or("databases", 1)},
        faults_{SyntheticFaults::of(config)} {
    if (compressibility_ < 0 || compressibility_ > 100) {
      throw Error{ErrorCode::InvalidArgument, "\"compressibility\" must be 0 to 100"};
    }
  }

  TestResult test(Call&) override { return {.message = "Connection successful", .version = "1.0"}; }

  void list_databases(Call&, const std::function<void(const DatabaseInfo&)>& found) {
    for (int64_t n = 1; n <= databases_; ++n) {
      found({.name = name(n), .size_bytes = static_cast<int64_t>(size_), .table_count = 1});
    }
  }

  DumpResult dump(Call& call, const DumpRequest& request, Writer& out) override {
    SyntheticText text{content_seed(request.database), compressibility_};
    const auto block = std::make_unique<Block>();
    for (uint64_t done = 0;;) {
      call.check_cancelled();
      faults_.strike(call, done);
      if (done == size_) return {.engine_version = "1.0"};
      const size_t most = static_cast<size_t>(std::min<uint64_t>(block->size(), size_ - done));
      const auto part = std::span{*block}.first(faults_.clipped(done, most));
      text.next(part);
      out.write(part);
      done += part.size();
      call.progress(done, size_);
    }
  }

  /// Restores nothing: compares with what the dump was. Error{DataLoss} names the first wrong
  /// block.
  void restore(Call& call, const RestoreRequest& request, Reader& in) override {
    SyntheticText text{
        content_seed(request.original_name.empty() ? request.database : request.original_name),
        compressibility_};
    const auto block = std::make_unique<Block>();
    const auto wanted = std::make_unique<Block>();
    uint64_t done = 0;
    for (;;) {
      call.check_cancelled();
      faults_.strike(call, done);
      const size_t n = in.read(std::span{*block}.first(faults_.clipped(done, block->size())));
      if (n == 0) break;
      text.next(std::span{*wanted}.first(n));
      if (done + n > size_ || std::memcmp(block->data(), wanted->data(), n) != 0) {
        throw Error{ErrorCode::DataLoss,
                    "the restored bytes differ from byte " + std::to_string(done) + " on"};
      }
      done += n;
      call.progress(done, size_);
    }
    if (done != size_) {
      throw Error{ErrorCode::DataLoss, "the restored dump ends at byte " + std::to_string(done)};
    }
  }

 private:
  using Block = std::array<std::byte, 256 * 1024>;

  static std::string name(int64_t n) {
    return n == 1 ? "synthetic" : "synthetic-" + std::to_string(n);
  }
  uint64_t content_seed(const std::string& database) const {
    for (int64_t n = 1; n <= databases_; ++n) {
      if (name(n) == database) return seed_ * 1000 + static_cast<uint64_t>(n);
    }
    throw Error{ErrorCode::NotFound, "no database \"" + database + "\""};
  }

  uint64_t size_;
  uint64_t seed_;
  int64_t compressibility_;
  int64_t databases_;
  SyntheticFaults faults_;
};

inline constexpr Option kSyntheticNullOptions[] = {
    {.name = "bytes_per_second",
     .type = "integer",
     .help = "Reads no faster; 0 = as fast as it can.",
     .fallback = "0",
     .minimum = 0},
    {.name = "fail_code",
     .type = "choice",
     .help = "Code of the configured failure.",
     .fallback = "Unavailable",
     .choices = "Unavailable|ResourceExhausted|PermissionDenied"},
    {.name = "fail_at_byte", .type = "integer", .help = "Fails there; -1 never.", .fallback = "-1"},
    {.name = "hang_at_byte", .type = "integer", .help = "Hangs there for ever.", .fallback = "-1"},
    {.name = "wait_at_byte",
     .type = "integer",
     .help = "Waits there to be cancelled.",
     .fallback = "-1"},
    {.name = "exit_at_byte",
     .type = "integer",
     .help = "Aborts the process there.",
     .fallback = "-1"},
};

/// Knows what was put in this process; keeps the bytes of objects up to 64 KiB (sidecars) and only
/// the size of others, whose get() is Error{DataLoss}.
class SyntheticNullStorage final : public Storage {
 public:
  explicit SyntheticNullStorage(const Config& config)
      : bytes_per_second_{config.integer_or("bytes_per_second", 0)},
        faults_{SyntheticFaults::of(config)} {
    const std::string code = config.text_or("fail_code", "Unavailable");
    faults_.fail_code = code == "ResourceExhausted"  ? ErrorCode::ResourceExhausted
                        : code == "PermissionDenied" ? ErrorCode::PermissionDenied
                                                     : ErrorCode::Unavailable;
  }

  TestResult test(Call&) override { return {.message = "Connection successful"}; }
  void ping(Call&) override {}

  ObjectInfo put(Call& call, const PutRequest& request, Reader& in) override {
    if (stat(call, request.path))
      throw Error{ErrorCode::AlreadyExists, "\"" + request.path + "\" already exists"};
    const auto block = std::make_unique<Block>();
    const auto began = std::chrono::steady_clock::now();
    Object object;
    for (;;) {
      call.check_cancelled();
      faults_.strike(call, object.size);
      const size_t n =
          in.read(std::span{*block}.first(faults_.clipped(object.size, block->size())));
      if (n == 0) break;
      if (object.size + n <= kMostKept) {
        object.content.append(reinterpret_cast<const char*>(block->data()), n);
      }
      object.size += n;
      call.progress(object.size, 0);
      if (bytes_per_second_ > 0) {
        const double seconds =
            static_cast<double>(object.size) / static_cast<double>(bytes_per_second_);
        std::this_thread::sleep_until(began + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                  std::chrono::duration<double>{seconds}));
      }
    }
    const std::scoped_lock lock{mutex()};
    if (!objects().emplace(request.path, std::move(object)).second) {
      throw Error{ErrorCode::AlreadyExists, "\"" + request.path + "\" already exists"};
    }
    return info(*objects().find(request.path));
  }

  void get(Call&, const std::string& path, uint64_t offset, std::optional<uint64_t> length,
           Writer& out) override {
    const std::scoped_lock lock{mutex()};
    const auto found = objects().find(path);
    if (found == objects().end()) throw Error{ErrorCode::NotFound, "no object \"" + path + "\""};
    if (found->second.size > kMostKept)
      throw Error{ErrorCode::DataLoss, "the bytes of \"" + path + "\" were not kept"};
    if (offset < found->second.size) {
      out.write(std::string_view{found->second.content}.substr(
          offset, length.value_or(std::numeric_limits<uint64_t>::max())));
    }
  }

  void list(Call&, const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& found) override {
    const std::string folder = prefix.empty() || prefix.ends_with('/') ? prefix : prefix + "/";
    const std::scoped_lock lock{mutex()};
    for (const auto& object : objects()) {
      if (object.first.starts_with(folder)) found(info(object));
    }
  }
  std::optional<ObjectInfo> stat(Call&, const std::string& path) override {
    const std::scoped_lock lock{mutex()};
    const auto found = objects().find(path);
    return found == objects().end() ? std::nullopt : std::optional{info(*found)};
  }
  bool remove(Call&, const std::string& path) override {
    const std::scoped_lock lock{mutex()};
    return objects().erase(path) > 0;
  }
  uint64_t cleanup(Call&, const std::string&) override { return 0; }

 private:
  static constexpr uint64_t kMostKept = 64 * 1024;
  using Block = std::array<std::byte, 256 * 1024>;
  struct Object {
    uint64_t size = 0;
    std::string content = {};
  };
  using Objects = std::map<std::string, Object>;

  static Objects& objects() {
    static Objects all;
    return all;
  }
  static std::mutex& mutex() {
    static std::mutex all;
    return all;
  }
  static ObjectInfo info(const Objects::value_type& object) {
    return {.path = object.first,
            .size = object.second.size,
            .modified_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count()};
  }

  int64_t bytes_per_second_;
  SyntheticFaults faults_;
};

/// For DBACKUP_PLUGIN, and for a host that links them.
inline const dbackup_adapter* synthetic_source() {
  return source<SyntheticSource>(
      {.id = "synthetic", .name = "Synthetic source", .options = kSyntheticSourceOptions},
      {.extension = "sql",
       .list_databases = true,
       .restore_renamed = true,
       .atomic_restore = true});
}
inline const dbackup_adapter* synthetic_null_storage() {
  return storage<SyntheticNullStorage>(
      {.id = "synthetic-null",
       .name = "Synthetic storage",
       .options = kSyntheticNullOptions,
       .group = "Local"},
      {.exclusive_commit = ExclusiveCommit::Atomic, .ranged_get = true});
}

}  // namespace dbackup::testing
