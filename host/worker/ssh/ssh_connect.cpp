#include "worker/ssh/ssh_connect.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "base/error.hpp"
#include "worker/ssh/socket_dial.hpp"
#include "worker/ssh/ssh_auth.hpp"
#include "worker/ssh/ssh_wait.hpp"

namespace dbackup::host::ssh {
namespace {

constexpr std::chrono::seconds kLimit{20};
// One pass over the data instead of two: encryption and authentication together.
constexpr const char* kCiphers =
    "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,"
    "aes192-ctr,aes128-ctr";
constexpr std::array kKeyTypes{"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                               "ecdsa-sha2-nistp521", "rsa-sha2-512,rsa-sha2-256"};

void ready() {
  static const int state = ssh_init();
  if (state != SSH_OK) throw Error(ErrorCode::Internal, "libssh cannot be used on this machine");
}

/// The name of a key's type ("ssh-rsa") as the negotiation spells it.
std::string negotiated(const std::string& type) {
  return type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
}

/// All types, `first` at the head: a server with several keys shows the one we can compare.
std::string key_types(const std::string& first) {
  std::string out = first;
  for (const std::string type : kKeyTypes) {
    if (type != first) out += (out.empty() ? "" : ",") + type;
  }
  return out;
}

void set_option(ssh_session session, ssh_options_e option, const void* value) {
  if (ssh_options_set(session, option, value) != SSH_OK) {
    throw Error(ErrorCode::InvalidArgument,
                std::string{"the SSH connection cannot be set up: "} + ssh_get_error(session));
  }
}

SessionHandle handshake(const Login& login, const std::string& first_type,
                        const Patience& patience) {
  SessionHandle session{ssh_new()};
  if (!session) throw Error(ErrorCode::ResourceExhausted, "out of memory");
  const int nothing = 0, enabled = 1;
  const int port = login.port;
  // Before anything else: files of this account must not decide how the server connects.
  set_option(session.get(), SSH_OPTIONS_PROCESS_CONFIG, &nothing);
  set_option(session.get(), SSH_OPTIONS_HOST, login.host.c_str());
  set_option(session.get(), SSH_OPTIONS_PORT, &port);
  set_option(session.get(), SSH_OPTIONS_USER, login.user.c_str());
  set_option(session.get(), SSH_OPTIONS_NODELAY, &enabled);
  set_option(session.get(), SSH_OPTIONS_COMPRESSION, "no");
  set_option(session.get(), SSH_OPTIONS_CIPHERS_C_S, kCiphers);
  set_option(session.get(), SSH_OPTIONS_CIPHERS_S_C, kCiphers);
  set_option(session.get(), SSH_OPTIONS_HOSTKEYS, key_types(first_type).c_str());
  UniqueFd fd = dial(login.host, login.port, patience);
  const socket_t number = fd.get();
  set_option(session.get(), SSH_OPTIONS_FD, &number);
  fd.release();  // the session's from here on
  ssh_set_blocking(session.get(), 0);
  const int rc =
      until_done(session.get(), patience, SSH_AGAIN, [&] { return ssh_connect(session.get()); });
  if (rc != SSH_OK) {
    throw Error(ErrorCode::Unavailable, patience.what() + ": " + ssh_get_error(session.get()));
  }
  return session;
}

protocol::SshHostKey shown_key(ssh_session session) {
  ssh_key raw = nullptr;
  unsigned char* hash = nullptr;
  size_t size = 0;
  const int got = ssh_get_server_publickey(session, &raw);
  const KeyHandle key{raw};
  if (got != SSH_OK ||
      ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0) {
    throw Error(ErrorCode::Unavailable, "the SSH server's host key cannot be read");
  }
  const TextHandle text{ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size)};
  ssh_clean_pubkey_hash(&hash);
  return {.type = ssh_key_type_to_char(ssh_key_type(key.get())),
          .fingerprint = text ? text.get() : ""};
}

Error refused(const std::string& what, const std::string& hint) {
  return Error(ErrorCode::FailedPrecondition, what + "; " + hint, {}, "ssh_host_key");
}

std::string expected_fingerprint(const Login& login) {
  if (!login.pinned.empty()) return login.pinned;
  if (login.trust.policy == "accept-any" || login.trust.known.empty()) return {};
  return login.trust.known.front().fingerprint;
}

/// The keys this process accepted because none was known. It is told the known ones when its
/// operation begins: without a memory every further connection of the operation would accept
/// another key. [any thread]
class FirstUses {
 public:
  static FirstUses& of_process() {
    static FirstUses all;
    return all;
  }
  std::vector<protocol::SshHostKey> find(const Login& login) {
    const std::lock_guard lock{mutex_};
    const auto found = keys_.find(name_of(login));
    if (found == keys_.end()) return {};
    return {found->second};
  }
  /// The key that counts from now on: of two connections at the same time, the first one's.
  protocol::SshHostKey keep(const Login& login, const protocol::SshHostKey& key) {
    const std::lock_guard lock{mutex_};
    return keys_.try_emplace(name_of(login), key).first->second;
  }

 private:
  static std::string name_of(const Login& login) {
    std::string name = login.server();
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return name;
  }

  std::mutex mutex_;
  std::map<std::string, protocol::SshHostKey> keys_;
};

/// The types to ask for first, one connection each: when only a fingerprint is known, the server
/// may have to be asked for each of its keys.
std::vector<std::string> types_to_try(const Login& login) {
  const std::string expected = expected_fingerprint(login);
  if (expected.empty()) return {""};
  for (const auto& key : login.trust.known) {
    if (key.fingerprint == expected && !key.type.empty()) return {negotiated(key.type)};
  }
  return {kKeyTypes[0], kKeyTypes[1], kKeyTypes[4]};
}

}  // namespace

bool check_host_key(const Login& login, const protocol::SshHostKey& shown) {
  const std::string expected = expected_fingerprint(login);
  if (!expected.empty()) {
    if (expected == shown.fingerprint) return false;
    throw refused("the host key of " + login.server() + " is " + shown.fingerprint +
                      ", expected was " + expected,
                  "somebody may be reading along, or the server has a new key: compare before "
                  "accepting it");
  }
  if (login.trust.policy == "accept-any") return false;
  if (login.trust.policy == "trust-first") return true;
  throw refused("the host key of " + login.server() + " (" + shown.fingerprint + ") is not known",
                "add it, or set it at the adapter");
}

Connected connect(const Login& asked, const CancelToken& cancel) {
  ready();
  Login login = asked;
  const bool learns =
      login.pinned.empty() && login.trust.policy == "trust-first" && login.trust.known.empty();
  if (learns) login.trust.known = FirstUses::of_process().find(login);
  const Patience patience{cancel, kLimit, "cannot connect to the SSH server " + login.server()};
  const auto types = types_to_try(login);
  Connected out;
  for (size_t i = 0; i < types.size(); ++i) {
    out.session = handshake(login, types[i], patience);
    out.key = shown_key(out.session.get());
    if (i + 1 == types.size() || out.key.fingerprint == expected_fingerprint(login)) break;
  }
  if (check_host_key(login, out.key)) {
    login.trust.known = {FirstUses::of_process().keep(login, out.key)};
    check_host_key(login, out.key);
  }
  out.is_new = learns;
  log_in(out.session.get(), login, patience);
  return out;
}

}  // namespace dbackup::host::ssh
