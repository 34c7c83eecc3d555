#include "worker/format/archive_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <clocale>
#include <set>

#include "crypto/hash.hpp"
#include "model/backup_name.hpp"
#include "worker/format/codec.hpp"

namespace dbackup::host {
namespace {

template <auto Free>
struct Deleter {
  void operator()(auto* object) const noexcept { Free(object); }
};

constexpr size_t kTrailerBytes = 512;
constexpr mode_t kMode = 0644;

/// libarchive takes names for text in the locale's encoding; this thread's is UTF-8 while it lives.
class Utf8Names {
 public:
  Utf8Names() : before_{uselocale(utf8())} {}
  ~Utf8Names() { uselocale(before_); }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  static locale_t utf8() {
    static const locale_t value = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return value;  // null, where there is no such locale, changes nothing
  }
  locale_t before_;
};

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }

}  // namespace

std::string archive_member(const std::string& database, const std::string& extension,
                           Compression compression) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string name;
  for (const char c : database) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%' || c == '/' || byte < 0x20 || byte == 0x7f || (c == '.' && name.empty())) {
      name += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      name += c;
    }
  }
  return "databases/" + name + "." + extension + std::string{compression_suffix(compression)};
}

/// TAR members, one after another, by libarchive.
class ArchiveWriter::Tar {
 public:
  Tar(ByteSink& out, int64_t time) : out_{out}, time_{time}, archive_{archive_write_new()} {
    if (!archive_) throw std::bad_alloc{};
    check(archive_write_set_format_pax_restricted(archive_.get()));
    // Every byte at once, and no padding behind the two zero blocks.
    check(archive_write_set_bytes_per_block(archive_.get(), 0));
    check(archive_write_set_bytes_in_last_block(archive_.get(), 1));
    check(archive_write_open2(archive_.get(), this, nullptr, &write_block, nullptr, nullptr));
  }

  /// Where the bytes of the member begin.
  uint64_t add(const std::string& name, Bytes bytes) {
    const Utf8Names utf8;
    const std::unique_ptr<archive_entry, Deleter<&archive_entry_free>> entry{archive_entry_new()};
    if (!entry) throw std::bad_alloc{};
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), kMode);
    archive_entry_set_mtime(entry.get(), static_cast<time_t>(time_), 0);
    check(archive_write_header(archive_.get(), entry.get()));
    const uint64_t offset = written_;
    if (!bytes.empty() && archive_write_data(archive_.get(), bytes.data(), bytes.size()) !=
                              static_cast<la_ssize_t>(bytes.size())) {
      fail();
    }
    check(archive_write_finish_entry(archive_.get()));
    return offset;
  }
  void finish() { check(archive_write_close(archive_.get())); }

 private:
  static la_ssize_t write_block(archive*, void* self, const void* data, size_t size) noexcept {
    auto& tar = *static_cast<Tar*>(self);
    try {
      if (tar.failure_) return -1;
      tar.out_.write({static_cast<const std::byte*>(data), size});
      tar.written_ += size;
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      tar.failure_ = current_cause();
      return -1;
    }
  }
  void check(int result) {
    // A warning: the name is no UTF-8, and is stored as the bytes it is.
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
  }
  [[noreturn]] void fail() {
    if (failure_) throw_cause(failure_);
    const char* why = archive_error_string(archive_.get());
    failure_ = make_cause(Error{ErrorCode::Internal, "cannot write the archive", why ? why : ""});
    throw_cause(failure_);
  }

  ByteSink& out_;
  int64_t time_;
  uint64_t written_ = 0;
  Cause failure_;
  std::unique_ptr<archive, Deleter<&archive_write_free>> archive_;  // last: its end may still write
};

/// Cuts one compressed dump into members.
class ArchiveWriter::PartSink final : public ByteSink {
 public:
  PartSink(Tar& tar, std::vector<std::byte>& part, Json& entry)
      : tar_{tar}, part_{part}, entry_{entry}, file_{entry.at("file").get<std::string>()} {
    part_.clear();
  }
  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      if (part_.size() == kArchivePartBytes) store(/*is_whole=*/false);
      const size_t take = std::min(bytes.size(), kArchivePartBytes - part_.size());
      part_.insert(part_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(take));
      bytes = bytes.subspan(take);
      size_ += take;
    }
  }
  void finish() override {
    store(/*is_whole=*/entry_.at("parts").empty());
    entry_["compressedSize"] = size_;
  }
  void abort(const Cause&) noexcept override {}

 private:
  void store(bool is_whole) {
    std::string name = file_;
    if (!is_whole) {
      constexpr size_t kDigits = 7;
      const std::string number = std::to_string(entry_.at("parts").size());
      name +=
          "." + std::string(number.size() < kDigits ? kDigits - number.size() : 0, '0') + number;
    }
    const std::string_view text{reinterpret_cast<const char*>(part_.data()), part_.size()};
    entry_.at("parts").push_back(
        {{"offset", tar_.add(name, part_)}, {"size", part_.size()}, {"sha256", sha256_hex(text)}});
    part_.clear();
  }

  Tar& tar_;
  std::vector<std::byte>& part_;
  Json& entry_;
  std::string file_;
  uint64_t size_ = 0;
};

ArchiveWriter::ArchiveWriter(ByteSink& out, ArchiveInfo info) : info_{std::move(info)} {
  Json databases = Json::array();
  std::set<std::string> files;
  for (const std::string& name : info_.databases) {
    std::string file = archive_member(name, info_.extension, info_.compression);
    if (!files.insert(file).second) {
      throw Error(ErrorCode::InvalidArgument, "the database \"" + name + "\" is named twice");
    }
    databases.push_back({{"name", name}, {"file", std::move(file)}});
  }
  const Json manifest{{"version", kArchiveVersion},
                      {"createdAt", format_iso8601(info_.created_at)},
                      {"sourceType", info_.source_type},
                      {"engineVersion", info_.engine_version},
                      {"compression", to_string(info_.compression)},
                      {"databases", std::move(databases)}};
  tar_ = std::make_unique<Tar>(out, info_.created_at / 1000);
  tar_->add("manifest.json", bytes_of(dump_json(manifest) + "\n"));
}

ArchiveWriter::~ArchiveWriter() = default;

std::unique_ptr<GuardedChain> ArchiveWriter::begin(const std::string& database,
                                                   CompressLimits limits,
                                                   const CancelToken& token) {
  index_.push_back({{"name", database},
                    {"file", archive_member(database, info_.extension, info_.compression)},
                    {"parts", Json::array()}});
  SinkPtr chain = std::make_unique<PartSink>(*tar_, part_, index_.back());
  chain = codec(info_.compression).compressor(std::move(chain), limits);
  return std::make_unique<GuardedChain>(std::make_unique<CountStage>(std::move(chain), plain_),
                                        token);
}

std::string ArchiveWriter::finish() {
  part_ = {};
  const std::string index = dump_json({{"version", kArchiveVersion}, {"databases", index_}}) + "\n";
  const uint64_t offset = tar_->add("index.json", bytes_of(index));
  std::string trailer = dump_json({{"index", {{"offset", offset}, {"size", index.size()}}}});
  trailer.resize(kTrailerBytes - 1, ' ');
  tar_->add("trailer.json", bytes_of(trailer + "\n"));
  tar_->finish();
  return sha256_hex(index);
}

}  // namespace dbackup::host
