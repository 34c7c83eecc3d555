#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_string.hpp"

namespace dbackup::host {

/// An X25519 public key of the age format: who may open a file. Plain value. [any-thread]
class AgeRecipient {
 public:
  /// Reads "age1…". Throws Error{InvalidArgument}.
  static AgeRecipient parse(std::string_view text);
  /// From 32 raw bytes. Throws Error{InvalidArgument} for another size.
  static AgeRecipient from_bytes(std::string_view public_key);

  std::string to_string() const;
  /// 32 raw bytes.
  std::string_view bytes() const noexcept { return {key_.data(), key_.size()}; }
  bool operator==(const AgeRecipient&) const = default;

 private:
  AgeRecipient() = default;
  std::array<char, 32> key_{};
};

/// An X25519 private key of the age format: what opens a file. Plain value, wiped when it goes.
/// [any-thread]
class AgeIdentity {
 public:
  static AgeIdentity generate();
  /// Reads "AGE-SECRET-KEY-1…". Throws Error{InvalidArgument}; the message has no part of the text.
  static AgeIdentity parse(std::string_view text);
  /// From 32 raw bytes. Throws Error{InvalidArgument} for another size.
  static AgeIdentity from_bytes(std::string_view secret_key);

  SecretString to_string() const;
  const AgeRecipient& recipient() const noexcept { return recipient_; }
  /// 32 raw bytes.
  std::string_view bytes() const noexcept { return key_.reveal(); }

 private:
  AgeIdentity(SecretString key, AgeRecipient recipient);
  SecretString key_;
  AgeRecipient recipient_;
};

/// Reads an identity file as age-keygen writes it: one identity a line, blank lines and lines
/// starting with '#' are skipped. Throws Error{InvalidArgument} naming the line's number, or when
/// there is no identity at all.
std::vector<AgeIdentity> parse_age_identities(std::string_view text);

/// X25519 (RFC 7748): the shared secret of 32 raw bytes. Throws Error{DataLoss} for a point of low
/// order.
SecretString x25519(std::string_view secret_key, std::string_view public_key);

}  // namespace dbackup::host
