#include "crypto/bech32.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/secret_string.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksumLength = 6;

/// The checksum is the remainder of a polynomial division over GF(32); BIP 173 gives the generator.
uint32_t polymod(std::string_view prefix, std::string_view values) {
  constexpr std::array<uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                               0x2a1462b3};
  uint32_t remainder = 1;
  const auto feed = [&](uint32_t value) {
    const uint32_t top = remainder >> 25;
    remainder = ((remainder & 0x1ffffff) << 5) ^ value;
    for (size_t i = 0; i < kGenerator.size(); ++i) {
      if (((top >> i) & 1) != 0) remainder ^= kGenerator[i];
    }
  };
  for (const char c : prefix) feed(static_cast<uint8_t>(c) >> 5);
  feed(0);
  for (const char c : prefix) feed(static_cast<uint8_t>(c) & 31);
  for (const char c : values) feed(static_cast<uint8_t>(c));
  return remainder;
}

/// 8-bit bytes as values of 5 bits, the last one filled with zero bits.
std::string to_five_bits(std::string_view bytes) {
  std::string values;
  values.reserve((bytes.size() * 8 + 4) / 5 + kChecksumLength);
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = ((buffer << 8) | static_cast<uint8_t>(c)) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      values += static_cast<char>((buffer >> bits) & 31);
    }
  }
  if (bits > 0) values += static_cast<char>((buffer << (5 - bits)) & 31);
  return values;
}

std::optional<std::string> from_five_bits(std::string_view values) {
  std::string bytes;
  bytes.reserve(values.size() * 5 / 8);
  uint32_t buffer = 0;
  int bits = 0;
  for (const char value : values) {
    buffer = ((buffer << 5) | static_cast<uint8_t>(value)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((buffer >> bits) & 255);
    }
  }
  const bool canonical = bits < 5 && (buffer & ((1U << bits) - 1)) == 0;
  if (!canonical) return std::nullopt;
  return bytes;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_printable(char c) noexcept { return c >= 33 && c <= 126; }

}  // namespace

std::string bech32_encode(std::string_view prefix, std::string_view data) {
  std::string values = to_five_bits(data);
  const size_t length = values.size();
  values.resize(length + kChecksumLength,
                '\0');  // within its capacity: no copy of a key stays behind
  const uint32_t checksum = polymod(prefix, values) ^ 1;
  for (size_t i = 0; i < kChecksumLength; ++i) {
    values[length + i] = static_cast<char>((checksum >> (5 * (kChecksumLength - 1 - i))) & 31);
  }
  std::string text{prefix};
  text.reserve(prefix.size() + 1 + values.size());
  text += '1';
  for (const char value : values) text += kAlphabet[static_cast<uint8_t>(value)];
  wipe(values);
  return text;
}

std::optional<Bech32> bech32_decode(std::string_view text) {
  const bool has_lower = std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
  const bool has_upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (has_lower && has_upper) return std::nullopt;
  if (!std::ranges::all_of(text, is_printable)) return std::nullopt;
  const size_t separator = text.rfind('1');
  if (separator == std::string_view::npos || separator == 0) return std::nullopt;
  if (text.size() - separator - 1 < kChecksumLength) return std::nullopt;

  std::string folded{text.substr(0, separator)};
  std::ranges::transform(folded, folded.begin(), lower);
  std::string values;
  values.reserve(text.size());
  for (const char c : text.substr(separator + 1)) {
    const size_t value = kAlphabet.find(lower(c));
    if (value == std::string_view::npos) {
      wipe(values);
      return std::nullopt;
    }
    values += static_cast<char>(value);
  }
  std::optional<std::string> data;
  if (polymod(folded, values) == 1) {
    data = from_five_bits(std::string_view{values}.substr(0, values.size() - kChecksumLength));
  }
  wipe(values);  // it may be a private key
  if (!data) return std::nullopt;
  return Bech32{.prefix = std::string{text.substr(0, separator)}, .data = std::move(*data)};
}

}  // namespace dbackup::host
