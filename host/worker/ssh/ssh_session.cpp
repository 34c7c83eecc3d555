#include "worker/ssh/ssh_session.hpp"

#include "base/error.hpp"
#include "worker/ssh/command_line.hpp"

namespace dbackup::host::ssh {

std::shared_ptr<Pump> Session::pump(const CancelToken& cancel) {
  const std::lock_guard lock{mutex_};
  return pump_locked(cancel);
}

std::shared_ptr<Pump> Session::pump_locked(const CancelToken& cancel) {
  if (pump_ && !pump_->is_lost()) return pump_;
  keeper_.reset();
  pump_.reset();
  Connected connection = connect(login_, cancel);
  if (connection.is_new) {
    if (accepted_) accepted_(login_, connection.key);
    login_.trust.known = {connection.key};  // a second connection must meet the same key
  }
  pump_ = std::make_shared<Pump>(std::move(connection), login_.server());
  return pump_;
}

std::shared_ptr<Keeper> Session::keeper(const CancelToken& cancel) {
  const std::lock_guard lock{mutex_};
  auto pump = pump_locked(cancel);
  if (!keeper_ || keeper_->is_lost()) {
    keeper_.reset();
    keeper_ = std::make_shared<Keeper>(std::move(pump), cancel);
  }
  return keeper_;
}

std::string Session::new_name(const std::string& suffix) {
  if (!is_plain_name(suffix)) {
    throw Error(ErrorCode::InvalidArgument, "\"" + suffix + "\" cannot end a file's name");
  }
  const std::lock_guard lock{mutex_};
  return "f" + std::to_string(++names_) + suffix;
}

}  // namespace dbackup::host::ssh
