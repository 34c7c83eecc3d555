#pragma once

#include <array>
#include <dbackup/descriptor.hpp>

namespace dbackup {

/// The options of a connection by SSH, as the host reads them (SshUse). Two spellings: with the
/// prefix "ssh" beside options of the target itself, or bare where the SSH server is all there is.
inline constexpr std::array kSshOptions{
    Option{.name = "connectionMode",
           .type = "choice",
           .help = "Work from this machine, or from another one over SSH.",
           .fallback = "direct",
           .choices = "direct|ssh"},
    Option{.name = "sshHost", .help = "SSH server to work from."},
    Option{.name = "sshPort",
           .type = "integer",
           .help = "Port of the SSH server.",
           .fallback = "22",
           .minimum = 1,
           .maximum = 65535},
    Option{.name = "sshUsername", .help = "User on the SSH server."},
    Option{.name = "sshAuthType",
           .type = "choice",
           .help = "How to log in on the SSH server.",
           .fallback = "password",
           .choices = "password|privateKey|agent"},
    Option{.name = "sshPassword", .help = "Password on the SSH server.", .secret = true},
    Option{.name = "sshPrivateKey",
           .type = "text",
           .help = "Private key for the SSH server: OpenSSH, PKCS#1 or PKCS#8.",
           .secret = true},
    Option{.name = "sshPassphrase", .help = "Passphrase of the private key.", .secret = true},
    Option{.name = "sshHostKey",
           .help = "Fingerprint (SHA256:…) the SSH server must show; empty: as the server setting "
                   "\"ssh.host_keys\" says."},
};

inline constexpr std::array kBareSshOptions{
    Option{.name = "host", .help = "SSH server."},
    Option{.name = "port",
           .type = "integer",
           .help = "Port of the SSH server.",
           .fallback = "22",
           .minimum = 1,
           .maximum = 65535},
    Option{.name = "username", .help = "User on the SSH server."},
    Option{.name = "authType",
           .type = "choice",
           .help = "How to log in on the SSH server.",
           .fallback = "password",
           .choices = "password|privateKey|agent"},
    Option{.name = "password", .help = "Password on the SSH server.", .secret = true},
    Option{.name = "privateKey",
           .type = "text",
           .help = "Private key for the SSH server: OpenSSH, PKCS#1 or PKCS#8.",
           .secret = true},
    Option{.name = "passphrase", .help = "Passphrase of the private key.", .secret = true},
    Option{.name = "hostKey",
           .help = "Fingerprint (SHA256:…) the SSH server must show; empty: as the server setting "
                   "\"ssh.host_keys\" says."},
};

/// One table out of two: an adapter's own options, then those it shares with others.
template <size_t A, size_t B>
constexpr std::array<Option, A + B> join_options(const std::array<Option, A>& own,
                                                 const std::array<Option, B>& shared) {
  std::array<Option, A + B> out{};
  for (size_t i = 0; i < A; ++i) out[i] = own[i];
  for (size_t i = 0; i < B; ++i) out[A + i] = shared[i];
  return out;
}

}  // namespace dbackup
