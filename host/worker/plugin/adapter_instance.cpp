#include "worker/plugin/adapter_instance.hpp"

#include <algorithm>

#include "protocol/descriptor.hpp"
#include "worker/ssh/ssh_session.hpp"

namespace dbackup::host {
namespace {

// A plugin's size is not trusted to fit the result's type.
constexpr uint64_t kMostAtOnce = 1U << 30;

}  // namespace

WriterBridge::WriterBridge(CallContext& call, ByteSink& sink)
    : table_{sizeof(dbackup_writer), this, nullptr}, call_{call}, sink_{sink} {
  table_.write = [](void* ctx, const void* data, uint64_t size) noexcept -> int64_t {
    auto& self = *static_cast<WriterBridge*>(ctx);
    if (self.failure_) return -int64_t{to_status(self.failure_->code())};
    if (size == 0) return 0;
    try {
      self.call_.cancel().throw_if_cancelled();
      const size_t take = static_cast<size_t>(std::min(size, kMostAtOnce));
      self.sink_.write({static_cast<const std::byte*>(data), take});
      self.written_ += take;
      return static_cast<int64_t>(take);
    } catch (...) {
      self.failure_ = current_cause();
      return -int64_t{to_status(self.failure_->code())};
    }
  };
}

void WriterBridge::rethrow() const {
  if (failure_) throw_cause(failure_);
}

ReaderBridge::ReaderBridge(ByteSource& source)
    : table_{sizeof(dbackup_reader), this, nullptr}, source_{source} {
  table_.read = [](void* ctx, void* buffer, uint64_t size) noexcept -> int64_t {
    auto& self = *static_cast<ReaderBridge*>(ctx);
    if (self.failure_) return -int64_t{to_status(self.failure_->code())};
    if (size == 0) return 0;
    try {
      const size_t take = static_cast<size_t>(std::min(size, kMostAtOnce));
      return static_cast<int64_t>(self.source_.read({static_cast<std::byte*>(buffer), take}));
    } catch (...) {
      self.failure_ = current_cause();
      return -int64_t{to_status(self.failure_->code())};
    }
  };
}

void ReaderBridge::rethrow() const {
  if (failure_) throw_cause(failure_);
}

std::shared_ptr<ssh::Session> open_ssh(const dbackup_adapter& adapter,
                                       const protocol::AdapterRef& ref, Journal& journal) {
  const Json descriptor = Json::parse(adapter.descriptor_json, nullptr, false);
  if (!descriptor.is_object() || !descriptor.contains("ssh")) return nullptr;
  const auto use = protocol::parse_descriptor(descriptor).ssh;
  if (!use || !use->asked(ref.config)) return nullptr;
  return std::make_shared<ssh::Session>(
      ssh::read_login(*use, ref.config, ref.ssh),
      [&journal](const ssh::Login& login, const protocol::SshHostKey& key) {
        journal.host_key({.host = login.host,
                          .port = login.port,
                          .type = key.type,
                          .fingerprint = key.fingerprint});
      });
}

}  // namespace dbackup::host
