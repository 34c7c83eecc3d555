#pragma once

#include <libssh/callbacks.h>
#include <poll.h>

#include <memory>
#include <vector>

#include "worker/ssh/ssh_channel.hpp"
#include "worker/ssh/ssh_handles.hpp"

namespace dbackup::host::ssh {

/// The pump's side of one channel: opens it and moves its bytes, never blocking. [the pump's
/// thread]
class Stream {
 public:
  Stream(ssh_session session, std::shared_ptr<Channel> channel, std::string server);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Does what can be done now. True when there is more to do at once.
  bool step();
  /// What step() waits for beside the connection.
  void add_waits(std::vector<pollfd>& to) const;
  bool is_done() const noexcept { return state_ == State::Done; }
  const std::shared_ptr<Channel>& channel() const noexcept { return channel_; }

  /// Asks the program's watcher to end it with SIGTERM.
  void terminate();
  /// Ends the input: of a program without input this is its SIGKILL.
  void end_input();
  /// Ends it here and now, whatever the other side says.
  void close(const Cause& cause = nullptr);

 private:
  enum class State { Fresh, Opening, Requesting, Running, Done };
  static constexpr size_t kBlock = 256 * 1024;

  void open();
  int ask_to_open();
  int ask_to_run();
  bool pull();
  bool pull_errors();
  void push();
  bool give();
  void strip_noise();
  void finish_if_over();
  void refuse(const std::string& what);

  ssh_session session_;
  std::shared_ptr<Channel> channel_;
  ChannelOrder& order_;
  std::string server_;
  ssh_channel raw_ = nullptr;
  ssh_channel_callbacks_struct callbacks_{};
  State state_ = State::Fresh;
  bool remote_eof_ = false, remote_closed_ = false, announced_ = false, drops_output_ = false;
  bool sent_eof_ = false;
  std::string noise_;           // before the announcement
  std::vector<char> out_, in_;  // one block each way
  size_t out_begin_ = 0, out_end_ = 0, in_begin_ = 0, in_end_ = 0;
};

}  // namespace dbackup::host::ssh
