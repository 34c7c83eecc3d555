#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "worker/ssh/ssh_pump.hpp"

namespace dbackup::host::ssh {

/// The shell that keeps a private folder on the other machine (command_line.hpp): side files,
/// staging files, and the registered programs. When the connection ends, however, it kills those
/// and removes the folder. One line per order on its input:
///   file NAME CONTENT   writes a 0600 file; answers "ok" or "no"
///   end NAME COUNT      confirms that the whole input of a fed program was COUNT bytes
///   stop NAME           SIGTERM, and after 200 ms SIGKILL, for its process group
///   gone NAME           removes what belongs to NAME
/// [any thread]
class Keeper {
 public:
  Keeper(std::shared_ptr<Pump> pump, const CancelToken& cancel);
  ~Keeper();

  /// Of a name in the folder.
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write_file(const std::string& name, std::string_view content, const CancelToken& cancel);
  void confirm(const std::string& name, uint64_t count) noexcept;
  void stop(const std::string& name) noexcept;
  void forget(const std::string& name) noexcept;
  bool is_lost() const { return channel_->is_closed(); }

 private:
  void send(std::string_view line, const CancelToken& cancel);
  void tell(const std::string& line) noexcept;
  std::string read_line(const CancelToken& cancel);

  std::shared_ptr<Pump> pump_;
  std::shared_ptr<Channel> channel_;
  std::mutex mutex_;
  UniqueFd orders_, answers_;
  std::string folder_;
};

}  // namespace dbackup::host::ssh
