#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace dbackup::host {

/// The byte path of one connection: what lies between HTTP and its non-blocking socket. Plain TCP
/// here; TLS takes its place with its records on the socket's side. Never blocks. One call at a
/// time (the connection's mutex); does not own the socket.
class HttpTransport {
 public:
  enum class Step {
    Done,
    Blocked,  ///< Call again when the socket is writable.
    Broken,   ///< The connection is of no more use.
  };

  virtual ~HttpTransport() = default;

  /// False until the transport's own handshake is done; a peer has the deadline of a head for it.
  virtual bool is_ready() const { return true; }

  /// Bytes as read from the socket, in order. Returns the plain bytes they carried, valid until the
  /// next call; nullopt when the peer broke the transport's protocol.
  virtual std::optional<std::string_view> receive(std::string_view wire) = 0;

  /// True when the transport itself has bytes for the peer (a handshake): call flush().
  virtual bool wants_flush() const { return false; }
  virtual Step flush() { return Step::Done; }

  /// Sends `plain`, counting in `taken` the bytes that need not be given again. `more`: another
  /// piece follows at once, so that both may share a packet.
  virtual Step send(std::string_view plain, size_t& taken, bool more) = 0;

  /// Nothing more will be sent; what was sent still arrives.
  virtual void end_sending() = 0;
};

std::unique_ptr<HttpTransport> make_plain_transport(int socket);

}  // namespace dbackup::host
