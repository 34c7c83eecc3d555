#pragma once

#include <csignal>
#include <dbackup/testing/fakes.hpp>
#include <functional>
#include <memory>
#include <string>

#include "tests/unit/worker_ops/plugin_fixture.hpp"
#include "worker/plugin/exec_service.hpp"
#include "worker/plugin/reach_service.hpp"
#include "worker/ssh/ssh_session.hpp"

namespace dbackup::test {

/// The host's own services over one SSH connection, for the checks of the testing kit: programs
/// and connections are those of the other machine. One object per adapter instance, or for several
/// in a row; it must outlive the calls.
class SshServices {
 public:
  SshServices(const std::string& plugin_path, host::ssh::Login login)
      : library_{host::PluginLibrary::load(plugin_path, journal_)},
        session_{std::move(login), [](const auto&, const auto&) {}} {
    ::signal(SIGPIPE, SIG_IGN);  // as the worker does
  }

  /// For CheckOptions::prepare_call.
  std::function<void(testing::FakeCall&)> prepare() {
    return [this](testing::FakeCall& call) { offer(call); };
  }
  void offer(testing::FakeCall& call) {
    auto mine = std::make_shared<OneCall>(library_, &session_);
    call.on_cancel([cancel = mine->cancel] {
      cancel.cancel(host::Error(host::ErrorCode::Cancelled, "cancelled by the test"));
    });
    call.keep(std::move(mine));
    static const dbackup_host_exec exec = over_ssh(*host::exec_service());
    static const dbackup_host_reach reach = over_ssh(*host::reach_service());
    call.offer(DBACKUP_EXT_HOST_EXEC, &exec);
    call.offer(DBACKUP_EXT_HOST_REACH, &reach);
  }

 private:
  struct OneCall {
    OneCall(const host::PluginLibrary& library, host::ssh::Session* session)
        : context{library, journal, cancel, session} {}
    RecordingJournal journal;
    host::CancelToken cancel;
    host::CallContext context;
  };
  /// The host's functions expect its own object where the kit's call gives itself.
  static void* context(void* call) noexcept {
    return &static_cast<OneCall*>(static_cast<testing::FakeCall*>(call)->services())->context;
  }
  static dbackup_host_exec over_ssh(dbackup_host_exec table) {
    table.start = [](void* call, dbackup_str request, void** process) noexcept {
      return host::exec_service()->start(context(call), request, process);
    };
    table.side_file = [](void* call, dbackup_str content, void** file, dbackup_str* path) noexcept {
      return host::exec_service()->side_file(context(call), content, file, path);
    };
    table.staging_file = [](void* call, dbackup_str request, void** file,
                            dbackup_str* path) noexcept {
      return host::exec_service()->staging_file(context(call), request, file, path);
    };
    table.which = [](void* call, dbackup_str request, const dbackup_item_sink* sink) noexcept {
      return host::exec_service()->which(context(call), request, sink);
    };
    return table;
  }
  static dbackup_host_reach over_ssh(dbackup_host_reach table) {
    table.open = [](void* call, dbackup_str request, const dbackup_item_sink* sink,
                    void** endpoint) noexcept {
      return host::reach_service()->open(context(call), request, sink, endpoint);
    };
    return table;
  }

  RecordingJournal journal_;
  const host::PluginLibrary& library_;
  host::ssh::Session session_;
};

}  // namespace dbackup::test
