#include "worker/operations/stored_file.hpp"

#include "base/encoding.hpp"
#include "model/backup_name.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kLongestSidecar = 64 * 1024;
constexpr std::string_view kAgeMagic = "age-encryption.org/v1";

/// Keeps what is written, up to a limit.
class TextSink final : public ByteSink {
 public:
  explicit TextSink(size_t most) : most_{most} {}
  void write(Bytes bytes) override {
    const size_t take = std::min(bytes.size(), most_ - text_.size());
    text_.append(reinterpret_cast<const char*>(bytes.data()), take);
  }
  void finish() override {}
  void abort(const Cause&) noexcept override {}
  std::string& text() noexcept { return text_; }

 private:
  size_t most_;
  std::string text_;
};

}  // namespace

std::optional<std::string> read_sidecar(StorageProxy& storage, const std::string& path) {
  TextSink sink{kLongestSidecar + 1};
  try {
    storage.get(sidecar_path(path), 0, kLongestSidecar + 1, sink);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::NotFound) return std::nullopt;
    throw;
  }
  if (sink.text().size() > kLongestSidecar) throw Error(ErrorCode::DataLoss, "it is too long");
  if (!is_text(sink.text())) throw Error(ErrorCode::DataLoss, "it is not text");
  return std::move(sink.text());
}

StoredObject require_object(StorageProxy& storage, const std::string& path) {
  auto found = storage.stat(path);
  if (!found) throw Error(ErrorCode::NotFound, "there is no file \"" + path + "\"");
  return *found;
}

bool is_sealed(StorageProxy& storage, const std::string& path) {
  if (path.ends_with(kSealedSuffix)) return true;
  TextSink head{kAgeMagic.size()};
  storage.get(path, 0, kAgeMagic.size(), head);
  return head.text() == kAgeMagic;
}

std::vector<AgeIdentity> parse_identities(const std::vector<std::string>& texts) {
  std::vector<AgeIdentity> identities;
  for (const std::string& text : texts) identities.push_back(AgeIdentity::parse(text));
  return identities;
}

StoredFormat stored_format(const protocol::StoredFile& file, StorageProxy& storage) {
  StoredFormat format{.sealed = is_sealed(storage, file.path),
                      .identities = parse_identities(file.identities),
                      .compression = std::nullopt};
  if (!file.compression.empty()) {
    format.compression = compression_from(file.compression);
    if (!format.compression) {
      throw Error(ErrorCode::InvalidArgument, "unknown compression \"" + file.compression + "\"");
    }
  } else if (const auto name = parse_backup_name(base_name(file.path));
             name && name->compression != Compression::None) {
    format.compression = name->compression;
  }
  if (!file.sha256.empty()) format.expected_sha256 = file.sha256;
  return format;
}

FetchRange ranges_of(StorageProxy& storage, const StoredObject& object) {
  return [&storage, &object](uint64_t offset, uint64_t length, ByteSink& sink) {
    const uint64_t came = storage.get(object.path, offset, length, sink);
    if (came != length) {
      throw Error(ErrorCode::DataLoss, "\"" + object.path + "\" is shorter than it was said to be");
    }
    sink.finish();
  };
}

void pull_whole(StorageProxy& storage, const StoredObject& object, ByteSink& sink) {
  try {
    const uint64_t came = storage.get(object.path, 0, std::nullopt, sink);
    if (came != object.size) {
      throw Error(ErrorCode::DataLoss, "\"" + object.path + "\" has " +
                                           std::to_string(object.size) + " bytes, but " +
                                           std::to_string(came) + " were read");
    }
    sink.finish();
  } catch (...) {
    const Cause cause = current_cause();
    sink.abort(cause);
    throw_cause(cause);
  }
}

}  // namespace dbackup::host
