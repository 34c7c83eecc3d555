#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"

struct archive;

namespace dbackup::host {

/// A small ZIP made in memory.
class ZipArchive {
 public:
  explicit ZipArchive(TimeMs modified_at);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  /// `mode`: permission bits, for systems that have them. Throws Error{Internal}.
  void add(const std::string& name, std::string_view content, unsigned mode);
  /// The whole file. Nothing can be added afterwards.
  std::string finish();

 private:
  archive* archive_;
  std::string bytes_;
  TimeMs modified_at_;
};

}  // namespace dbackup::host
