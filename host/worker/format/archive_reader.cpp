#include "worker/format/archive_reader.hpp"

#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "model/backup_name.hpp"
#include "worker/format/archive_writer.hpp"

namespace dbackup::host {
namespace {

constexpr uint64_t kBlock = 512;
// About 8 MB of index stand for a terabyte of dumps.
constexpr uint64_t kLargestIndex = uint64_t{256} << 20;

[[noreturn]] void damaged(const std::string& what, std::string detail = {}) {
  throw Error(ErrorCode::DataLoss, "the archive is damaged: " + what, std::move(detail));
}

/// Keeps what it gets.
class BufferSink final : public ByteSink {
 public:
  explicit BufferSink(std::string& text) : text_{text} { text_.clear(); }
  void write(Bytes bytes) override {
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finish() override {}
  void abort(const Cause&) noexcept override {}

 private:
  std::string& text_;
};

uint64_t number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) {
    damaged(std::string{"\""} + key + "\" of its index is no number");
  }
  return found->get<uint64_t>();
}

ArchiveEntry parse_entry(const Json& json, uint64_t size) {
  ArchiveEntry entry{.name = require_string(json, "name"), .file = require_string(json, "file")};
  entry.compressed_size = number(json, "compressedSize");
  if (const auto name = parse_backup_name(base_name(entry.file)))
    entry.compression = name->compression;
  uint64_t total = 0;
  for (const Json& item : json.at("parts")) {
    ArchivePart part{.offset = number(item, "offset"),
                     .size = number(item, "size"),
                     .sha256 = require_string(item, "sha256")};
    if (part.size > kArchivePartBytes || part.offset > size || part.size > size - part.offset) {
      damaged("a part of \"" + entry.name + "\" lies outside of it");
    }
    total += part.size;
    entry.parts.push_back(std::move(part));
  }
  if (entry.parts.empty() || total != entry.compressed_size) {
    damaged("parts of \"" + entry.name + "\" are missing in its index");
  }
  return entry;
}

}  // namespace

ArchiveReader::ArchiveReader(uint64_t size, FetchRange read, const std::string& index_sha256)
    : read_{std::move(read)} {
  if (size < kArchiveTailBytes) damaged("it is too short");
  try {
    std::string text;
    BufferSink trailer{text};
    read_(size - kArchiveTailBytes, 2 * kBlock, trailer);
    if (!text.starts_with("trailer.json")) damaged("it has no trailer; it may have been cut off");
    const Json place = parse_json(text.substr(kBlock), "trailer").at("index");
    const uint64_t offset = number(place, "offset");
    const uint64_t length = number(place, "size");
    if (length > kLargestIndex || offset > size || length > size - offset) {
      damaged("its trailer points outside of it");
    }
    BufferSink index{text};
    read_(offset, length, index);
    if (!index_sha256.empty() && sha256_hex(text) != index_sha256) {
      damaged("its index is not that of this backup");
    }
    const Json parsed = parse_json(text, "index");
    for (const Json& item : parsed.at("databases")) entries_.push_back(parse_entry(item, size));
  } catch (const Json::exception& error) {
    damaged("its index cannot be read", error.what());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::InvalidArgument) throw;
    damaged("its index cannot be read", error.what());
  }
}

const ArchiveEntry& ArchiveReader::entry(const std::string& name) const {
  std::string all;
  for (const ArchiveEntry& candidate : entries_) {
    if (candidate.name == name) return candidate;
    all += (all.empty() ? "" : ", ") + candidate.name;
  }
  throw Error(ErrorCode::NotFound, "the archive has no database \"" + name + "\", but: " + all);
}

void ArchiveReader::read(const ArchiveEntry& entry, ByteSink& sink) const {
  try {
    std::string part;
    for (const ArchivePart& wanted : entry.parts) {
      BufferSink buffer{part};
      read_(wanted.offset, wanted.size, buffer);
      if (part.size() != wanted.size || sha256_hex(part) != wanted.sha256) {
        damaged("a part of \"" + entry.name + "\" has another hash than its index says");
      }
      if (!part.empty()) sink.write(std::as_bytes(std::span{part.data(), part.size()}));
    }
    sink.finish();
  } catch (...) {
    const Cause cause = current_cause();
    sink.abort(cause);
    throw_cause(cause);
  }
}

}  // namespace dbackup::host
