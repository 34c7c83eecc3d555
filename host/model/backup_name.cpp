#include "model/backup_name.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kExtensionCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

bool must_encode(std::string_view text, size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x20 || c == 0x7f || c == '/' || c == '\\' || c == '%') return true;
  // ".." means another folder to many, and no path that has it is taken.
  if (c == '.' && (i == 0 || text[i - 1] == '.')) return true;
  return i + 1 == text.size() && (c == '.' || c == ' ');
}

void append_encoded(std::string& out, char c) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

// The longest start of an encoded text within `limit` bytes that splits neither a UTF-8 character
// nor an escape.
std::string_view cut(std::string_view encoded, size_t limit) {
  if (encoded.size() <= limit) return encoded;
  size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(encoded[end]) & 0xc0) == 0x80) --end;
  for (size_t back = 1; back <= 2 && back <= end; ++back)
    if (encoded[end - back] == '%') end -= back;
  return encoded.substr(0, end);
}

bool remove_suffix(std::string_view& text, std::string_view suffix) {
  if (suffix.empty() || text.size() <= suffix.size() || !text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

Compression remove_compression_suffix(std::string_view& name) {
  for (const CompressionRow& row : compressions())
    if (remove_suffix(name, row.suffix)) return row.compression;
  return Compression::None;
}

}  // namespace

std::string encode_path_component(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (must_encode(text, i))
      append_encoded(out, text[i]);
    else
      out += text[i];
  }
  return out;
}

std::optional<std::string> decode_path_component(std::string_view component) {
  return percent_decode(component, /*plus_is_space=*/false);
}

std::string job_folder(std::string_view job_name) {
  std::string encoded = encode_path_component(job_name);
  if (encoded.size() <= kMaxPathComponentBytes) return encoded;
  const std::string mark = "~" + sha256_hex(job_name).substr(0, 16);
  return std::string{cut(encoded, kMaxPathComponentBytes - mark.size())} + mark;
}

std::string BackupName::file_name() const { return file_name(1); }

std::string BackupName::file_name(unsigned n) const {
  // It comes from a plugin: it must not lead out of the folder.
  if (extension.starts_with('.') ||
      extension.find_first_not_of(kExtensionCharacters) != std::string::npos)
    throw Error{ErrorCode::InvalidArgument, "the file extension has a character it must not have"};
  std::string tail = n > 1 ? "-" + std::to_string(n) : "";
  if (!extension.empty()) tail += "." + extension;
  tail += compression_suffix(compression);
  if (sealed) tail += kSealedSuffix;
  const size_t reserved = tail.size() + kSidecarSuffix.size() + kTemporaryNameBytes;
  if (reserved >= kMaxPathComponentBytes)
    throw Error{ErrorCode::InvalidArgument, "the file extension is too long"};
  const std::string encoded = encode_path_component(stem);
  std::string_view kept = cut(encoded, kMaxPathComponentBytes - reserved);
  while (kept.ends_with('.')) kept.remove_suffix(1);  // the tail may begin with one
  return std::string{kept} + tail;
}

std::optional<BackupName> parse_backup_name(std::string_view file_name) {
  BackupName name;
  name.sealed = remove_suffix(file_name, kSealedSuffix);
  name.compression = remove_compression_suffix(file_name);
  const size_t dot = file_name.rfind('.');
  if (dot != std::string_view::npos && dot > 0) {
    name.extension = file_name.substr(dot + 1);
    file_name = file_name.substr(0, dot);
  }
  if (file_name.empty()) return std::nullopt;
  name.stem = decode_path_component(file_name).value_or(std::string{file_name});
  return name;
}

std::string backup_path(std::string_view job_name, const BackupName& name, unsigned n) {
  return job_folder(job_name) + "/" + name.file_name(n);
}

bool is_archive_path(std::string_view path) {
  const auto name = parse_backup_name(base_name(path));
  return name && name->extension == "tar";
}

std::string sidecar_path(std::string_view path) {
  return std::string{path} + std::string{kSidecarSuffix};
}

bool is_sidecar_path(std::string_view path) noexcept { return path.ends_with(kSidecarSuffix); }

std::string_view base_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0: the whole path
}

std::string_view without_sealed_suffix(std::string_view name) noexcept {
  remove_suffix(name, kSealedSuffix);
  return name;
}

std::string_view without_codec_suffixes(std::string_view name) noexcept {
  remove_suffix(name, kSealedSuffix);
  remove_compression_suffix(name);
  return name;
}

}  // namespace dbackup::host
