#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dbackup::host {

enum class JournalLevel { Info, Success, Warning, Error };
enum class JournalType { General, Command, Storage, Security };

struct LogLine {
  JournalLevel level = JournalLevel::Info;
  JournalType type = JournalType::General;
  std::string_view message;
  std::string_view details = {};
};

/// An SSH host key that was accepted because none was known.
struct AcceptedHostKey {
  std::string host;
  int port = 0;
  std::string type, fingerprint;
};

/// What an operation tells while it runs. Never throws and never blocks for long: lines are cut and
/// progress is thinned by the implementation. [any thread]
class Journal {
 public:
  virtual ~Journal() = default;
  virtual void log(const LogLine& line) noexcept = 0;
  /// Bytes done so far; `total` 0 = unknown.
  virtual void progress(uint64_t done, uint64_t total) noexcept = 0;
  virtual void host_key(const AcceptedHostKey&) noexcept {}
};

}  // namespace dbackup::host
