#include "api/http_server.hpp"

#include <fcntl.h>
#include <pistache/listener.h>
#include <pistache/net.h>
#include <pistache/peer.h>
#include <pistache/tcp.h>
#include <pistache/transport.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "api/http_hub.hpp"
#include "base/error.hpp"

namespace dbackup::host {
namespace {

namespace tcp = Pistache::Tcp;
namespace polling = Pistache::Polling;
using PeerPtr = std::shared_ptr<tcp::Peer>;

constexpr const char* kIdKey = "id";
constexpr int kBacklog = 1024;
constexpr long kMendEveryNs = 200'000'000;

/// Hands the reactor's events on. The library copies it once per thread, so the state is behind a
/// pointer; it aborts or ends the process on what these functions throw, so they throw nothing.
class Gate final : public tcp::Handler {
  PROTOTYPE_OF(tcp::Handler, Gate)

 public:
  explicit Gate(HttpHub* hub) : hub_{hub} {}

  void onConnection(const PeerPtr& peer) override {
    try {
      // A descriptor of our own: the peer's number may be another client's by the time an answer is
      // ready.
      UniqueFd ours{::fcntl(peer->fd(), F_DUPFD_CLOEXEC, hub_->descriptor_floor())};
      if (!ours) ours.reset(::fcntl(peer->fd(), F_DUPFD_CLOEXEC, 3));
      if (const uint64_t id = hub_->admit(std::move(ours)); id != 0) {
        // A number, not the connection: the library's last word on a peer would else be its
        // destruction.
        peer->putData(kIdKey, std::make_shared<uint64_t>(id));
        return;
      }
    } catch (...) {  // out of memory; refused below like one too many
    }
    ::shutdown(peer->fd(), SHUT_RDWR);  // closing it here would abort the reactor
  }

  void onInput(const char* bytes, size_t size, const PeerPtr& peer) override {
    if (const uint64_t id = id_of(peer); id != 0) hub_->input(id, {bytes, size});
  }

  void onDisconnection(const PeerPtr& peer) override {
    if (const uint64_t id = id_of(peer); id != 0) hub_->hangup(id);
  }

 private:
  static uint64_t id_of(const PeerPtr& peer) noexcept {
    try {
      const auto id = std::static_pointer_cast<uint64_t>(peer->tryGetData(kIdKey));
      return id ? *id : 0;
    } catch (...) {
      return 0;
    }
  }

  HttpHub* hub_;
};

/// The library's queue of new connections can swallow a wake-up when one is queued while another is
/// taken out: the new one then waits until the next comes. No other queue of the library is in use
/// here, so the first event that is not our timer's is that queue's (no client can be known before
/// it); it is delivered again at every tick.
class MendedTransport final : public tcp::Transport {
 public:
  explicit MendedTransport(const std::shared_ptr<tcp::Handler>& gate)
      : Transport{gate}, gate_{gate} {}

  std::shared_ptr<Pistache::Aio::Handler> clone() const override {
    return std::make_shared<MendedTransport>(gate_->clone());
  }

  void registerPoller(polling::Epoll& poller) override {
    Transport::registerPoller(poller);
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer_) throw_errno(errno, "cannot make the reactor's timer");
    const itimerspec every{.it_interval = {.tv_sec = 0, .tv_nsec = kMendEveryNs},
                           .it_value = {.tv_sec = 0, .tv_nsec = kMendEveryNs}};
    ::timerfd_settime(timer_.get(), 0, &every, nullptr);
    poller.addFd(timer_.get(), Pistache::Flags<polling::NotifyOn>{polling::NotifyOn::Read},
                 timer_tag());
  }

  void onReady(const Pistache::Aio::FdSet& events) override {
    const bool tick = std::any_of(events.begin(), events.end(), [this](const auto& event) {
      return event.getTag() == timer_tag();
    });
    if (!queue_tag_) {
      for (const auto& event : events) {
        if (!queue_tag_ && !(event.getTag() == timer_tag())) queue_tag_ = event.getTag();
      }
    }
    if (!tick) return deliver(events);
    uint64_t ignored = 0;
    const bool was_due = ::read(timer_.get(), &ignored, sizeof ignored) > 0;
    std::vector<polling::Event> others;
    if (was_due && queue_tag_) others.push_back(readable(*queue_tag_));
    for (const auto& event : events) {
      if (!(event.getTag() == timer_tag())) others.push_back(copy(event));
    }
    if (!others.empty()) deliver(Pistache::Aio::FdSet{std::move(others)});
  }

 private:
  polling::Tag timer_tag() const { return polling::Tag{static_cast<uint64_t>(timer_.get())}; }

  static polling::Event readable(polling::Tag tag) {
    polling::Event event{tag};
    event.flags.setFlag(polling::NotifyOn::Read);
    return event;
  }

  static polling::Event copy(const Pistache::Aio::FdSet::Entry& entry) {
    polling::Event event{entry.getTag()};
    if (entry.isReadable()) event.flags.setFlag(polling::NotifyOn::Read);
    if (entry.isWritable()) event.flags.setFlag(polling::NotifyOn::Write);
    if (entry.isHangup()) event.flags.setFlag(polling::NotifyOn::Hangup);
    return event;
  }

  /// What the library throws on one client's socket error must neither end the process nor lose the
  /// events of the others (they are edge-triggered): each is then delivered alone. A second
  /// delivery finds nothing to read.
  void deliver(const Pistache::Aio::FdSet& events) {
    try {
      Transport::onReady(events);
      return;
    } catch (...) {  // dealt with below
    }
    for (const auto& event : events) {
      try {
        Transport::onReady(Pistache::Aio::FdSet{{copy(event)}});
      } catch (...) {  // this client's connection ends at its deadline
      }
    }
  }

  std::shared_ptr<tcp::Handler> gate_;
  UniqueFd timer_;
  std::optional<polling::Tag> queue_tag_;
};

/// The library makes its epolls and eventfds without close-on-exec, and keeps their numbers to
/// itself. No program is meant to inherit descriptors of these kinds, so all of them in the process
/// are marked.
void mark_close_on_exec() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd", error}) {
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (error || !target.native().starts_with("anon_inode:[event")) continue;
    const int fd = std::atoi(entry.path().filename().c_str());
    if (const int flags = ::fcntl(fd, F_GETFD); flags >= 0)
      ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

std::string bracketed(const std::string& address) {
  return address.find(':') != std::string::npos && !address.starts_with('[') ? "[" + address + "]"
                                                                             : address;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, RequestHandler& handler) : hub{std::move(options), handler} {}

  HttpHub hub;
  std::unique_ptr<tcp::Listener> listener;
  uint16_t port = 0;
};

HttpServer::HttpServer(HttpServerOptions options, RequestHandler& handler)
    : impl_{std::make_unique<Impl>(std::move(options), handler)} {}

HttpServer::~HttpServer() { drain_and_stop(std::chrono::milliseconds{0}); }

void HttpServer::start() {
  const auto& options = impl_->hub.options;
  try {
    const Pistache::Address address{bracketed(options.address), Pistache::Port{options.port}};
    impl_->listener = std::make_unique<tcp::Listener>(address);
    impl_->listener->init(std::max<size_t>(options.reactor_threads, 1),
                          Pistache::Flags<tcp::Options>{tcp::Options::ReuseAddr} |
                              tcp::Options::NoDelay | tcp::Options::CloseOnExec,
                          "", kBacklog);
    const auto gate = std::make_shared<Gate>(&impl_->hub);
    impl_->listener->setTransportFactory(
        [gate] { return std::make_shared<MendedTransport>(gate); });
    impl_->listener->setHandler(gate);
    impl_->hub.start();
    impl_->listener->bind();
    impl_->port = static_cast<uint16_t>(impl_->listener->getPort());
    impl_->listener->runThreaded();
  } catch (const std::exception& error) {
    impl_->listener.reset();
    throw Error{ErrorCode::Unavailable, "cannot listen on \"" + bracketed(options.address) + ":" +
                                            std::to_string(options.port) + "\": " + error.what()};
  }
  mark_close_on_exec();
}

uint16_t HttpServer::port() const { return impl_->port; }

size_t HttpServer::connections() const { return impl_->hub.size(); }

bool HttpServer::drain_and_stop(std::chrono::milliseconds deadline) {
  bool all_answered = true;
  if (impl_->listener) {
    all_answered = impl_->hub.drain(deadline);
    impl_->hub.cut_all();
    impl_->listener->shutdown();
    impl_->listener.reset();
  }
  impl_->hub.stop();
  return all_answered;
}

}  // namespace dbackup::host
