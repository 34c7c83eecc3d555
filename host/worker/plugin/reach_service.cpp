#include "worker/plugin/reach_service.hpp"

#include "worker/plugin/call_context.hpp"
#include "worker/plugin/status.hpp"
#include "worker/ssh/ssh_session.hpp"

namespace dbackup::host {
namespace {

/// Something to dial: the target itself, or a port of this machine that leads there.
class DialledEndpoint final : public CallResource {
 public:
  DialledEndpoint(CallContext& call, std::string host, int port)
      : call_{call}, host_{std::move(host)}, port_{port} {
    if (call.ssh() == nullptr) return;
    pump_ = call.ssh()->pump(call.cancel());
    ssh::Listener listener = ssh::listen_on_loopback();
    const int here = listener.port;
    const bool is_socket = host_.starts_with('/');
    number_ =
        pump_->listen(std::move(listener), is_socket ? socket_path() : host_, is_socket ? 0 : port_,
                      [&call](const Error& error) { call.remember(error); });
    host_ = "127.0.0.1";
    port_ = here;
  }
  ~DialledEndpoint() override {
    if (pump_) pump_->unlisten(number_);
  }

  CallContext& call() const noexcept { return call_; }
  Json answer() const { return {{"host", host_}, {"port", port_}}; }

 private:
  /// A folder stands for PostgreSQL's socket in it, as its own programs take it.
  std::string socket_path() const {
    const bool is_folder = port_ > 0 && host_.find(".s.PGSQL.") == std::string::npos;
    return is_folder ? host_ + "/.s.PGSQL." + std::to_string(port_) : host_;
  }

  CallContext& call_;
  std::string host_;
  int port_;
  std::shared_ptr<ssh::Pump> pump_;
  int number_ = 0;
};

dbackup_status open_endpoint(void* ctx, dbackup_str request, const dbackup_item_sink* sink,
                             void** endpoint) noexcept {
  *endpoint = nullptr;
  CallContext& call = CallContext::from(ctx);
  try {
    const Json wanted = parse_json(view(request), "endpoint");
    constexpr int64_t kLargestPort = 65535;
    const std::string host = require_string(wanted, "host");
    const int64_t port = get_int(wanted, "port", 0, kLargestPort).value_or(0);
    auto dialled = std::make_unique<DialledEndpoint>(call, host, static_cast<int>(port));
    const std::string answer = dump_json(dialled->answer());
    if (const dbackup_status status = sink->item(sink->ctx, borrow(answer)); status != DBACKUP_OK) {
      return status;
    }
    *endpoint = call.adopt(std::move(dialled));
    return DBACKUP_OK;
  } catch (...) {
    const Cause cause = current_cause();
    if (call.ssh() != nullptr) call.remember(*cause);
    return call.fail(*cause);
  }
}

void release_endpoint(void* endpoint) noexcept {
  if (endpoint == nullptr) return;
  const auto* dialled = static_cast<const DialledEndpoint*>(endpoint);
  dialled->call().release(dialled);
}

constexpr dbackup_host_reach kTable{sizeof(dbackup_host_reach), &open_endpoint, &release_endpoint};

}  // namespace

const dbackup_host_reach* reach_service() noexcept { return &kTable; }

}  // namespace dbackup::host
