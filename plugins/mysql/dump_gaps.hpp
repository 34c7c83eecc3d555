#pragma once

#include <dbackup/source.hpp>
#include <span>
#include <string>
#include <vector>

#include "connection.hpp"

namespace dbackup::mysql {

/// Warns of everything that `database` has and a dump of it by this tool, with these flags of the
/// user, would silently lack. Returns the flags with which it lacks less.
std::vector<std::string> find_gaps(const Call& call, Connection& server,
                                   const std::string& database, const ToolVersion& tool,
                                   const std::vector<std::string>& user_flags);

/// The longest line of a text that comes in blocks; the tools write each row into one.
class LongestLine {
 public:
  void add(std::span<const std::byte> block);
  uint64_t size() const noexcept { return longest_ < line_ ? line_ : longest_; }

 private:
  uint64_t line_ = 0;
  uint64_t longest_ = 0;
};

/// Warns when a statement with such a line is longer than this server takes.
void warn_of_packet(const Call& call, Connection& server, uint64_t longest_line);

}  // namespace dbackup::mysql
