#pragma once

#include "worker/plugin/journal.hpp"

namespace dbackup::host {

/// Passes on log lines and no progress: for a plugin whose own numbers would mix with those of the
/// operation it takes part in.
class QuietJournal final : public Journal {
 public:
  explicit QuietJournal(Journal& target) : target_{target} {}
  void log(const LogLine& line) noexcept override { target_.log(line); }
  void progress(uint64_t, uint64_t) noexcept override {}
  void host_key(const AcceptedHostKey& key) noexcept override { target_.host_key(key); }

 private:
  Journal& target_;
};

}  // namespace dbackup::host
