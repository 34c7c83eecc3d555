#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dbackup::plugins::s3 {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token = {};
};

/// What a signature covers.
struct Signable {
  std::string method;
  std::string path;  ///< encoded, begins with '/'
  Pairs query = {};  ///< not encoded, in any order
  Pairs headers;  ///< every header that is signed, "host" and "x-amz-date" among them; lower case
  std::string payload_hash;  ///< hexadecimal SHA-256 of the body
};

/// Sorted and encoded: what is signed, and what is sent.
std::string canonical_query(const Pairs& query);

std::string hex(std::span<const unsigned char> bytes);
std::string base64(std::span<const unsigned char> bytes);
/// 32 bytes.
std::vector<unsigned char> sha256(std::span<const std::byte> bytes);
/// 16 bytes.
std::vector<unsigned char> md5(std::span<const std::byte> bytes);

/// "20150830T123600Z"
std::string amz_date(std::chrono::system_clock::time_point at);

/// The value of the Authorization header: AWS Signature Version 4, with the date of "x-amz-date".
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
std::string authorization(const Signable& request, const Credentials& credentials,
                          const std::string& region, const std::string& service = "s3");

}  // namespace dbackup::plugins::s3
