#pragma once

#include <gmock/gmock.h>

#include <csignal>
#include <dbackup/exec.hpp>
#include <memory>

#include "tests/support/ssh_server.hpp"
#include "tests/unit/worker_ops/plugin_fixture.hpp"
#include "worker/ssh/ssh_session.hpp"

namespace dbackup::test {

inline host::ssh::Login key_login(const testing::SshServer& server) {
  return {.host = server.host(),
          .port = server.port(),
          .user = server.user(),
          .method = host::ssh::Login::Method::PrivateKey,
          .private_key = host::SecretString{server.key()},
          .trust = {.policy = "accept-any"}};
}

/// One call of a plugin whose programs run on another machine.
class SshCall {
 public:
  explicit SshCall(host::ssh::Login login)
      : session_{std::make_unique<host::ssh::Session>(
            std::move(login), [this](const auto&, const auto& key) { accepted.push_back(key); })},
        context_{host::PluginLibrary::load(kProbe, loading_), journal, cancel, session_.get()} {
    ::signal(SIGPIPE, SIG_IGN);  // as the worker does
  }

  Exec exec() { return Exec{call}; }
  std::string output_of(const std::vector<std::string>& argv, ProgramOptions options = {}) {
    return exec().run(argv, std::move(options)).output;
  }

 private:
  RecordingJournal loading_;

 public:
  RecordingJournal journal;
  host::CancelToken cancel;
  std::vector<host::protocol::SshHostKey> accepted;

 private:
  std::unique_ptr<host::ssh::Session> session_;
  host::CallContext context_;

 public:
  Call call{context_.raw()};
  host::CallContext& context() { return context_; }
  host::ssh::Session& session() { return *session_; }
};

}  // namespace dbackup::test
