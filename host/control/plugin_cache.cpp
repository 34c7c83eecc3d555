#include "control/plugin_cache.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "base/unique_fd.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {

PluginCache::PluginCache(std::string file, std::string program_version)
    : file_{std::move(file)}, program_version_{std::move(program_version)} {
  std::ifstream in{file_, std::ios::binary};
  if (!in) return;
  try {
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const Json json = parse_json(text, "plugin cache");
    if (get_string(json, "version") != program_version_) return;
    for (const auto& [path, entry] : json.at("plugins").items()) {
      entries_[path] = {.hash = require_string(entry, "hash"), .description = entry.at("description")};
    }
  } catch (const std::exception&) {
    entries_.clear();  // it is only a cache
  }
}

std::optional<Json> PluginCache::find(const std::string& path, const std::string& hash) const {
  const auto found = entries_.find(path);
  if (found == entries_.end() || found->second.hash != hash) return std::nullopt;
  found->second.is_used = true;
  return found->second.description;
}

void PluginCache::put(const std::string& path, const std::string& hash, Json description) {
  entries_[path] = {.hash = hash, .description = std::move(description), .is_used = true};
}

void PluginCache::save() const noexcept {
  try {
    Json plugins = Json::object();
    for (const auto& [path, entry] : entries_) {
      if (entry.is_used) plugins[path] = {{"hash", entry.hash}, {"description", entry.description}};
    }
    const std::filesystem::path target{file_};
    std::filesystem::create_directories(target.parent_path());
    const std::string unfinished = file_ + "." + new_uuid();
    {
      std::ofstream out{unfinished, std::ios::binary};
      out << dump_json({{"version", program_version_}, {"plugins", plugins}});
      if (!out.flush()) {
        std::filesystem::remove(unfinished);
        throw Error(ErrorCode::ResourceExhausted, "cannot write \"" + unfinished + "\"");
      }
    }
    std::filesystem::rename(unfinished, target);
  } catch (const std::exception& error) {
    log_warning(std::string("the cache of plugin descriptors was not saved: ") + error.what());
  }
}

std::string file_hash(const std::string& path) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) throw_errno(errno, "cannot open \"" + path + "\"");
  Sha256 hash;
  std::vector<std::byte> buffer(256 * 1024);
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "cannot read \"" + path + "\"");
    if (count == 0) return hash.finish_hex();
    hash.update(std::span{buffer.data(), static_cast<size_t>(count)});
  }
}

}  // namespace dbackup::host
