#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret_string.hpp"

namespace dbackup::host {

/// What a TLS server shows and what it proves it with.
struct CertificatePair {
  std::string certificate_pem;  ///< the server's own first, then its chain
  SecretString key_pem;         ///< without a passphrase
};

/// The first certificate of a chain, for people.
struct CertificateInfo {
  std::string issuer, subject;  ///< RFC 2253: "CN=backup.example.net,O=Example"
  TimeMs valid_from = 0, valid_to = 0;
  std::string serial_number;  ///< hexadecimal
  std::string fingerprint;    ///< SHA-256, "AB:CD:…"
  bool is_self_signed = false;
};

/// Throws Error{InvalidArgument} naming "certificate" when the text holds none.
CertificateInfo inspect_certificate(const std::string& certificate_pem);

/// Throws Error{InvalidArgument} naming "certificate" or "privateKey": unreadable, a key with a
/// passphrase, a key that belongs to another certificate, or one that has expired by `now`.
void check_certificate_pair(const CertificatePair& pair, TimeMs now);

/// A new P-256 key and a certificate for these host names and addresses (the first names the
/// subject), valid from a day before `now` (clocks differ) for `days`. Throws Error{Internal}.
CertificatePair make_self_signed(const std::vector<std::string>& names, TimeMs now, int days);

}  // namespace dbackup::host
