#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "api/http_message.hpp"
#include "api/http_response.hpp"

namespace dbackup::host {

/// Files that a page refers to, with their hash as entity tag: those compiled in and those of one
/// folder, which may hold "<name>.br" and "<name>.gz" beside a file. A file's version is looked at
/// once; it changes with the installation, not while the server runs. [any-thread]
class StaticFiles {
 public:
  /// `folder` may be missing: its files are then not found.
  explicit StaticFiles(std::string folder) : folder_{std::move(folder)} {}

  /// `content` must outlive it. To be called before the first answer.
  void add(const std::string& name, std::string_view content, std::string_view media_type);
  /// Of the folder.
  void add_file(const std::string& name, std::string_view media_type);

  /// Names its content, for "?v=…": an answer to that address never changes. nullopt: not there.
  std::optional<std::string> version(const std::string& name);
  /// Throws Error{NotFound}.
  HttpResponse answer(const HttpRequest& request, const std::string& name);

 private:
  struct File {
    std::string_view content, media_type;
    bool is_in_folder = false;
    bool is_known = false;
    std::optional<std::string> version;
  };
  File& known(const std::string& name);

  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, File> files_;
};

/// Whether an Accept-Encoding admits `coding`: named, or "*", and not with a weight of 0.
bool accepts_encoding(std::string_view accept_encoding, std::string_view coding) noexcept;

}  // namespace dbackup::host
