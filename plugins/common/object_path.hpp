#pragma once

#include <string>
#include <string_view>

namespace dbackup::plugins {

/// A checked relative path: `folder` ("" is the root of the storage) and the last part.
struct ObjectPath {
  std::string folder;
  std::string name;

  std::string full() const { return folder.empty() ? name : folder + "/" + name; }
};

/// Splits the path of an object. Throws Error{InvalidArgument} for an absolute path, an empty part,
/// "." or "..", a NUL byte, a part over 255 bytes, and the names kept for unfinished objects.
ObjectPath parse_object_path(std::string_view path);
/// The same for a folder: "" and a trailing slash are allowed.
std::string parse_folder_path(std::string_view path);

/// "<folder>/<name>", or the name alone where the folder is "".
std::string joined(const std::string& folder, std::string_view name);
/// The folder that holds `path`; "" for one at the root.
std::string parent_of(const std::string& path);

/// ".dbackup-<token>[.<n>].part": what a put under way is called beside its place. A token is 1 to
/// 100 of A-Z a-z 0-9 - _.
std::string temporary_name(const std::string& token, unsigned attempt);
bool is_temporary_name(std::string_view name);
bool is_temporary_of(std::string_view name, const std::string& token);
/// Throws Error{InvalidArgument}.
void check_token(const std::string& token);

/// Requests are JSON, so a name that is not UTF-8 could never be asked for.
bool can_be_named(const std::string& path);

/// ".dbackup/test/connection-test-<adapterId>-<time>": what a test of a storage writes and removes.
/// Two tests within one second get two names.
std::string probe_path(const std::string& adapter_id);

}  // namespace dbackup::plugins
