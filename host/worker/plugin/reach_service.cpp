#include "worker/plugin/reach_service.hpp"

#include "worker/plugin/call_context.hpp"
#include "worker/plugin/status.hpp"

namespace dbackup::host {
namespace {

class DirectEndpoint final : public CallResource {
 public:
  explicit DirectEndpoint(CallContext& call) : call_{call} {}
  CallContext& call() const noexcept { return call_; }

 private:
  CallContext& call_;
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
    const std::string answer = dump_json({{"host", host}, {"port", port}});
    if (const dbackup_status status = sink->item(sink->ctx, borrow(answer)); status != DBACKUP_OK) {
      return status;
    }
    *endpoint = call.adopt(std::make_unique<DirectEndpoint>(call));
    return DBACKUP_OK;
  } catch (...) {
    return call.fail(*current_cause());
  }
}

void release_endpoint(void* endpoint) noexcept {
  if (endpoint == nullptr) return;
  const auto* direct = static_cast<const DirectEndpoint*>(endpoint);
  direct->call().release(direct);
}

constexpr dbackup_host_reach kTable{sizeof(dbackup_host_reach), &open_endpoint, &release_endpoint};

}  // namespace

const dbackup_host_reach* reach_service() noexcept { return &kTable; }

}  // namespace dbackup::host
