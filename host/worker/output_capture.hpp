#pragma once

#include <array>
#include <mutex>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "worker/plugin/journal.hpp"

namespace dbackup::host {

/// Turns what plugins print to the standard output and the standard error into log lines. Takes
/// descriptors 1 and 2 for the rest of the process's life.
class OutputCapture {
 public:
  explicit OutputCapture(Journal& journal);
  ~OutputCapture();

  /// Tells what has been printed so far, a last line without its end included.
  void flush();

 private:
  struct Stream {
    UniqueFd pipe;
    JournalLevel level = JournalLevel::Info;
    std::string line;
  };

  void pump() noexcept;
  void take(Stream& stream) noexcept;
  void tell(Stream& stream) noexcept;

  Journal& journal_;
  std::mutex mutex_;
  std::array<Stream, 2> streams_;
  UniqueFd stop_event_;
  std::thread thread_;
};

}  // namespace dbackup::host
