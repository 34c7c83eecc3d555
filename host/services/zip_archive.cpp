#include "services/zip_archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

struct EntryFree {
  void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};

la_ssize_t append(archive*, void* bytes, const void* data, size_t size) {
  static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

void check(archive* writer, int status) {
  if (status >= ARCHIVE_WARN) return;
  const char* reason = archive_error_string(writer);
  throw Error(ErrorCode::Internal, "cannot make the archive", reason != nullptr ? reason : "");
}

}  // namespace

ZipArchive::ZipArchive(TimeMs modified_at)
    : archive_{archive_write_new()}, modified_at_{modified_at} {
  if (archive_ == nullptr) throw std::bad_alloc{};
  check(archive_, archive_write_set_format_zip(archive_));
  check(archive_, archive_write_set_bytes_in_last_block(archive_, 1));
  check(archive_, archive_write_open(archive_, &bytes_, nullptr, append, nullptr));
}

ZipArchive::~ZipArchive() { archive_write_free(archive_); }

void ZipArchive::add(const std::string& name, std::string_view content, unsigned mode) {
  const std::unique_ptr<archive_entry, EntryFree> entry{archive_entry_new()};
  if (!entry) throw std::bad_alloc{};
  archive_entry_set_pathname_utf8(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
  archive_entry_set_mtime(entry.get(), static_cast<time_t>(modified_at_ / 1000), 0);
  check(archive_, archive_write_header(archive_, entry.get()));
  if (archive_write_data(archive_, content.data(), content.size()) < 0)
    check(archive_, ARCHIVE_FATAL);
}

std::string ZipArchive::finish() {
  check(archive_, archive_write_close(archive_));
  return std::move(bytes_);
}

}  // namespace dbackup::host
