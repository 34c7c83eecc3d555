#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_string.hpp"
#include "crypto/age_keys.hpp"

namespace dbackup::host {

/// A header longer than this is refused: a few hundred recipients fit.
inline constexpr size_t kAgeMaxHeaderSize = size_t{64} << 10;
inline constexpr size_t kAgeFileKeySize = 16;

/// One way to open the file: wraps the file key for one recipient.
struct AgeStanza {
  std::string type;
  std::vector<std::string> arguments;
  std::string body;  ///< raw bytes
};

/// Reads the textual header of an age v1 file from bytes in any split, as strictly as the format
/// demands. One thread at a time.
class AgeHeaderReader {
 public:
  /// Takes what belongs to the header and returns how many bytes that was; fewer than given means
  /// complete(). Throws Error{DataLoss, "age_header"} as soon as the bytes cannot be a header.
  size_t feed(std::string_view bytes);
  bool complete() const noexcept { return state_ == State::Done; }

  /// Valid once complete().
  const std::vector<AgeStanza>& stanzas() const noexcept { return stanzas_; }
  const std::string& mac() const noexcept { return mac_; }
  /// The header up to and including "---": what the MAC covers.
  std::string_view mac_input() const noexcept;
  /// The whole header, its last line end included.
  const std::string& text() const noexcept { return text_; }

 private:
  enum class State { Version, StanzaOrMac, Body, Done };
  void take_line(std::string_view line);
  void take_stanza(std::string_view line);
  void take_body(std::string_view line);
  void take_mac(std::string_view line);

  State state_ = State::Version;
  std::string text_;
  size_t line_start_ = 0;
  std::vector<AgeStanza> stanzas_;
  std::string mac_;
};

/// A new header that wraps `file_key` (16 raw bytes) for each recipient, in this order.
/// Throws Error{InvalidArgument} without recipients or beyond kAgeMaxHeaderSize.
std::string make_age_header(const SecretString& file_key, std::span<const AgeRecipient> recipients);

/// The file key. Throws Error{FailedPrecondition, "encryption_key_required"} when no identity opens
/// any stanza, Error{DataLoss, "age_header"} when the header is malformed, and
/// Error{DataLoss, "age_header_mac"} when its MAC is wrong.
SecretString open_age_header(const AgeHeaderReader& header,
                             std::span<const AgeIdentity> identities);

}  // namespace dbackup::host
