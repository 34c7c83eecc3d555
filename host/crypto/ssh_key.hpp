#pragma once

#include <optional>
#include <string>

#include "base/secret_string.hpp"

namespace dbackup::host {

/// What of an SSH key others may see.
struct SshPublicKey {
  std::string line;         ///< "ssh-ed25519 AAAA… comment", as authorized_keys wants it
  std::string fingerprint;  ///< "SHA256:…"
};

/// Makes a private key in OpenSSH's format, sealed with `passphrase` unless that is empty. `type`:
/// ed25519, rsa-4096, ecdsa-p256 or ecdsa-p384; throws Error{InvalidArgument} for another. Making
/// an RSA key takes a second or more. [any-thread]
SecretString generate_ssh_key(const std::string& type, const SecretString& passphrase);

/// The public half of a private key (OpenSSH, PKCS#1, PKCS#8). nullopt when it cannot be read, for
/// example because the passphrase is missing.
std::optional<SshPublicKey> ssh_public_key(const SecretString& private_key,
                                           const SecretString& passphrase,
                                           const std::string& comment = "");

}  // namespace dbackup::host
