#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "worker/ssh/keeper.hpp"
#include "worker/ssh/ssh_pump.hpp"

namespace dbackup::host::ssh {

/// The SSH side of one adapter: connected when it is first needed, connected anew when it is needed
/// after a loss, disconnected with the object. [any thread]
class Session {
 public:
  /// `accepted`: told of a host key that was accepted because none was known.
  Session(Login login, std::function<void(const Login&, const protocol::SshHostKey&)> accepted)
      : login_{std::move(login)}, accepted_{std::move(accepted)} {}

  /// Throws as connect() does.
  std::shared_ptr<Pump> pump(const CancelToken& cancel);
  std::shared_ptr<Keeper> keeper(const CancelToken& cancel);
  /// A name in the keeper's folder that nobody else has.
  std::string new_name(const std::string& suffix = "");
  const Login& login() const noexcept { return login_; }

 private:
  std::shared_ptr<Pump> pump_locked(const CancelToken& cancel);

  Login login_;
  std::function<void(const Login&, const protocol::SshHostKey&)> accepted_;
  std::mutex mutex_;
  std::shared_ptr<Pump> pump_;
  std::shared_ptr<Keeper> keeper_;  // after the pump it uses
  uint64_t names_ = 0;
};

}  // namespace dbackup::host::ssh
